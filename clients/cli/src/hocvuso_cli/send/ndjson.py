"""Posting a file of events, one JSON object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from hocvuso_cli.interrupt import Interrupt
from hocvuso_cli.send.lines import PLACEHOLDER, Line, read_lines
from hocvuso_cli.send.run import BATCH_BYTES, BATCH_EVENTS, Report, SendFailed, Summary, post
from hocvuso_client import AnswersLost, Direct, HocvusoError

Json = dict[str, Any]


def send_file(
    direct: Direct,
    path: Path,
    results: TextIO,
    report: Report,
    interrupt: Interrupt,
    *,
    dry_run: bool = False,
) -> Summary:
    """Post an NDJSON file of CloudEvents; a line of `results` per event.

    Raises SendFailed, with the summary so far. Safe to run again: what was written already is
    answered as a duplicate.
    """
    summary = Summary()
    _send(direct, read_lines(path), results, summary, report, interrupt, dry_run=dry_run)
    return summary


def send_stream(
    direct: Direct,
    path: Path,
    name: str,
    results: TextIO,
    report: Report,
    interrupt: Interrupt,
) -> Summary:
    """Post an NDJSON file as the stream `name`: goes on where an earlier run was cut off.

    A stream's name belongs to one file. Lines whose answers were cut off with the connection are
    posted again as a batch, which gives the same answers and duplicates. Raises SendFailed.
    """
    summary, lost, wrong = Summary(), set[int](), dict[int, Json]()
    try:
        with interrupt.may_raise():
            for answer in direct.stream(name, _as_stream(path, wrong), acks="all"):
                if isinstance(answer, AnswersLost):
                    lost |= set(range(answer.first + 1, answer.last + 2))
                    continue
                number = answer.line + 1
                members = {k: v for k, v in answer.result.raw.items() if k != "line"}
                if number in wrong:
                    members = {**_refused(wrong[number]), "status": members["status"]}
                _write(results, summary, number, members)
                report(summary)
    except KeyboardInterrupt:
        raise SendFailed(None, summary) from None
    except HocvusoError as error:
        raise SendFailed(error, summary) from None
    again = (line for line in read_lines(path) if line.number in lost) if lost else iter(())
    _send(direct, again, results, summary, report, interrupt)
    return summary


def _send(
    direct: Direct,
    lines: Iterator[Line],
    results: TextIO,
    summary: Summary,
    report: Report,
    interrupt: Interrupt,
    *,
    dry_run: bool = False,
) -> None:
    for batch in _batches(lines):
        good = [line.raw for line in batch if line.problem is None]
        try:
            answers = iter(post(direct, good, interrupt, dry_run=dry_run))
        except SendFailed as failed:
            raise SendFailed(failed.cause, summary) from None
        for line in batch:
            if line.problem is not None:
                _write(results, summary, line.number, _refused(line.problem))
                continue
            members = {k: v for k, v in next(answers).raw.items() if k != "index"}
            _write(results, summary, line.number, members)
        results.flush()
        report(summary)


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        if not line.raw and line.problem is None:
            continue
        if batch and (len(batch) >= BATCH_EVENTS or size + len(line.raw) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.raw) + 1
    if batch:
        yield batch


def _as_stream(path: Path, wrong: dict[int, Json]) -> Iterator[bytes]:
    """All lines for a stream, which counts them: unreadable ones hold their place."""
    for line in read_lines(path):
        if line.problem is not None:
            wrong[line.number] = line.problem
        yield PLACEHOLDER if line.problem is not None else line.raw


def _refused(problem: Json) -> Json:
    return {
        "source": None,
        "id": None,
        "status": "rejected",
        "position": None,
        "problem": problem,
    }


def _write(results: TextIO, summary: Summary, number: int, result: Json) -> None:
    summary.lines += 1
    summary.counts[result["status"]] += 1
    results.write(json.dumps({"line": number, **result}, ensure_ascii=False) + "\n")
