"""Posting a file of events, one JSON object a line."""

import json
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any, TextIO

from hocvuso_client import AnswersLost, Direct, HocvusoError
from services.activities.send.run import (
    BATCH_BYTES,
    BATCH_EVENTS,
    Progress,
    SendFailed,
    Summary,
    post,
)


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


def send_stream(
    direct: Direct, path: Path, name: str, results: TextIO, progress: Progress
) -> Summary:
    """Post an NDJSON file as the stream `name`: goes on where an earlier run was cut off.

    A stream's name belongs to one file. Lines whose answers were cut off with the connection are
    posted again as a batch, which gives the same answers and duplicates. Raises SendFailed.
    """
    summary, lost = Summary(), set[int]()
    try:
        for answer in direct.stream(name, path, acks="all"):
            if isinstance(answer, AnswersLost):
                lost |= set(range(answer.first, answer.last + 1))
                continue
            members = {key: value for key, value in answer.result.raw.items() if key != "line"}
            _write(results, summary, answer.line + 1, members)
            if summary.lines % BATCH_EVENTS == 0:
                progress(summary)
    except HocvusoError as error:
        raise SendFailed(f"{error} (run the same command again: it goes on)") from None
    for batch in _batches(
        path, lambda number, why: _write(results, summary, number, _local(why)), lost
    ):
        answers = post(direct, [raw for _, raw in batch], dry_run=False)
        for (number, _), one in zip(batch, answers, strict=True):
            _write(results, summary, number, {k: v for k, v in one.raw.items() if k != "index"})
    return summary


def _batches(
    path: Path, refuse: Callable[[int, str], None], only: Set[int] | None = None
) -> Iterator[list[tuple[int, bytes]]]:
    """Numbered lines in batches; `only`: those with these indexes, which count from 0."""
    if only is not None and not only:
        return
    batch: list[tuple[int, bytes]] = []
    size = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            raw = line.strip()
            if not raw or (only is not None and number - 1 not in only):
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
