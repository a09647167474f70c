"""What a suite found: passed, failed, or not run, which is never counted as passed."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parents[2] / "build" / "conformance"
Outcome = Literal["passed", "failed", "not run"]


@dataclass
class Report:
    """One suite: its pinned version, how many cases it had, and those that failed, in words."""

    suite: str
    version: str
    outcome: Outcome = "passed"
    cases: int = 0
    failures: list[str] = field(default_factory=list)
    why: str = ""
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    def check(self, good: bool, what: str) -> None:
        """Count a case."""
        self.cases += 1
        if not good:
            self.failures.append(what)
            self.outcome = "failed"

    def line(self) -> str:
        """The suite in one line."""
        count = f"{self.cases - len(self.failures)} of {self.cases}" if self.cases else "-"
        why = f"  {self.why}" if self.why else ""
        name = f"{self.suite} {self.version}"
        return f"{self.outcome.upper():<8} {name:<44} {count:>14}  {self.seconds:6.0f} s{why}"

    def write(self, folder: Path = FOLDER) -> None:
        """Keep it as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (folder / f"{self.suite.replace('/', '-')}.json").write_text(text, encoding="utf-8")


class NotHereError(Exception):
    """A suite that cannot be had on this machine; says why."""


def run(suite: str, version: str, work: Callable[[Report], None]) -> Report:
    """Run one suite, whatever happens to it."""
    report, started = Report(suite, version), time.monotonic()
    try:
        work(report)
        if not report.cases:
            report.outcome, report.why = "failed", "it had no cases"
    except NotHereError as error:
        report.outcome, report.why = "not run", str(error)
    except Exception as error:
        report.outcome, report.why = "failed", f"{type(error).__name__}: {error}"[:300]
    report.seconds = time.monotonic() - started
    report.write()
    return report
