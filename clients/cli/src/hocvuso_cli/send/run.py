"""Posting what was read: batches through the partner client, a verdict for every row or line."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hocvuso_cli.interrupt import Interrupt
from hocvuso_cli.language import say
from hocvuso_cli.send import words
from hocvuso_cli.send.columns import Layout
from hocvuso_cli.send.results import Results, Verdict
from hocvuso_cli.send.rows import Made, Rows
from hocvuso_cli.send.tables import Table
from hocvuso_client import Direct, HocvusoError, ProblemError, Result
from hocvuso_client.engine import POISON

BATCH_EVENTS = 500
BATCH_BYTES = 8 * 1024 * 1024


@dataclass
class Summary:
    """What became of the lines of a file; `done` counts those that needed nothing, too."""

    lines: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "duplicate": 0, "rejected": 0}
    )
    examples: int = 0
    repeated: int = 0
    warnings: int = 0
    skipped: int = 0

    @property
    def done(self) -> int:
        """Lines that were dealt with, whatever became of them."""
        return self.lines + self.examples + self.skipped


class SendFailed(RuntimeError):
    """Not all was sent: the service could not be reached or refused the whole request (`cause`), or
    the sender stopped it (no cause). Sending again is safe."""

    def __init__(self, cause: HocvusoError | None, summary: Summary | None = None) -> None:
        super().__init__(str(cause) if cause else "stopped")
        self.cause = cause
        self.summary = summary


Report = Callable[[Summary], None]


def post(direct: Direct, raws: list[bytes], interrupt: Interrupt, *, dry_run: bool) -> list[Result]:
    """One batch, tried again while the service says so; an event that spoils the whole request is
    found and refused alone. Raises SendFailed."""
    if interrupt.asked:
        raise SendFailed(None)
    if not raws:
        return []
    try:
        with interrupt.may_raise():
            return direct.deliver(raws, dry_run=dry_run)
    except KeyboardInterrupt:
        raise SendFailed(None) from None
    except ProblemError as error:
        if error.status not in POISON:
            raise SendFailed(error) from None
        if len(raws) == 1:
            return [Result(None, None, "rejected", None, error, raw=_raw(error))]
    except HocvusoError as error:
        raise SendFailed(error) from None
    half = len(raws) // 2
    first = post(direct, raws[:half], interrupt, dry_run=dry_run)
    return first + post(direct, raws[half:], interrupt, dry_run=dry_run)


def _raw(error: ProblemError) -> dict[str, object]:
    """As a batch would have answered for the event alone."""
    return {
        "source": None,
        "id": None,
        "status": "rejected",
        "position": None,
        "problem": error.body,
    }


def send_table(
    direct: Direct,
    table: Table,
    layout: Layout,
    rows: Rows,
    results: Results,
    report: Report,
    interrupt: Interrupt,
    *,
    dry_run: bool = False,
    skip_hidden: bool = False,
) -> Summary:
    """Post every row of a table; the rest is marked as not sent when SendFailed is raised."""
    summary, failed = Summary(), None
    try:
        for batch in _batches(table, rows, skip_hidden=skip_hidden):
            raws = [made.raw for made in batch if made.raw is not None]
            answers: Iterator[Result] = iter(())
            if raws and failed is None:
                try:
                    answers = iter(post(direct, raws, interrupt, dry_run=dry_run))
                except SendFailed as error:
                    failed = SendFailed(error.cause, summary)
            for made in batch:
                verdict = _verdict(made, layout, answers, summary, dry_run, failed is not None)
                results.add(made.cells, verdict)
            report(summary)
    finally:
        results.close()
    if failed is not None:
        raise failed
    return summary


def _batches(table: Table, rows: Rows, *, skip_hidden: bool) -> Iterator[list[Made]]:
    batch: list[Made] = []
    size = 0
    for number, cells in table.rows():
        if skip_hidden and table.is_hidden(number):
            made = Made(number, cells, skipped=True)
        else:
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
    made: Made,
    layout: Layout,
    answers: Iterator[Result],
    summary: Summary,
    dry_run: bool,
    failed: bool,
) -> Verdict:
    """What to tell about a row, counted."""
    if made.example:
        summary.examples += 1
        text = say(vi="Dòng ví dụ, không gửi.", en="An example row; it is not sent.")
        return Verdict(made.number, "example", text=text)
    if made.skipped:
        summary.skipped += 1
        text = say(vi="Dòng đang bị ẩn, không gửi.", en="A hidden row; it is not sent.")
        return Verdict(made.number, "not sent", text=text)
    summary.lines += 1
    summary.repeated += bool(made.notes)
    if made.raw is None:
        summary.counts["rejected"] += 1
        return Verdict(made.number, "rejected", text=" ".join(made.faults))
    if failed:
        text = say(vi="Hãy gửi lại tệp này.", en="Send the file again.")
        return Verdict(made.number, "not sent", None, made.id, text)
    result = next(answers)
    summary.counts[result.status] += 1
    summary.warnings += bool(result.warnings)
    notes = [*made.notes, *result.warnings]
    if result.problem is not None:
        notes.insert(0, words.problem(result.problem, layout))
        if result.problem.code == "event-conflict":
            notes.append(
                say(
                    vi="Mã dòng này đã gửi trước đây với nội dung khác. Muốn đính chính, hãy gửi"
                    " event.corrected nêu nguồn và mã này.",
                    en="This id was sent before with other content. To correct it, send an"
                    " event.corrected that names the source and this id.",
                )
            )
    status = "would be accepted" if dry_run and result.status == "accepted" else result.status
    position = None if dry_run and result.status == "accepted" else result.position
    return Verdict(made.number, status, position, made.id, " ".join(notes))
