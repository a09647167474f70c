"""`hocvuso trace SOURCE ID`: an event's way through the system, with times, from its receipt."""

import os
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import httpx
import typer

from hocvuso_cli.console import AsJson, any_letter, write_json
from hocvuso_cli.language import Lang
from hocvuso_cli.server import KeyFile, ProfileName, Url, server

VIETNAM = timezone(timedelta(hours=7))
Json = dict[str, Any]

_STAGES = (
    ("accepted", "accepted by activities, in the log"),
    ("published", "published to Kafka"),
    ("counted", "counted by metrics"),
    ("visible", "visible in tables"),
)


def trace(
    source: Annotated[str, typer.Argument(help="the event's source")],
    id: Annotated[str, typer.Argument(help="the event's id")],
    metrics_url: Annotated[
        str, typer.Option(help="address of metrics, where it can be reached")
    ] = "",
    profile: ProfileName = None,
    url: Url = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Print when an event was accepted, published, counted and visible, and what it counts for."""
    any_letter()
    to = server(profile, url, key_file)
    receipt: Json = to.ask("GET", "/v1/events", params={"source": source, "id": id}).json()
    refused = receipt["status"] == "rejected"
    address = metrics_url or os.environ.get("HOCVUSO_METRICS_URL", "")
    why = None if refused or not address else _explanation(address, to.key, receipt)
    if as_json:
        write_json({"receipt": receipt, "explanation": why})
        return
    for line in describe(receipt, why):
        print(line)


def describe(receipt: Json, why: Json | None) -> list[str]:
    """The tree as lines. Pure. `why`: what metrics says of the event, if it could be asked."""
    if receipt["status"] == "rejected":
        return _refused(receipt)
    first, last = receipt["position"], receipt["last_position"]
    rows = f"position {first}" if first == last else f"positions {first} to {last}"
    lines = [
        f"{receipt['type']} {receipt['id']}",
        f"  source {receipt['source']}",
        f"  unit {receipt['unit_id']}, happened {receipt['occurred']},"
        f" recorded {receipt['recorded']}, {rows}",
    ]
    if receipt.get("trace_id"):
        lines.append(f"  trace {receipt['trace_id']}")
    lines += _stages(receipt)
    lines += _changes(receipt)
    if receipt["status"] == "parked":
        lines.append("  PARKED: it could not be counted and waits for a person (hocvuso parked)")
    return lines + _counts(why)


def _stages(receipt: Json) -> list[str]:
    """The stages in the order of their times: what is read from the log itself, while the broker is
    away, is counted before it is published."""
    reached = [
        (datetime.fromisoformat(receipt[name]["at"]), text)
        for name, text in _STAGES
        if receipt[name]["reached"]
    ]
    reached[1:] = sorted(reached[1:])
    lines: list[str] = []
    start = before = reached[0][0]
    for depth, (at, text) in enumerate(reached, start=1):
        step = f"  +{_span(before, at)}, {_span(start, at)} in all" if depth > 1 else ""
        moment = f"{at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        lines.append(f"{'  ' * depth}{moment}  {text}{step}")
        before = max(before, at)
    missing = [text for name, text in _STAGES if not receipt[name]["reached"]]
    if missing:
        lines.append(f"{'  ' * (len(reached) + 1)}not yet {missing[0]}")
    return lines


def _changes(receipt: Json) -> list[str]:
    lines = []
    if receipt.get("amends"):
        lines.append(f"  about {receipt['amends']['id']} of {receipt['amends']['source']}")
    if receipt.get("state", "standing") != "standing":
        lines.append(f"  {receipt['state'].upper()}")
    for change in receipt.get("changed_by", ()):
        gone = "" if change["standing"] else ", itself revoked"
        named = f"{change['id']} of {change['source']}" if change["id"] else "of another partner"
        lines.append(f"    by {change['type']} {named}, position {change['position']}{gone}")
    return lines


def _refused(receipt: Json) -> list[str]:
    """What is told of an event that was refused: it waits in the quarantine, not in the log."""
    problem = receipt["problem"]
    at = datetime.fromisoformat(receipt["last_seen"]).astimezone(VIETNAM)
    lines = [
        f"{receipt['type'] or 'event'} {receipt['id']}",
        f"  source {receipt['source']}",
        f"  REFUSED {receipt['times']} times, last {at:%Y-%m-%d %H:%M:%S}: {problem['code']}",
        f"  {problem['detail']} {problem.get('hint', '')}".rstrip(),
        f"  kept: hocvuso quarantine show {receipt['number']}",
    ]
    if receipt.get("trace_id"):
        lines.insert(2, f"  trace {receipt['trace_id']}")
    return lines


def _counts(why: Json | None) -> list[str]:
    if why is None:
        return []
    if not why.get("objectives"):
        return [f"  {why.get('state', 'unknown')}: {why.get('reason') or 'no objective'}"]
    lines = ["  objectives"]
    for entry in why["objectives"]:
        says = "counts" if entry.get("counts") else "counted by another event of the same subject"
        lines.append(f"    {entry.get('plan')} / {entry.get('objective')}: {says}")
    return lines


def _span(start: datetime, end: datetime) -> str:
    # Clocks of two machines may differ by some milliseconds; no stage takes less than no time.
    seconds = max(0.0, (end - start).total_seconds())
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 10 else f"{seconds:.1f} s"


def _explanation(url: str, key: str, receipt: Json) -> Json | None:
    """What metrics says of the event; None where it cannot be asked (the way is shown anyway)."""
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/v1/events/{receipt['position']}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
            trust_env=False,
        )
        return dict(answer.json()) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None
