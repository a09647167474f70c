"""The ADL xAPI 1.0.3 suite, from a checkout that the caller names: HOCVUSO_ADL_SUITE=DIRECTORY.

It is reported and never part of a green run: it asks for parts of xAPI that hocvuso does not offer
(docs/xapi.md); its cases that matter here are own tests.
"""

import os
import re
import subprocess
from pathlib import Path

from tests.conformance.instance import Instance
from tests.conformance.report import FOLDER, NotHereError, Report, run
from tests.conformance.tools import program

VARIABLE = "HOCVUSO_ADL_SUITE"
RUN_S = 3_600
_SUM = re.compile(r"(passing|failing|pending)\s+(\d+)|(\d+)\s+(passing|failing|pending)")


def suite(instance: Instance) -> Report:
    """Run the checkout's own runner against the instance; its log lies beside the reports."""

    def work(report: Report) -> None:
        named = os.environ.get(VARIABLE)
        if not named:
            raise NotHereError(f"no checkout is named: {VARIABLE}=DIRECTORY")
        home = Path(named)
        script = home / "bin" / "console_runner.js"
        if not script.exists():
            raise NotHereError(f"{home} holds no bin/console_runner.js")
        done = subprocess.run(
            [program("node"), str(script), "-e", f"{instance.activities}/xapi", "-a", "-u", "suite",
             "-p", instance.key, "-x", "1.0.3"],
            cwd=home, capture_output=True, text=True, timeout=RUN_S, check=False,
        )  # fmt: skip
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "adl-xapi.txt").write_text(done.stdout + done.stderr)
        counts: dict[str, int] = {}
        for found in _SUM.finditer(done.stdout):
            word, number = found[1] or found[4], int(found[2] or found[3])
            counts[word] = max(counts.get(word, 0), number)
        report.details = dict(counts)
        report.cases = sum(counts.values())
        report.failures = [f"see adl-xapi.txt: {counts.get('failing', 0)} failing"]
        report.outcome = "failed" if counts.get("failing") or done.returncode else "passed"

    return run("adl-xapi", "1.0.3", work)
