"""A suite that cannot be had is not run, never passed; one without cases has failed."""

from pathlib import Path

import pytest

from tests.conformance import report
from tests.conformance.__main__ import summary
from tests.conformance.report import NotHereError, Report


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Report, "write", lambda self: None)


def absent(_: Report) -> None:
    raise NotHereError("there is no node on this machine")


def broken(_: Report) -> None:
    raise KeyError("x")


def good(found: Report) -> None:
    found.check(True, "")


def bad(found: Report) -> None:
    found.check(False, "what is wrong")


def test_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    reports = [
        report.run(work.__name__, "1", work) for work in (absent, broken, good, bad, lambda _: None)
    ]
    assert [r.outcome for r in reports] == ["not run", "failed", "passed", "failed", "failed"]
    assert summary(reports) == 1 and summary(reports[2:3]) == 0
    assert "1 of 5 suites passed" in capsys.readouterr().out
    # Not run is no failure, and no pass either.
    assert summary(reports[:1]) == 0
    assert "0 of 1 suites passed" in capsys.readouterr().out
    assert "no node" in reports[0].line() and reports[0].line().startswith("NOT RUN")


def test_the_adl_suite_never_decides() -> None:
    adl = Report("adl-xapi", "1.0.3", "failed")
    assert summary([adl, report.run("good", "1", good)]) == 0
