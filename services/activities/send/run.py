"""Posting what was read: batches through the partner client, a verdict for every row or line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hocvuso_client import Direct, HocvusoError, Result
from services.activities.send.results import Results, Verdict
from services.activities.send.rows import Made, Rows
from services.activities.send.tables import Table

BATCH_EVENTS = 500
BATCH_BYTES = 8 * 1024 * 1024


@dataclass
class Summary:
    """What became of the lines of a file."""

    lines: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "duplicate": 0, "rejected": 0}
    )
    examples: int = 0
    repeated: int = 0
    warnings: int = 0


class SendFailed(RuntimeError):
    """The service could not be reached or refused the whole request; sending again is safe."""


Progress = Callable[[Summary], None]


def post(direct: Direct, raws: list[bytes], *, dry_run: bool) -> list[Result]:
    """One batch, tried again while the service says so. Raises SendFailed."""
    try:
        return direct.deliver(raws, dry_run=dry_run)
    except HocvusoError as error:
        raise SendFailed(f"{error} (run the same command again: nothing counts twice)") from None


def send_table(
    direct: Direct,
    table: Table,
    rows: Rows,
    results: Results,
    progress: Progress,
    *,
    dry_run: bool = False,
) -> Summary:
    """Post every row of a table; the rest is marked as not sent when SendFailed is raised."""
    summary, failed = Summary(), None
    try:
        for batch in _batches(table, rows):
            raws = [made.raw for made in batch if made.raw is not None]
            answers: Iterator[Result] = iter(())
            if raws and failed is None:
                try:
                    answers = iter(post(direct, raws, dry_run=dry_run))
                except SendFailed as error:
                    failed = error
            for made in batch:
                verdict = _verdict(made, answers, summary, dry_run, failed is not None)
                results.add(made.cells, verdict)
            progress(summary)
    finally:
        results.close()
    if failed is not None:
        raise failed
    return summary


def _batches(table: Table, rows: Rows) -> Iterator[list[Made]]:
    batch: list[Made] = []
    size = 0
    for number, cells in table.rows():
        made = rows.make(number, cells)
        length = len(made.raw or b"") + 1
        if batch and (len(batch) >= BATCH_EVENTS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(made)
        size += length
    if batch:
        yield batch


def _verdict(
    made: Made, answers: Iterator[Result], summary: Summary, dry_run: bool, failed: bool
) -> Verdict:
    """What to tell about a row, counted."""
    if made.example:
        summary.examples += 1
        return Verdict(made.number, "example", text="An example row; it is not sent.")
    summary.lines += 1
    summary.repeated += bool(made.notes)
    if made.raw is None:
        summary.counts["rejected"] += 1
        return Verdict(made.number, "rejected", text=" ".join(made.faults))
    if failed:
        return Verdict(made.number, "not sent", None, made.id, "Send the file again.")
    result = next(answers)
    summary.counts[result.status] += 1
    summary.warnings += bool(result.warnings)
    notes = [*made.notes, *result.warnings]
    if result.problem is not None:
        notes.insert(0, str(result.problem))
        if result.problem.code == "event-conflict":
            notes.append(
                "This id was sent before with other content. To correct it, send an event.corrected"
                " that names the source and this id."
            )
    status = "would be accepted" if dry_run and result.status == "accepted" else result.status
    position = None if dry_run and result.status == "accepted" else result.position
    return Verdict(made.number, status, position, made.id, " ".join(notes))
