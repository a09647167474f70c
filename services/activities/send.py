"""Posting a file of events through the public API: batches, retries, a result for every line."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import httpx

BATCH_EVENTS = 500
BATCH_BYTES = 8 * 1024 * 1024
TRIES = 8


@dataclass
class Summary:
    """What became of the lines of a file."""

    lines: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "duplicate": 0, "rejected": 0}
    )


class SendFailed(RuntimeError):
    """The service could not be reached or refused the whole request; sending again is safe."""


def send_file(
    client: httpx.Client, path: Path, results: TextIO, progress: Callable[[Summary], None]
) -> Summary:
    """Post an NDJSON file of CloudEvents; a line of `results` per event. Raises SendFailed.

    Safe to run again: what was written already is answered as a duplicate.
    """
    summary = Summary()
    for batch in _batches(path, lambda number, why: _write(results, summary, number, _local(why))):
        answer = _post(client, b"[" + b",".join(raw for _, raw in batch) + b"]")
        for (number, _), result in zip(batch, answer["results"], strict=True):
            result.pop("index", None)
            _write(results, summary, number, result)
        progress(summary)
    return summary


def _batches(path: Path, refuse: Callable[[int, str], None]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    size = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            raw = line.strip()
            if not raw:
                continue
            try:
                json.loads(raw)
            except (ValueError, RecursionError):
                # One line that is no JSON would spoil the batch around it.
                refuse(number, "The line is not JSON.")
                continue
            if batch and (len(batch) >= BATCH_EVENTS or size + len(raw) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((number, raw))
            size += len(raw) + 1
    if batch:
        yield batch


def _post(client: httpx.Client, body: bytes) -> dict[str, Any]:
    """One batch, retried while the service says so. Raises SendFailed."""
    why = ""
    for attempt in range(TRIES):
        wait = min(0.5 * 2**attempt, 20.0)
        try:
            answer = client.post(
                "/v1/events",
                content=body,
                headers={"Content-Type": "application/cloudevents-batch+json"},
            )
        except httpx.TransportError as error:
            why = f"{type(error).__name__} at {client.base_url}"
        else:
            if answer.status_code == 200:
                return dict(answer.json())
            problem = _problem(answer)
            why = f"{problem.get('code', answer.status_code)}: {problem.get('detail', '')}"
            if answer.status_code not in (408, 429, 502, 503, 504):
                raise SendFailed(f"{why} {problem.get('hint', '')}".strip())
            wait = float(answer.headers.get("retry-after", wait))
        if attempt + 1 < TRIES:
            time.sleep(wait)
    raise SendFailed(f"{why} (given up after {TRIES} tries; run the same command again)")


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        return dict(answer.json())
    except (ValueError, TypeError):
        return {}


def _local(detail: str) -> dict[str, Any]:
    return {
        "source": None,
        "id": None,
        "status": "rejected",
        "position": None,
        "problem": {"code": "json-invalid", "detail": detail, "hint": "One JSON event a line."},
    }


def _write(results: TextIO, summary: Summary, number: int, result: dict[str, Any]) -> None:
    summary.lines += 1
    summary.counts[result["status"]] += 1
    results.write(json.dumps({"line": number, **result}, ensure_ascii=False) + "\n")
