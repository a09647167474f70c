"""`hocvuso send`: the command line of posting files."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hocvuso_cli.console import AsJson, any_letter, fail
from hocvuso_cli.interrupt import Interrupt
from hocvuso_cli.language import Lang, say
from hocvuso_cli.send.columns import SUBJECT, TIME
from hocvuso_cli.server import KeyFile, ProfileName, Url, server

TABLES = frozenset(
    (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".csv", ".tsv", ".txt", ".htm", ".html", ".xml")
)
Many = list[str] | None


class Identical(StrEnum):
    """What two equal rows of one file are."""

    ONE = "one"
    EACH = "each"


class Hidden(StrEnum):
    """What becomes of rows that the spreadsheet program does not show."""

    SEND = "send"
    SKIP = "skip"


def send(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="NDJSON of CloudEvents, CSV or XLSX"),
    ] = None,
    type: Annotated[str | None, typer.Option(help="event type of a table's rows")] = None,
    template: Annotated[
        str | None, typer.Option(help="write a spreadsheet to fill in for this event type")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="the template's file, .xlsx or .csv")] = None,
    map: Annotated[Many, typer.Option(help='what a column is: "Họ và tên=trainer"; repeat')] = None,
    ignore: Annotated[Many, typer.Option(help="a column not to send; repeat")] = None,
    set: Annotated[
        Many, typer.Option(help="FIELD=VALUE for every row whose cell is empty; repeat")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="source URI; default the only one of the key")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="unit of every row without one")] = None,
    time: Annotated[str | None, typer.Option(help="day or time of every row without one")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="judge all, write nothing")] = False,
    identical_rows: Annotated[
        Identical, typer.Option(help="equal rows of a file: one event, or each its own")
    ] = Identical.ONE,
    hidden_rows: Annotated[
        Hidden, typer.Option(help="rows that are hidden or filtered out: send or skip them")
    ] = Hidden.SEND,
    id_secret: Annotated[
        Path | None, typer.Option(help="file with the secret that row ids are made with")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="send NDJSON as this named stream, resumed after a cut")
    ] = None,
    profile: ProfileName = None,
    url: Url = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Post the events of a file, or make a template (--template TYPE); results lie beside it.

    Sending the same file again is safe. Exit codes: 0 all accepted or known, 2 some rejected,
    1 nothing or not everything could be sent, 130 stopped by Ctrl-C.
    """
    any_letter()
    # Spreadsheets are read only when this command runs: others start sooner.
    from hocvuso_cli.send import work
    from hocvuso_cli.send.job import Job, finish, pairs

    if template is not None:
        work.make_template(template, out, as_json=as_json)
        return
    if file is None:
        fail(
            say(
                vi="Hãy ghi tên tệp cần gửi, hoặc --template LOẠI để tạo bảng điền.",
                en="Name a file to send, or --template TYPE to make one to fill in.",
            )
        )
    table = file.suffix.lower() in TABLES
    if stream is not None and (table or dry_run):
        fail(
            say(
                vi="--stream chỉ dùng cho NDJSON và có ghi; không dùng với bảng hay --dry-run.",
                en="--stream is for NDJSON, and writes: it goes with no table and no --dry-run.",
            )
        )
    given = pairs("--set", set) if table else {}
    given |= {k: v for k, v in ((SUBJECT, subject), (TIME, time)) if v is not None}
    with Interrupt().watching() as interrupt:
        job = Job(
            file, server(profile, url, key_file), dry_run, as_json, interrupt,
            type_name=type, explicit=pairs("--map", map), ignored=tuple(ignore or ()),
            given=given, source=source, id_secret=id_secret, stream=stream,
            each=identical_rows is Identical.EACH, skip_hidden=hidden_rows is Hidden.SKIP,
        )  # fmt: skip
        finish(job, *(work.send_rows(job) if table else work.send_lines(job)))
