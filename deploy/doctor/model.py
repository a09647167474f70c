"""What a look at one part found. Pure."""

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Grade(Enum):
    """How it is: `warn` needs attention some day, `fail` now; `skip`: it could not be looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True)
class Finding:
    """One line of the answer. `fix` says what to do; only where something is wrong."""

    part: str
    grade: Grade
    detail: str
    fix: str = ""

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "grade": self.grade.value}


def ok(part: str, detail: str) -> Finding:
    return Finding(part, Grade.OK, detail)


def warn(part: str, detail: str, fix: str) -> Finding:
    return Finding(part, Grade.WARN, detail, fix)


def fail(part: str, detail: str, fix: str) -> Finding:
    return Finding(part, Grade.FAIL, detail, fix)


def skip(part: str, detail: str) -> Finding:
    return Finding(part, Grade.SKIP, detail)


def exit_code(findings: list[Finding]) -> int:
    """1 if anything fails, else 0."""
    return int(any(finding.grade is Grade.FAIL for finding in findings))


def lines(findings: list[Finding]) -> list[str]:
    """As text: one line each, and what to do below it."""
    text = []
    for finding in findings:
        text.append(f"{finding.grade.value:<4}  {finding.part}: {finding.detail}")
        if finding.fix:
            text.append(f"      -> {finding.fix}")
    counts = {g: sum(f.grade is g for f in findings) for g in (Grade.FAIL, Grade.WARN)}
    wrong = [f"{number} {grade.value}" for grade, number in counts.items() if number]
    return [*text, "", ", ".join(wrong) if wrong else "all is well"]
