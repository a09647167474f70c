"""One run of `hocvuso send`: what it was asked to do, how far it is, what it says at its end."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from hocvuso_cli.console import fail, note, write_json
from hocvuso_cli.interrupt import Interrupt
from hocvuso_cli.language import say
from hocvuso_cli.progress import Progress
from hocvuso_cli.send import words
from hocvuso_cli.send.run import SendFailed, Summary
from hocvuso_cli.server import Server


@dataclass(frozen=True)
class Job:
    """What to do with a file."""

    file: Path
    server: Server
    dry_run: bool
    as_json: bool
    interrupt: Interrupt
    type_name: str | None = None
    explicit: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    given: dict[str, str] = field(default_factory=dict)
    source: str | None = None
    id_secret: Path | None = None
    each: bool = False
    skip_hidden: bool = False
    stream: str | None = None


class Report:
    """Progress with a total, on standard error; nothing with --json."""

    def __init__(self, job: Job, total: int) -> None:
        self._progress = None if job.as_json else Progress(total)

    def __call__(self, summary: Summary) -> None:
        if self._progress is not None:
            self._progress(summary.done)

    def end(self) -> None:
        if self._progress is not None:
            self._progress.end()


def finish(job: Job, summary: Summary, out: Path, failed: SendFailed | None) -> None:
    """Say what became of the file; the exit code."""
    if job.as_json:
        about: dict[str, Any] = {
            "file": str(job.file), "results": str(out), "dry_run": job.dry_run,
            "lines": summary.lines, **summary.counts, "examples": summary.examples,
            "repeated": summary.repeated, "warnings": summary.warnings,
            "skipped": summary.skipped, "complete": failed is None,
            "error": str(failed) if failed else None,
        }  # fmt: skip
        write_json(about)
    else:
        _tell(job, summary, out)
    if failed is not None and failed.cause is None:
        note(
            say(
                vi="Đã dừng. Những gì đã gửi được giữ; gửi lại đúng tệp này sẽ gửi nốt phần còn lại"
                " và không tính hai lần (mã dòng được tạo từ nội dung).",
                en="Stopped. What was sent is kept; send the same file again for the rest: nothing"
                " counts twice, since ids are made from the content.",
            )
        )
        raise typer.Exit(130)
    if failed is not None:
        note(
            say(
                vi=f"Chưa gửi hết: {failed}\nHãy chạy lại đúng lệnh này: không tính hai lần.",
                en=f"Not all was sent: {failed}\nRun the same command again: nothing counts twice.",
            )
        )
        raise typer.Exit(1)
    if summary.counts["rejected"]:
        raise typer.Exit(2)


def _tell(job: Job, summary: Summary, out: Path) -> None:
    found = words.counts(summary.counts)
    print(say(vi=f"{summary.lines} dòng: {found}", en=f"{summary.lines} lines: {found}"))
    n = summary
    for number, vi, en in (
        (n.examples, "dòng ví dụ, không gửi", "example rows, not sent"),
        (n.skipped, "dòng ẩn, không gửi", "hidden rows, not sent"),
        (n.repeated, f"dòng trùng dòng khác, chỉ tính một: xem {out.name}",
         f"rows repeat another row and count once: see {out.name}"),
        (n.warnings, f"dòng đã nhận nhưng có điểm lạ: xem {out.name}",
         f"rows look odd though they were taken: see {out.name}"),
    ):  # fmt: skip
        if number:
            print(f"{number} {say(vi=vi, en=en)}")
    if job.dry_run:
        print(say(vi="chạy thử: chưa ghi gì", en="dry run: nothing was written"))
    print(say(vi=f"kết quả: {out}", en=f"results: {out}"))


def pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """NAME=VALUE; for --map the last = divides, since a header may hold one."""
    found = {}
    for text in texts or []:
        cut = text.rpartition("=") if option == "--map" else text.partition("=")
        if not cut[0] or not cut[1]:
            fail(
                say(
                    vi=f"{option} {text!r}: hãy ghi TÊN=GIÁ_TRỊ.",
                    en=f"{option} {text!r}: write NAME=VALUE.",
                )
            )
        found[cut[0].strip()] = cut[2].strip()
    return found
