"""`make test-conformance`: every foreign suite against an instance of our own, and a report each.

    python -m tests.conformance [SUITE ...]

A suite that cannot be had on this machine says so and is not counted as passed. Reports lie in
build/conformance. The exit code is 1 when a suite failed; the ADL suite never changes it.
"""

import sys
from collections.abc import Callable

from tests.conformance import adl, cloudevents, openapi, reading
from tests.conformance.instance import Instance, running
from tests.conformance.report import FOLDER, Report

PORT = 8_400
SUITES: dict[str, Callable[[Instance], Report]] = {
    "json": reading.json_texts,
    "icalendar": reading.calendars,
    "asyncapi": reading.asyncapi,
    "redocly": openapi.lint,
    "cloudevents-python": cloudevents.python,
    "cloudevents-javascript": cloudevents.javascript,
    "cloudevents-java": cloudevents.java,
    "schemathesis-metrics": lambda instance: openapi.fuzz(instance, "metrics"),
    "schemathesis-registry": lambda instance: openapi.fuzz(instance, "registry"),
    "schemathesis-activities": lambda instance: openapi.fuzz(instance, "activities"),
    "adl-xapi": adl.suite,
}
NEVER_GREEN = frozenset({"adl-xapi"})


def main() -> int:
    """Run the suites that are named, or all; the exit code."""
    names = sys.argv[1:] or list(SUITES)
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"no such suite: {', '.join(unknown)}. There are: {', '.join(SUITES)}")
        return 2
    print("starting an instance", flush=True)
    reports = []
    with running(PORT) as instance:
        for name in names:
            report = SUITES[name](instance)
            reports.append(report)
            print(report.line(), flush=True)
            for failure in report.failures[:10]:
                print(f"           {failure[:200]}", flush=True)
    return summary(reports)


def summary(reports: list[Report]) -> int:
    """How many passed of how many; the exit code."""
    counted = [report for report in reports if report.suite not in NEVER_GREEN]
    by = {
        word: [r.suite for r in counted if r.outcome == word]
        for word in ("passed", "failed", "not run")
    }
    print(f"{len(by['passed'])} of {len(counted)} suites passed; reports in {FOLDER}")
    for word in ("failed", "not run"):
        if by[word]:
            print(f"{word}: {', '.join(by[word])}")
    return 1 if by["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
