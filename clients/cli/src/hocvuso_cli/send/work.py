"""What `hocvuso send` does with a file, once its options are read."""

from contextlib import closing
from pathlib import Path
from typing import TextIO

from hocvuso_cli.console import fail, note, write_json
from hocvuso_cli.language import say
from hocvuso_cli.send import mapping, ndjson, results
from hocvuso_cli.send.columns import SOURCE, Layout, types
from hocvuso_cli.send.job import Job, Report
from hocvuso_cli.send.known import layout_of
from hocvuso_cli.send.lines import count_lines
from hocvuso_cli.send.rows import Rows, read_secret
from hocvuso_cli.send.run import SendFailed, Summary, send_table
from hocvuso_cli.send.sniff import TableError
from hocvuso_cli.send.tables import Table, open_table
from hocvuso_cli.send.template import write_template
from hocvuso_cli.send.written import Written


def make_template(type_name: str, out: Path | None, *, as_json: bool) -> None:
    about = layout_of(type_name)
    target = out or Path(f"{about.type}.xlsx")
    if target.exists():
        fail(
            say(
                vi=f"Đã có tệp {target}, có thể đang được điền. Hãy chọn tên khác bằng --out.",
                en=f"{target} is there already; it may be filled in. Name another one with --out.",
            )
        )
    try:
        write_template(about, types()[about.type]["example"], target)
    except ValueError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{target}: {error.strerror}")
    if as_json:
        write_json({"type": about.type, "file": str(target)})
        return
    print(
        say(
            vi=f"bảng điền cho {about.type} ({about.title_vi}): {target}",
            en=f"template for {about.type} ({about.title_vi}): {target}",
        )
    )


def send_lines(job: Job) -> tuple[Summary, Path, SendFailed | None]:
    """Post NDJSON."""
    end = "dry-run" if job.dry_run else "results"
    out = job.file.with_name(f"{job.file.name}.{end}.ndjson")
    report = Report(job, count_lines(job.file))
    direct = job.server.direct()
    # A stream that goes on adds to the results of the run before.
    again = job.stream is not None
    with closing(direct), _results(out, again=again) as opened:
        try:
            if job.stream is None:
                summary = ndjson.send_file(
                    direct, job.file, opened, report, job.interrupt, dry_run=job.dry_run
                )
            else:
                summary = ndjson.send_stream(
                    direct, job.file, job.stream, opened, report, job.interrupt
                )
        except SendFailed as failed:
            return failed.summary or Summary(), out, failed
        finally:
            report.end()
    return summary, out, None


def send_rows(job: Job) -> tuple[Summary, Path, SendFailed | None]:
    """Post a table."""
    try:
        table, about, mapped, defaults = _understand(job)
    except (TableError, mapping.MappingError) as error:
        fail(str(error))
    source = job.source or job.server.source
    if source is None and SOURCE not in mapped.targets:
        source = job.server.only_source(None)
    secret = read_secret(job.id_secret or mapping.config_dir() / "ids.secret")
    written = Written(mapping.config_dir() / "results.json")
    out = written.free(results.beside(table, job.dry_run))
    rows = Rows(about, table.headers, mapped.targets, defaults, source, secret, each=job.each)
    report = Report(job, table.count())
    try:
        with closing(job.server.direct()) as direct:
            summary = send_table(
                direct, table, about, rows, results.open_results(table, mapped.targets, out), report,
                job.interrupt, dry_run=job.dry_run, skip_hidden=job.skip_hidden,
            )  # fmt: skip
    except TableError as error:
        fail(str(error))
    except SendFailed as failed:
        if out.exists():
            written.keep(out)
        return failed.summary or Summary(), out, failed
    except PermissionError:
        fail(
            say(
                vi=f"Không ghi được {out.name}: có lẽ tệp đang mở trong Excel. Hãy đóng rồi gửi"
                " lại; gửi lại chỉ tính một lần.",
                en=f"{out.name} cannot be written; it may be open in Excel. Close it and send again:"
                " nothing counts twice.",
            )
        )
    finally:
        report.end()
    written.keep(out)
    return summary, out, None


def _understand(job: Job) -> tuple[Table, Layout, mapping.Mapped, dict[str, str]]:
    """The table of a file and what its columns are. Raises TableError, MappingError."""
    table = open_table(job.file)
    found = job.type_name or table.type
    if found is None:
        fail(
            say(
                vi="Các dòng là loại sự kiện nào? Hãy ghi --type LOẠI (bảng điền .xlsx tự biết).",
                en="Which type are the rows? Say --type TYPE (templates in .xlsx know it).",
            )
        )
    about = layout_of(found)
    if table.type not in (None, about.type):
        fail(
            say(
                vi=f"Tệp là bảng điền cho {table.type}, không phải cho {about.type}.",
                en=f"The file is a template for {table.type}, not for {about.type}.",
            )
        )
    table = table.headed(mapping.knows(about, [*job.explicit, *job.ignored]))
    memory = mapping.Memory(mapping.config_dir() / "mappings.json")
    mapped = mapping.resolve(
        about,
        table.headers,
        explicit=job.explicit,
        ignored=job.ignored,
        remembered=memory.recall(about.type, table.headers),
        given=job.given,
    )
    defaults = mapping.targets_of(about, job.given)
    memory.keep(about.type, table.headers, mapped.targets)
    _show_mapping(job, table, about, mapped)
    return table, about, mapped, defaults


def _show_mapping(job: Job, table: Table, about: Layout, mapped: mapping.Mapped) -> None:
    """Which column was taken for what: the reader's chance to stop a mistake."""
    if not job.as_json:
        again = say(vi=" (các cột như lần trước)", en=" (columns as last time)")
        print(f"{about.type}: {about.title_vi}{again * mapped.remembered}")
        left_out = say(vi="(không gửi)", en="(not sent)")
        for header, target in zip(table.headers, mapped.targets, strict=True):
            if header:
                print(f"  {header} -> {target or left_out}")
    if table.hidden and not job.skip_hidden:
        note(
            say(
                vi=f"{table.hidden} dòng đang bị ẩn hoặc bị lọc cũng được gửi"
                " (--hidden-rows skip để bỏ qua).",
                en=f"{table.hidden} rows are hidden or filtered out and are sent, too"
                " (--hidden-rows skip leaves them out).",
            )
        )


def _results(out: Path, *, again: bool) -> TextIO:
    if again:
        return out.open("a", encoding="utf-8", newline="\n")
    return out.open("w", encoding="utf-8", newline="\n")
