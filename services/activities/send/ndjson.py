"""Posting a file of events, one JSON object a line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from hocvuso_client import Direct
from services.activities.send.run import BATCH_BYTES, BATCH_EVENTS, Progress, Summary, post


def send_file(
    direct: Direct, path: Path, results: TextIO, progress: Progress, *, dry_run: bool = False
) -> Summary:
    """Post an NDJSON file of CloudEvents; a line of `results` per event. Raises SendFailed.

    Safe to run again: what was written already is answered as a duplicate.
    """
    summary = Summary()
    for batch in _batches(path, lambda number, why: _write(results, summary, number, _local(why))):
        answers = post(direct, [raw for _, raw in batch], dry_run=dry_run)
        for (number, _), answer in zip(batch, answers, strict=True):
            members = {key: value for key, value in answer.raw.items() if key != "index"}
            _write(results, summary, number, members)
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
