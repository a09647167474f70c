"""What became of rows, and what the service refuses, in the language of the sender."""

import json
from functools import cache
from importlib.resources import files

from hocvuso_cli.language import Language, chosen, say
from hocvuso_cli.send.columns import Layout
from hocvuso_client import ProblemError

_STATUS_VI = {
    "accepted": "đã nhận",
    "would be accepted": "sẽ được nhận",
    "duplicate": "đã có từ trước",
    "rejected": "bị từ chối",
    "not sent": "chưa gửi",
    "example": "dòng ví dụ",
}


def status(word: str) -> str:
    """The status of a row as the result file says it."""
    return say(vi=_STATUS_VI[word], en=word)


def counts(found: dict[str, int]) -> str:
    """`accepted 3, duplicate 1, rejected 0`."""
    return ", ".join(f"{status(name)} {count}" for name, count in found.items())


def problem(found: ProblemError, layout: Layout) -> str:
    """Why the service refuses a row: which column, what is wrong, what to do."""
    if chosen() is Language.EN:
        return str(found)
    text = _words().get(found.code)
    if text is None:
        return str(found)
    where = _column(found.pointer or "", layout)
    allowed = f" ({found.hint})" if found.code in _HINTED and found.hint else ""
    return f"{where}{text}{allowed} [{found.code}]"


_HINTED = frozenset({"value-not-allowed"})
"""Problems whose hint lists values: it is of use in any language."""


def _column(pointer: str, layout: Layout) -> str:
    steps = [step for step in pointer.split("/") if step and not step.isdecimal()]
    if steps[:1] == ["data"]:
        steps = steps[1:]
    for column in layout.columns.values():
        path = list(column.path) or [column.name]
        if steps and (path == steps or (len(steps) == 1 and path[0] == steps[0])):
            return f"{column.title_vi}: "
    return ""


@cache
def _words() -> dict[str, str]:
    text = files("hocvuso_cli").joinpath("data/problems_vi.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
