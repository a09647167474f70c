"""The proof: what a table shows is what was posted, whatever happened on the way.

The tests share one stack and run in this order; each leaves it usable.
"""

import csv
import io
import subprocess
import sys
import time
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest

from tests.e2e.system import DAY_ONE, DAY_TWO, EVENTS, PATIENCE, PLAN, ROOT, UNTIL, System

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
SERIAL = count(1)
COMMUNE = "24133"


def certified(number: str) -> dict[str, Any]:
    """An adult whom nobody else in the course is."""
    return {
        "specversion": "1.0",
        "id": f"e2e-{next(SERIAL)}",
        "source": "https://police.sandbox.example/e2e",
        "type": "vn.hocvuso.citizen.certified",
        "subject": COMMUNE,
        "time": f"{DAY_TWO.isoformat()}T08:00:00+07:00",
        "data": {"person": {"scheme": "cccd", "value": number}, "target_groups": ["worker"]},
    }


def test_every_cell_equals_the_oracle(system: System) -> None:
    table = system.settled()
    assert table["as_of"] == DAY_ONE.isoformat() and len(table["rows"]) == 102
    assert system.differences(table, DAY_ONE) == []
    assert sum(cell["value"] > 0 for row in table["rows"] for cell in row["cells"].values()) > 150


def test_a_stranger_reads_nothing(system: System) -> None:
    """`hocvuso up` asks for a key, of readers too, and says where to get one."""
    for service, path in (
        ("registry", "/v1/plans"),
        ("registry", f"/v1/plans/{PLAN}/table"),
        ("registry", "/v1/units"),
        ("activities", "/v1/log"),
        ("activities", "/v1/events?source=https://x.example&id=1"),
    ):
        answer = system.client.get(system.url(service, path))
        said = answer.json()
        assert (path, answer.status_code, said["code"]) == (path, 401, "key-missing")
        assert "hocvuso keys create" in said["hint"]
    for page in ("/", f"/plans/{PLAN}", "/units"):
        answer = system.client.get(system.url("registry", page))
        assert (page, answer.status_code) == (page, 303)
        assert answer.headers["location"].startswith("/login")
    login = system.client.get(system.url("registry", "/login"))
    assert login.status_code == 200 and 'lang="vi"' in login.text
    with_key = system.client.get(system.url("registry", "/v1/plans"), headers=system.headers)
    assert with_key.status_code == 200 and with_key.json()["plans"]


def test_every_cell_equals_the_oracle_after_kill_9(played: System) -> None:
    table = played.settled()
    log = played.log()
    mine = {(p.event["source"], p.event["id"]) for p in played.course.postings}
    assert mine <= log.keys(), "nothing that was posted is lost"
    assert {day for key, (_, day) in log.items() if key in mine} == {DAY_ONE, DAY_TWO}
    assert played.differences(table, DAY_TWO) == []


@pytest.mark.parametrize("as_of", ["2026-01-31", "2026-03-31", "2026-06-30", "2026-10-12"])
def test_past_days_equal_the_oracle(played: System, as_of: str) -> None:
    table = played.table(as_of=as_of)
    assert played.differences(table, date.fromisoformat(as_of)) == []


@pytest.mark.parametrize("as_of", [DAY_ONE, date(2026, 8, 15), DAY_TWO])
def test_what_was_known_on_day_one_equals_the_oracle(played: System, as_of: date) -> None:
    table = played.table(as_of=as_of.isoformat(), known_at=DAY_ONE.isoformat())
    assert played.differences(table, as_of, DAY_ONE) == []
    assert table["rows"] != played.table(as_of=as_of.isoformat())["rows"], "more is known today"


def test_before_the_first_day_nothing_was_in_operation(played: System) -> None:
    before = (DAY_ONE - timedelta(days=1)).isoformat()
    table = played.table(as_of=before, known_at=before)
    cells = [cell for row in table["rows"] for cell in row["cells"].values()]
    assert cells and {cell["status"] for cell in cells} == {"not_in_operation"}
    assert {cell["value"] for cell in cells} == {None}


def test_an_event_changes_the_right_cell_at_once(played: System) -> None:
    before = _cells(played.settled())
    for number in range(3):
        event = certified(f"06619900000{number}")
        position = played.post_one(event)
        table = played.table(after_position=position, wait=10)
        after = _cells(table)
        changed = {key for key in after if after[key]["value"] != before[key]["value"]}
        objective = "adults-certified-vneid"
        assert changed == {(f"{COMMUNE}@2025", objective), (ROOT, objective)}
        for key in changed:
            assert after[key]["value"] == before[key]["value"] + 1
        before = after
    assert played.differences(played.settled(), DAY_TWO) == []


def _cells(table: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    rows = [table["whole"], *table["rows"]]
    return {(row["unit_id"], name): cell for row in rows for name, cell in row["cells"].items()}


def test_a_receipt_goes_from_accepted_to_visible(played: System) -> None:
    event = certified("066199000010")
    played.post_one(event)
    asked = {"source": event["source"], "id": event["id"]}
    order = ["accepted", "published", "counted", "visible"]
    seen, deadline = [], time.monotonic() + PATIENCE
    while not seen or seen[-1] != "visible":
        answer = played.client.get(
            played.url("activities", "/v1/events"), params=asked, headers=played.headers
        )
        receipt = answer.json()
        seen.append(receipt["status"])
        assert time.monotonic() < deadline, receipt
    assert [order.index(status) for status in seen] == sorted(order.index(s) for s in seen)
    assert all(receipt[stage]["reached"] for stage in order)
    assert receipt["unit_id"] == f"{COMMUNE}@2025" and receipt["recorded"] == DAY_TWO.isoformat()
    assert receipt["accepted"]["at"] <= receipt["counted"]["at"] <= receipt["visible"]["at"]


def test_trace_prints_the_way_of_an_event(played: System) -> None:
    event = certified("066199000011")
    position = played.post_one(event)
    played.table(after_position=position, wait=10)
    time.sleep(1)
    shown = _trace(played, event["source"], event["id"])
    assert shown.returncode == 0, shown.stderr
    for words in ("citizen.certified", f"position {position}", "in the log", "visible in tables"):
        assert words in shown.stdout
    assert "dak-lak-2026 / adults-certified-vneid: counts" in shown.stdout
    assert "dong-nai-2026" not in shown.stdout, "the plan of another province"
    unknown = _trace(played, event["source"], "no-such-event")
    assert unknown.returncode == 1 and "with this source and id" in unknown.stderr


def _trace(played: System, source: str, name: str) -> subprocess.CompletedProcess[str]:
    return _hocvuso(
        *("trace", source, name),
        *("--url", played.stack.urls["activities"]),
        *("--metrics-url", played.stack.urls["metrics"]),
        *("--key-file", str(played.stack.home.admin_key)),
    )


def _hocvuso(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_spans_lead_from_the_post_to_the_query_that_shows_it(played: System) -> None:
    # All lanes are caught up with first: a refresh may count an event before what came earlier in
    # other lanes, and then says a smaller watermark.
    played.table(after_position=played.post_one(certified("066199000013")), wait=60)
    event = certified("066199000012")
    position = played.post_one(event)
    played.table(after_position=position, wait=10)
    asked = {"source": event["source"], "id": event["id"]}
    receipt = played.client.get(
        played.url("activities", "/v1/events"), params=asked, headers=played.headers
    ).json()
    spans = played.collector
    post = spans.wait_for(
        "POST", lambda s: s.trace_id == receipt["trace_id"] and s.name == "POST /v1/events"
    )
    came_from = {
        ("hocvuso-activities", "INSERT activities.log"): "POST",
        ("hocvuso-relay", "send hocvuso.activities.v1"): "POST",
        ("hocvuso-worker", "process hocvuso.activities.v1"): "POST",
        ("hocvuso-worker", "refresh indicators"): "process hocvuso.activities.v1",
        ("hocvuso-registry", "SELECT indicators.cells"): "refresh indicators",
    }
    way = {"POST": post}
    for step, before in came_from.items():
        link = (way[before].trace_id, way[before].span_id)
        way[step[1]] = spans.wait_for(
            f"{step} linked to {before}",
            lambda s, step=step, link=link: step == (s.service, s.name) and link in s.links,
        )
    starts = [span.start for span in way.values()]
    assert starts == sorted(starts)
    assert int(way["refresh indicators"].numbers["hocvuso.watermark"]) >= position


def test_no_span_holds_an_identity(played: System) -> None:
    people = [p.event["data"].get("person") for p in played.course.postings]
    numbers = {str(person["value"]) for person in people if isinstance(person, dict)}
    assert len(numbers) > 100 and len(played.collector.spans) > 100
    text = "\n".join(
        f"{span.name} {value}"
        for span in played.collector.spans
        for value in span.attributes.values()
    )
    assert not [number for number in numbers if number in text]


def test_pages_and_exports_say_that_it_is_a_sandbox(played: System) -> None:
    page = played.client.get(played.url("registry", "/plans/dak-lak-2026"), headers=played.headers)
    assert page.status_code == 200 and "mô phỏng" in page.text.lower()
    export = played.client.get(
        played.url("registry", "/v1/plans/dak-lak-2026/table"),
        params={"format": "csv"},
        headers=played.headers,
    )
    lines = list(csv.reader(io.StringIO(export.content.decode("utf-8-sig"))))
    assert lines[0][0] == "# sandbox" and "MÔ PHỎNG" in lines[0][1]
    assert export.headers["X-Hocvuso-Sandbox"] == "true"
    assert played.table()["sandbox"] is True


def test_simulate_again_changes_nothing(played: System) -> None:
    before, last = played.table()["rows"], played.last_position()
    told = _hocvuso(
        *("simulate", "--plan", PLAN, "--events", str(EVENTS), "--until", UNTIL.isoformat()),
        *("--url", played.stack.urls["activities"]),
        *("--key-file", str(played.stack.home.admin_key)),
    )
    assert told.returncode == 0, told.stderr
    assert " 0 new" in told.stderr and "0 refused" in told.stderr
    assert played.last_position() == last and played.table()["rows"] == before
