"""One row of a table as an event, with an id that the same row gets every time."""

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hocvuso_cli.language import say
from hocvuso_cli.send import cells
from hocvuso_cli.send.cells import CellError
from hocvuso_cli.send.columns import ID, MARK, SOURCE, SUBJECT, TIME, Layout, put
from hocvuso_cli.send.mapping import IGNORED
from hocvuso_cli.send.text import fold, nfc
from hocvuso_client import content_id
from hocvuso_client.envelope import TYPE_PREFIX

EXAMPLE_MARKS = ("vi du", "example", "mau")
Json = dict[str, Any]


@dataclass(slots=True)
class Made:
    """What a row has become. An event as JSON text, or reasons why not; an example is neither."""

    number: int
    cells: list[Any] = field(repr=False)
    id: str | None = None
    raw: bytes | None = field(default=None, repr=False)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    example: bool = False
    skipped: bool = False


class Rows:
    """Turns rows into events. `defaults`: cells for the whole file, by column name."""

    def __init__(
        self,
        layout: Layout,
        headers: Sequence[str],
        targets: Sequence[str],
        defaults: Mapping[str, str],
        source: str | None,
        secret: bytes,
        *,
        each: bool,
    ) -> None:
        self._layout = layout
        self._headers = headers
        self._targets = targets
        self._defaults = defaults
        self._source = source
        self._secret = secret
        self._each = each
        self._first: dict[int, int] = {}
        self._count: dict[int, int] = {}

    def make(self, number: int, row: list[Any]) -> Made:
        """The event of a row."""
        made = Made(number, row)
        found: dict[str, Any] = {}
        for index, cell in enumerate(row):
            if cell is None or (isinstance(cell, str) and not nfc(cell)):
                continue
            if index >= len(self._targets) or not self._headers[index]:
                made.faults.append(
                    say(
                        vi=f"Cột thứ {index + 1} có giá trị nhưng không có tiêu đề.",
                        en=f"Column {index + 1} has a value but no header.",
                    )
                )
                continue
            self._take(found, self._targets[index], cell, self._headers[index], made)
        if fold(str(found.pop(MARK, ""))).startswith(EXAMPLE_MARKS):
            made.example, made.faults = True, []
            return made
        for name, text in self._defaults.items():
            if not self._has(found, name):
                self._take(found, name, text, f"--set {name}", made)
        event = self._event(found, made)
        if not made.faults:
            made.id = event["id"]
            made.raw = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        return made

    def _has(self, found: Json, name: str) -> bool:
        short = self._layout.shorthands.get(name)
        return f"{short[0]}.value" in found if short else name in found

    def _take(self, found: Json, target: str, cell: Any, header: str, made: Made) -> None:
        """Read one cell into `found`."""
        if target == IGNORED:
            return
        short = self._layout.shorthands.get(target)
        column = self._layout.columns[f"{short[0]}.value" if short else target]
        try:
            value = cells.read(column, cell)
            if value is None:
                return
            if column.identity and column.path[-1] == "value":
                found[f"cell {column.name}"] = header, cell
            if short:
                found[f"{short[0]}.scheme"] = short[1]
        except CellError as wrong:
            made.faults.append(f"{header}: {wrong}")
            made.unread.add(column.name)
            return
        if column.name in found and isinstance(value, list):
            value = [*found[column.name], *(v for v in value if v not in found[column.name])]
        elif column.name in found and found[column.name] != value:
            made.faults.append(
                say(
                    vi=f"{header}: một cột khác ghi giá trị khác.",
                    en=f"{header}: another column says something else.",
                )
            )
            return
        found[column.name] = value

    def _event(self, found: Json, made: Made) -> Json:
        data: Json = {}
        for name, column in self._layout.columns.items():
            if name in found and column.path:
                put(data, column.path, found[name])
            elif column.required and name not in found and name not in made.unread:
                made.faults.append(
                    say(
                        vi=f"{column.title_vi} [{name}]: ô này không được để trống.",
                        en=f"{column.title_vi} [{name}]: this cell must not be empty.",
                    )
                )
            if column.identity and column.path[-1] == "value" and name in found:
                scheme = found.get(f"{column.path[0]}.scheme")
                header, cell = found[f"cell {name}"]
                try:
                    cells.check_identity(scheme, found[name], cell)
                except CellError as wrong:
                    made.faults.append(f"{header}: {wrong}")
        event: Json = {"specversion": "1.0", "type": TYPE_PREFIX + self._layout.type}
        event["source"] = found.get(SOURCE) or self._source
        if not event["source"]:
            made.faults.append(
                say(
                    vi="Dòng không có nguồn; hãy thêm --source URI.",
                    en="The row has no source; give --source URI.",
                )
            )
        for name in (SUBJECT, TIME):
            if name in found:
                event[name] = found[name]
        event["data"] = data
        event["id"] = found.get(ID) or self._id(event, made)
        return event

    def _id(self, event: Json, made: Made) -> str:
        """Out of the row's content, not its place: a row moved or a file sent again is the same."""
        content = [event.get(name) for name in ("source", "type", "subject", "time", "data")]
        first = content_id(self._secret, content, "row")
        if made.faults:
            return first
        # Half an id is enough to know a row again, and small enough for a million rows.
        short = uuid.UUID(first).int >> 64
        seen = self._first.setdefault(short, made.number)
        if seen == made.number:
            return first
        count = self._count[short] = self._count.get(short, 1) + 1
        if self._each:
            return content_id(self._secret, content, f"row {count}")
        made.notes.append(
            say(
                vi=f"Giống hệt dòng {seen} nên chỉ tính một lần. Nếu là sự kiện khác, hãy điền mã"
                " dòng (id) khác nhau, hoặc dùng --identical-rows each.",
                en=f"The same as row {seen}, so it counts once. If it is another event, give both"
                " rows an id, or use --identical-rows each.",
            )
        )
        return first


def read_secret(file: Path) -> bytes:
    """The secret with which ids are made, created at the first use. Keep it: with another one a
    file that is sent again would count as new."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = file.with_suffix(f".{os.getpid()}.new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(os.urandom(32).hex().encode())
        try:
            os.link(fresh, file)  # never over one that another process has just made
        except FileExistsError:
            pass
        except OSError:
            fresh.replace(file)  # a file system without links
        finally:
            fresh.unlink(missing_ok=True)
    return bytes.fromhex(file.read_text().strip())
