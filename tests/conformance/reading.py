"""Suites that ask the running instance: JSON cases, calendars, the AsyncAPI document."""

import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import httpx
import icalendar

from tests.conformance.instance import Instance
from tests.conformance.json_cases import cases, event, judge
from tests.conformance.report import Report, run
from tests.conformance.tools import npm_package, program

ASYNCAPI = "3.6.6"
ASYNCAPI_FILE = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"


def json_texts(instance: Instance) -> Report:
    """Every JSON case over HTTP."""

    def work(report: Report) -> None:
        headers = {
            "Authorization": f"Bearer {instance.key}",
            "Content-Type": "application/cloudevents+json",
        }
        with httpx.Client(base_url=instance.activities, headers=headers, trust_env=False) as client:
            for case in cases():
                answer = client.post("/v1/events", content=event(case), timeout=60)
                code = answer.json().get("code") if answer.content else None
                wrong = judge(case, answer.status_code, code)
                report.check(wrong is None, wrong or "")
        report.check(instance.alive(), "a service does not answer any more")

    return run("json", "own corpus", work)


def calendars(instance: Instance) -> Report:
    """The calendar of every plan, read by a foreign library and written by it again."""

    def work(report: Report) -> None:
        headers = {"Authorization": f"Bearer {instance.key}"}
        with httpx.Client(base_url=instance.registry, headers=headers, trust_env=False) as client:
            plans = client.get("/v1/plans", timeout=60).json()["plans"]
            for plan in plans:
                answer = client.get(
                    f"/v1/plans/{plan['id']}/calendar", params={"format": "ics"}, timeout=60
                )
                kind = answer.headers.get("content-type", "")
                report.check(kind.startswith("text/calendar"), f"{plan['id']}: {kind}")
                text = answer.content
                calendar = icalendar.Calendar.from_ical(text)
                events = calendar.walk("VEVENT")
                # A plan without a deadline has an empty calendar.
                report.details[plan["id"]] = len(events)
                report.check(not calendar.errors, f"{plan['id']}: {calendar.errors}")
                for one in events:
                    good = not one.errors and all(one.get(n) for n in ("UID", "DTSTAMP", "DTSTART"))
                    report.check(good, f"{plan['id']}: {one.get('UID')} {one.errors}")
                uids = [str(one["UID"]) for one in events]
                report.check(len(set(uids)) == len(uids), f"{plan['id']}: a UID stands twice")
                # RFC 5545, 3.1: lines end in CRLF and have 75 octets at most.
                lines = text.split(b"\r\n")
                report.check(b"\n" not in b"".join(lines), f"{plan['id']}: bare line ends")
                report.check(max(map(len, lines)) <= 75, f"{plan['id']}: a line is too long")
                again = icalendar.Calendar.from_ical(calendar.to_ical())
                report.check(len(again.walk("VEVENT")) == len(events), f"{plan['id']}: written")

    return run("icalendar", version("icalendar"), work)


_ASYNCAPI = """
const { Parser } = require('@asyncapi/parser');
const text = require('fs').readFileSync(process.argv[2], 'utf8');
new Parser().parse(text).then(({ document, diagnostics }) => {
  console.log(JSON.stringify({ version: document && document.version(), diagnostics }));
});
"""


def asyncapi(_: Instance) -> Report:
    """The AsyncAPI document by its official parser; errors and warnings fail."""

    def work(report: Report) -> None:
        home = npm_package("@asyncapi/parser", ASYNCAPI)
        script = home / "lint.js"
        script.write_text(_ASYNCAPI)
        done = subprocess.run(
            [program("node"), str(script), str(ASYNCAPI_FILE)],
            capture_output=True, text=True, timeout=300, check=True, cwd=home,
            env={**os.environ, "NODE_OPTIONS": ""},
        )  # fmt: skip
        said = json.loads(done.stdout.splitlines()[-1])
        report.details = {"version": said["version"], "diagnostics": len(said["diagnostics"])}
        report.check(said["version"] is not None, "the document is not valid")
        for one in said["diagnostics"]:
            if one["severity"] <= 1:
                where = "/".join(map(str, one.get("path", [])))
                report.check(False, f"{one['code']} at {where}: {one['message']}")

    return run("asyncapi", ASYNCAPI, work)
