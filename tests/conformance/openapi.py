"""The OpenAPI documents: fuzzed by schemathesis, all checks, and linted by Redocly."""

import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import httpx

from tests.conformance.instance import Instance
from tests.conformance.report import FOLDER, Report, run
from tests.conformance.tools import npm_package, python_tool

SCHEMATHESIS = "4.32.5"
REDOCLY = "2.77.0"
EXAMPLES = int(os.environ.get("HOCVUSO_CONFORMANCE_EXAMPLES", "20"))
"""Generated requests per operation; more find more and take longer."""

SEED = 20260701
FUZZ_S = 1_800

SKIPPED = ("/v1/keys/{prefix}", "/v1/quotas/{partner}")
"""Operations that would take the suite's own key or quota away."""


def fuzz(instance: Instance, service: str) -> Report:
    """A report for one document; `work` of `report.run` for schemathesis."""

    def work(report: Report) -> None:
        scripts = python_tool("schemathesis", SCHEMATHESIS)
        FOLDER.mkdir(parents=True, exist_ok=True)
        junit = FOLDER / f"schemathesis-{service}.xml"
        junit.unlink(missing_ok=True)
        url = instance.services()[service]
        excluded = [word for path in SKIPPED for word in ("--exclude-path", path)]
        done = subprocess.run(
            [str(scripts / "schemathesis"), "--config-file",
             str(Path(__file__).with_name("schemathesis.toml")), "run", f"{url}/openapi.json", "--checks", "all",
             "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--generation-deterministic",
             "-H", f"Authorization: Bearer {instance.key}", "--request-timeout", "60",
             "--continue-on-failure", "--suppress-health-check", "all", *excluded,
             "--report", "junit", "--report-junit-path", str(junit)],
            capture_output=True, text=True, timeout=FUZZ_S, check=False, cwd=FOLDER,
            env={**os.environ, "NO_PROXY": "127.0.0.1", "SCHEMATHESIS_HOOKS": ""},
        )  # fmt: skip
        (FOLDER / f"schemathesis-{service}.txt").write_text(done.stdout + done.stderr)
        if not junit.exists():
            raise RuntimeError((done.stdout + done.stderr).strip()[-250:])
        for case in ET.parse(junit).getroot().iter("testcase"):
            wrong = [*case.iter("failure"), *case.iter("error")]
            report.check(not wrong, f"{case.get('name')}: {_titles(wrong)}")
        report.check(instance.alive(), "a service does not answer any more")

    return run(f"schemathesis-{service}", SCHEMATHESIS, work)


def _titles(found: list[ET.Element]) -> str:
    text = " ".join(filter(None, (one.get("message") or one.text for one in found)))
    titles = re.findall(r"^\s*- (.+)$", text, re.MULTILINE)
    return "; ".join(dict.fromkeys(titles)) or text[:300]


def lint(instance: Instance) -> Report:
    """All three documents by Redocly's recommended rules; errors fail."""

    def work(report: Report) -> None:
        home = npm_package("@redocly/cli", REDOCLY)
        rules = Path(__file__).with_name("redocly.yaml")
        for service, url in instance.services().items():
            document = httpx.get(f"{url}/openapi.json", timeout=30, trust_env=False).content
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / f"{service}.json"
                file.write_bytes(document)
                done = subprocess.run(
                    [str(home / "node_modules" / ".bin" / "redocly"), "lint", str(file),
                     "--config", str(rules), "--format", "stylish"],
                    capture_output=True, text=True, timeout=300, check=False,
                    env={**os.environ, "REDOCLY_TELEMETRY": "off", "CI": "1"},
                )  # fmt: skip
            report.check(done.returncode == 0, f"{service}: {done.stdout[-1500:]}")

    return run("redocly", REDOCLY, work)
