"""What is wrong with a plan, and where."""

from collections.abc import Mapping

import msgspec

from shared.domain.plan_files.positions import Path, line_of, pointer


class PlanProblem(msgspec.Struct, frozen=True):
    """One problem: line in the file (None for data without one), JSON pointer, stable code."""

    line: int | None
    path: str
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else self.path or "/"
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class Report:
    """Collects problems and knows the lines."""

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self.lines = lines
        self.problems: list[PlanProblem] = []

    def add(
        self, path: Path, code: str, message: str, hint: str = "", *, line: int | None = None
    ) -> None:
        where = line if line is not None else line_of(self.lines, path)
        self.problems.append(PlanProblem(where, pointer(path), code, message, hint))
