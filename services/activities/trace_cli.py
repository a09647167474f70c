"""`hocvuso trace SOURCE ID`: an event's way through the system, with times, from its receipt."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from shared.clock import VIETNAM
from shared.settings import CommonSettings, key_in

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
    url: Annotated[str, typer.Option(help="address of activities")] = "",
    metrics_url: Annotated[str, typer.Option(help="address of metrics")] = "",
    key_file: Annotated[Path | None, typer.Option(help="file with a key")] = None,
) -> None:
    """Print when an event was accepted, published, counted and visible, and what it counts for."""
    settings = CommonSettings()
    address = url or settings.activities_url
    headers = {"Authorization": f"Bearer {_key(key_file, settings)}"}
    with httpx.Client(headers=headers, timeout=10, trust_env=False) as client:
        answer = _get(client, f"{address}/v1/events", {"source": source, "id": id})
        if answer.status_code != 200:
            _fail(_problem(answer, f"{address} answered {answer.status_code}"))
        receipt: Json = answer.json()
        refused = receipt["status"] == "rejected"
        address = metrics_url or settings.metrics_url
        why = None if refused else _explanation(client, address, receipt)
    for line in describe(receipt, why):
        typer.echo(line)


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
    before: datetime | None = None
    start: datetime | None = None
    for depth, (name, text) in enumerate(_STAGES, start=1):
        indent = "  " * depth
        stage = receipt[name]
        if not stage["reached"]:
            lines.append(f"{indent}not yet {text}")
            break
        at = datetime.fromisoformat(stage["at"])
        start = start or at
        step = f"  +{_span(before, at)}, {_span(start, at)} in all" if before else ""
        lines.append(
            f"{indent}{at.astimezone(VIETNAM):%Y-%m-%d %H:%M:%S.%f}"[:-3] + f"  {text}{step}"
        )
        before = at
    if receipt["status"] == "parked":
        lines.append("  PARKED: it could not be counted and waits for a person (hocvuso parked)")
    return lines + _counts(why)


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
    seconds = (end - start).total_seconds()
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 10 else f"{seconds:.1f} s"


def _explanation(client: httpx.Client, url: str, receipt: Json) -> Json | None:
    """What metrics says of the event; None where it cannot be asked (the way is shown anyway)."""
    try:
        answer = client.get(f"{url}/v1/events/{receipt['position']}")
        return dict(answer.json()) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None


def _get(client: httpx.Client, url: str, params: Json) -> httpx.Response:
    try:
        return client.get(url, params=params)
    except httpx.HTTPError as error:
        _fail(f"{url} does not answer ({type(error).__name__}). Fix: hocvuso up, or give --url.")


def _problem(answer: httpx.Response, otherwise: str) -> str:
    try:
        problem = answer.json()
        return f"{problem['detail']} {problem.get('hint', '')}".strip()
    except (ValueError, KeyError):
        return otherwise


def _key(file: Path | None, settings: CommonSettings) -> str:
    home = Path(os.environ.get("HOCVUSO_HOME") or ".hocvuso")
    for candidate in (file, settings.admin_key_file, home / "admin.key"):
        if candidate is not None and candidate.exists():
            return key_in(candidate)
    _fail("no key to read receipts with. Fix: name its file with --key-file.")


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)
