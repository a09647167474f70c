"""Reading one cell as the value that its column wants. Nothing is guessed and nothing padded.

No message repeats a value: result files travel.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any

from hocvuso_cli.language import say
from hocvuso_cli.send.columns import Column
from hocvuso_cli.send.text import fold, nfc
from hocvuso_client.identity.numbers import Impossible, normal

VIETNAM = timezone(timedelta(hours=7))
YES = frozenset({"true", "co", "yes", "x", "1", "dung"})
NO = frozenset({"false", "khong", "no", "0", "sai"})
UNIT_CODE_DIGITS = 5
EXACT_DIGITS = 15
"""A spreadsheet keeps so many digits of a number; what is longer has been rounded."""

_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})(?:[ T]+(.+))?")
_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T](.+))?")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


class CellError(ValueError):
    """A cell that cannot be read; the message names the rule and the way out, not the value."""


class Fault:
    """A cell that holds no value: an error of the spreadsheet, a formula never calculated, or one
    merged with another (`empty`: alone it makes no row)."""

    def __init__(self, why: str, *, empty: bool = False) -> None:
        self.why = why
        self.empty = empty


def read(column: Column, cell: Any) -> Any:
    """The JSON value of a cell; None for an empty one. Raises CellError."""
    if isinstance(cell, Fault):
        raise CellError(cell.why)
    if isinstance(cell, str):
        cell = nfc(cell)
    if cell is None or cell == "":
        return None
    return _READERS[column.kind](column, cell)


def _text(column: Column, cell: Any) -> str:
    if isinstance(cell, str):
        if _SCIENTIFIC.fullmatch(cell) and column.name != "note":
            raise CellError(
                say(
                    vi="Bảng tính đã đổi số sang dạng 6.6E+10; hãy định dạng cột là Văn bản (Text)"
                    " rồi gõ lại.",
                    en="The spreadsheet has turned the number into the form 6.6E+10; format the"
                    " column as Text and type it again.",
                )
            )
        return cell
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        raise CellError(
            say(
                vi="Ô này phải là văn bản; hãy định dạng cột là Văn bản (Text) rồi gõ lại.",
                en="A text is needed here; format the column as Text and type it again.",
            )
        )
    return _digits(cell)


def _digits(number: float) -> str:
    """A number where a text belongs: its digits, if the spreadsheet still has them all."""
    if isinstance(number, float) and (not math.isfinite(number) or number != int(number)):
        raise CellError(
            say(
                vi="Ô này là số thập phân nhưng phải là văn bản; hãy định dạng là Văn bản (Text).",
                en="A number with decimals where a text is needed; format it as Text.",
            )
        )
    digits = str(int(number))
    if len(digits) > EXACT_DIGITS:
        raise CellError(
            say(
                vi="Bảng tính đã làm tròn số dài này; hãy định dạng là Văn bản (Text) rồi gõ lại.",
                en="The spreadsheet has rounded this long number; format it as Text.",
            )
        )
    return digits


def _unit(column: Column, cell: Any) -> str:
    text = _text(column, cell)
    if not isinstance(cell, str) and len(text) != UNIT_CODE_DIGITS:
        raise CellError(
            say(
                vi="Mã đơn vị gõ dạng số có thể đã mất số 0 ở đầu; hãy định dạng cột là Văn bản"
                " (Text) rồi gõ lại mã.",
                en="A unit code typed as a number may have lost leading zeros; format the column as"
                " Text and type the code again.",
            )
        )
    return text


def _enum(column: Column, cell: Any) -> str:
    return _word(column, cell if isinstance(cell, str) else _text(column, cell))


def _word(column: Column, text: str) -> str:
    if text in column.words:
        return text
    found = _folded(tuple(column.words.items())).get(fold(text))
    if found is not None:
        return found
    allowed = "; ".join(column.words.values())
    raise CellError(
        say(
            vi=f"Không có trong danh sách của cột. Được dùng: {allowed}.",
            en=f"Not in the list of this column. Allowed: {allowed}.",
        )
    )


@lru_cache(maxsize=256)
def _folded(words: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Value by its folded title and by its own folded letters."""
    return {fold(title): value for value, title in words} | {fold(v): v for v, _ in words}


def _parts(text: str) -> list[str]:
    if text.startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, list) and all(isinstance(part, str) for part in found):
            return [nfc(part) for part in found]
    return [nfc(part) for part in re.split(r"[;\n|]", text) if part.strip()]


def _enum_list(column: Column, cell: Any) -> list[str]:
    words = [_word(column, part) for part in _parts(_text(column, cell))]
    return list(dict.fromkeys(words))


def _text_list(column: Column, cell: Any) -> list[str]:
    return list(dict.fromkeys(_parts(_text(column, cell))))


def _boolean(_: Column, cell: Any) -> bool:
    if isinstance(cell, bool):
        return cell
    word = fold(str(int(cell)) if isinstance(cell, (int, float)) and cell in (0, 1) else str(cell))
    if word in YES or word in NO:
        return word in YES
    raise CellError(say(vi="Hãy ghi Có hoặc Không.", en="Write Có or Không."))


def _integer(_: Column, cell: Any) -> int:
    if isinstance(cell, str) and re.fullmatch(r"-?[0-9]{1,15}", cell):
        return int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**EXACT_DIGITS:
        return int(cell)
    raise CellError(
        say(
            vi="Hãy ghi số nguyên, chỉ gồm chữ số, không có dấu chấm hay dấu phẩy.",
            en="Write a whole number in digits only, without points or commas.",
        )
    )


def _number(_: Column, cell: Any) -> int | float:
    if isinstance(cell, str) and re.fullmatch(r"-?[0-9]{1,15}(?:[.,][0-9]{1,9})?", cell):
        number = float(cell.replace(",", "."))
        return int(number) if number.is_integer() and not re.search("[.,]", cell) else number
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and math.isfinite(cell):
        return cell
    raise CellError(
        say(
            vi="Hãy ghi một số; dấu chấm hoặc dấu phẩy chỉ là dấu thập phân.",
            en="Write a number; a point or a comma is the decimal mark, nothing else.",
        )
    )


def _day(text: str) -> tuple[date, str | None]:
    """A written day, and what stands behind it. Between slashes it is always day/month/year."""
    try:
        if found := _ISO_DAY.fullmatch(text):
            return date.fromisoformat(found[1]), found[2]
        if found := _DAY_FIRST.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1])), found[4]
    except ValueError:
        raise CellError(
            say(
                vi="Không có ngày này. Ngày ghi theo ngày/tháng/năm (30/06/2026) hoặc 2026-06-30.",
                en="There is no such day. Days are written day/month/year (30/06/2026) or"
                " 2026-06-30.",
            )
        ) from None
    raise CellError(
        say(
            vi="Hãy ghi ngày theo ngày/tháng/năm (30/06/2026) hoặc 2026-06-30.",
            en="Write the day as day/month/year (30/06/2026) or as 2026-06-30.",
        )
    )


def _date(_: Column, cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        raise CellError(_no_day())
    day, rest = _day(cell)
    if rest and fold(rest) not in ("0 00", "00 00", "0 00 00", "00 00 00"):
        raise CellError(
            say(
                vi="Ô này chỉ ghi ngày, không ghi giờ.",
                en="Only a day belongs here, without a time.",
            )
        )
    return day.isoformat()


def _moment(_: Column, cell: Any) -> str:
    """A day alone is its beginning in Viet Nam; a time without an offset is Vietnamese time."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=VIETNAM).isoformat(timespec="seconds")
    if isinstance(cell, date):
        return datetime.combine(cell, time(), VIETNAM).isoformat()
    if not isinstance(cell, str):
        raise CellError(_no_day())
    day, rest = _day(cell)
    if not rest:
        return datetime.combine(day, time(), VIETNAM).isoformat()
    if found := _CLOCK.fullmatch(rest):
        try:
            clock = time(int(found[1]), int(found[2]), int(found[3] or 0))
        except ValueError:
            raise CellError(
                say(vi="Không có giờ này trong ngày.", en="There is no such time of day.")
            ) from None
        return datetime.combine(day, clock, VIETNAM).isoformat()
    try:
        whole = datetime.fromisoformat(f"{day.isoformat()}T{rest}")
    except ValueError:
        raise CellError(
            say(
                vi="Hãy ghi thời điểm dạng 30/06/2026 09:12 hoặc 2026-06-30T09:12:00+07:00.",
                en="Write the time as 30/06/2026 09:12 or 2026-06-30T09:12:00+07:00.",
            )
        ) from None
    return (whole if whole.tzinfo else whole.replace(tzinfo=VIETNAM)).isoformat()


def _json(_: Column, cell: Any) -> Any:
    try:
        return json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        raise CellError(
            say(
                vi="Ô này là JSON nhưng không đọc được.",
                en="This cell holds JSON; it cannot be read.",
            )
        ) from None


def _no_day() -> str:
    return say(
        vi="Ô này là số, không phải ngày. Hãy định dạng cột là ngày hoặc Văn bản (Text).",
        en="A number, not a day. Format the column as a date or as Text.",
    )


def _mark(_: Column, cell: Any) -> str:
    return str(cell)


_READERS: dict[str, Callable[[Column, Any], Any]] = {
    "text": _text,
    "unit": _unit,
    "enum": _enum,
    "enum_list": _enum_list,
    "text_list": _text_list,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "date": _date,
    "moment": _moment,
    "json": _json,
    "mark": _mark,
}


NUMBERS = {
    ("cccd", "digits"): "Số CCCD có đúng 12 chữ số.",
    ("cccd", "placeholder"): "Đây là số điền cho có, không phải số CCCD của ai.",
    ("cccd", "birthplace"): "Không có số CCCD nào bắt đầu như vậy.",
    ("cccd", "birth-in-future"): "Theo số này thì người đó chưa sinh ra.",
    ("phone", "digits"): "Số điện thoại bắt đầu bằng 0 hoặc +84, có 10 chữ số (cố định: 11).",
    ("phone", "length"): "Số điện thoại thừa hoặc thiếu chữ số so với đầu số.",
}
"""What is wrong with a number, by scheme and rule."""


def check_identity(scheme: str | None, value: str, cell: Any) -> None:
    """Raise CellError for a number that has lost its leading zeros, or that is nobody's."""
    if value.isdecimal():
        _check_zeros(scheme, value, cell)
    if scheme in ("cccd", "phone"):
        try:
            normal(scheme, value, datetime.now(VIETNAM).year)
        except Impossible as impossible:
            vi = NUMBERS[scheme, impossible.rule]
            raise CellError(say(vi=f"{vi} Hãy kiểm tra lại số này.", en=str(impossible))) from None


def _check_zeros(scheme: str | None, value: str, cell: Any) -> None:
    if scheme == "cccd" and len(value) < 12:
        raise CellError(
            say(
                vi="Số CCCD có 12 chữ số, ô này có ít hơn: có lẽ đã mất số 0 ở đầu. Hãy định dạng"
                " cột là Văn bản (Text) rồi gõ lại.",
                en="An identity number (CCCD) has 12 digits, this has fewer: leading zeros were"
                " probably lost. Format the column as Text and type it again.",
            )
        )
    if scheme == "phone" and len(value) == 9:
        raise CellError(
            say(
                vi="Số điện thoại bắt đầu bằng 0, có lẽ đã bị mất. Hãy định dạng cột là Văn bản"
                " (Text) rồi gõ lại.",
                en="A phone number begins with 0, which was probably lost. Format the column as"
                " Text and type it again.",
            )
        )
    if scheme not in ("cccd", "phone") and not isinstance(cell, str):
        raise CellError(
            say(
                vi="Mã số gõ dạng số có thể đã mất số 0 ở đầu; hãy định dạng cột là Văn bản (Text)"
                " rồi gõ lại.",
                en="An identifier typed as a number may have lost leading zeros; format the column"
                " as Text and type it again.",
            )
        )
