"""`hocvuso send`: the command line of posting files."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from shared.settings import CommonSettings, key_in

# Spreadsheets and the catalogue are read only when this command runs: others start sooner.
if TYPE_CHECKING:
    from hocvuso_client import Direct
    from services.activities.send.columns import Layout
    from services.activities.send.mapping import Mapped
    from services.activities.send.run import Summary
    from services.activities.send.tables import Table

TABLES = (".xlsx", ".xlsm", ".csv", ".tsv", ".txt")
Many = list[str] | None


class Identical(StrEnum):
    """What two equal rows of one file are."""

    ONE = "one"
    EACH = "each"


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
    id_secret: Annotated[
        Path | None, typer.Option(help="file with the secret that row ids are made with")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="send NDJSON as this named stream, resumed after a cut")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="address of activities")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", help="file with the key; default the administrator's"),
    ] = None,
) -> None:
    """Post the events of a file, or make a template (--template TYPE); results lie beside it.

    Sending the same file again is safe. Exit codes: 0 all accepted or known, 2 some rejected,
    1 nothing or not everything could be sent.
    """
    if template is not None:
        _template(template, out)
        return
    if file is None:
        _fail("Name a file to send, or --template TYPE to make one to fill in.")
    from services.activities.send.columns import SUBJECT, TIME
    from services.activities.send.run import SendFailed

    table = file.suffix.lower() in TABLES
    if stream is not None and (table or dry_run):
        _fail("--stream is for NDJSON, and writes: it goes with no table and no --dry-run.")
    with _direct(url, key_file) as direct:
        try:
            if table:
                given = _pairs("--set", set)
                given |= {k: v for k, v in ((SUBJECT, subject), (TIME, time)) if v is not None}
                failed = _table(
                    direct, file, type, _pairs("--map", map), ignore or [], given, source,
                    id_secret, dry_run=dry_run, each=identical_rows is Identical.EACH,
                )  # fmt: skip
            else:
                failed = _lines(direct, file, stream, dry_run=dry_run)
        except SendFailed as error:
            _fail(f"{error}\nResults so far lie beside the file.")
    if failed:
        raise typer.Exit(2)


def _template(type_name: str, out: Path | None) -> None:
    from services.activities.send.template import write_template
    from shared.contracts.definitions import Catalogue

    layout = _layout(type_name)
    target = out or Path(f"{layout.type}.xlsx")
    if target.exists():
        _fail(f"{target} is there already; it may be filled in. Name another one with --out.")
    try:
        write_template(layout, Catalogue.load()[layout.type].examples[0], target)
    except ValueError as error:
        _fail(str(error))
    print(f"template for {layout.type} ({layout.title_vi}): {target}")


def _layout(type_name: str) -> "Layout":
    from difflib import get_close_matches

    from services.activities.send.columns import layout
    from shared.contracts.definitions import Catalogue
    from shared.contracts.topics import EVENT_TYPE_PREFIX

    catalogue, name = Catalogue.load(), type_name.removeprefix(EVENT_TYPE_PREFIX)
    if name not in catalogue:
        near = get_close_matches(name, catalogue, 3, 0.5)
        _fail(
            f"There is no event type {name!r}. Near it: {', '.join(near) or ', '.join(catalogue)}"
        )
    return layout(catalogue, name)


def _lines(direct: "Direct", file: Path, stream: str | None, *, dry_run: bool) -> bool:
    """Post NDJSON; whether some lines were rejected."""
    from services.activities.send.ndjson import send_file, send_stream

    beside = file.with_name(f"{file.name}.{'dry-run' if dry_run else 'results'}.ndjson")
    # A stream that goes on adds to the results of the run before.
    with beside.open("w" if stream is None else "a", encoding="utf-8") as results:
        if stream is None:
            summary = send_file(direct, file, results, _live, dry_run=dry_run)
        else:
            summary = send_stream(direct, file, stream, results, _live)
    _show(summary)
    print(f"results: {beside}")
    return bool(summary.counts["rejected"])


def _table(
    direct: "Direct",
    file: Path,
    type_name: str | None,
    explicit: dict[str, str],
    ignored: list[str],
    given: dict[str, str],
    source: str | None,
    id_secret: Path | None,
    *,
    dry_run: bool,
    each: bool,
) -> bool:
    """Post a table; whether some rows were rejected."""
    from services.activities.send import mapping, results
    from services.activities.send.columns import SOURCE
    from services.activities.send.rows import Rows, read_secret
    from services.activities.send.run import send_table
    from services.activities.send.tables import TableError, open_table

    try:
        table = open_table(file)
        found = type_name or table.type
        if found is None:
            _fail("Which type are the rows? Say --type TYPE (templates in .xlsx know it).")
        layout = _layout(found)
        if table.type not in (None, layout.type):
            _fail(f"The file is a template for {table.type}, not for {layout.type}.")
        memory = mapping.Memory(mapping.config_dir() / "mappings.json")
        mapped = mapping.resolve(
            layout,
            table.headers,
            explicit=explicit,
            ignored=ignored,
            remembered=memory.recall(layout.type, table.headers),
            given=given,
        )
        defaults = mapping.targets_of(layout, given)
    except (TableError, mapping.MappingError) as error:
        _fail(str(error))
    memory.keep(layout.type, table.headers, mapped.targets)
    _show_mapping(table, layout, mapped)
    if source is None and SOURCE not in mapped.targets:
        source = _only_source(direct)
    secret = read_secret(id_secret or mapping.config_dir() / "ids.secret")
    out = results.beside(file, dry_run)
    rows = Rows(layout, table.headers, mapped.targets, defaults, source, secret, each=each)
    try:
        writer = results.open_results(table, mapped.targets, out)
        summary = send_table(direct, table, rows, writer, _live, dry_run=dry_run)
    except TableError as error:
        _fail(str(error))
    _show(summary)
    if summary.examples:
        print(f"example rows, not sent: {summary.examples}")
    if dry_run:
        print("dry run: nothing was written")
    if summary.repeated:
        print(f"{summary.repeated} rows repeat another row and count once: see {out.name}")
    if summary.warnings:
        print(f"{summary.warnings} rows look odd though they were taken: see {out.name}")
    print(f"results: {out}")
    return bool(summary.counts["rejected"])


def _only_source(direct: "Direct") -> str:
    from hocvuso_client import HocvusoError

    try:
        sources = direct.rights()["sources"] or []
    except HocvusoError as error:
        _fail(str(error))
    if len(sources) != 1:
        allowed = f" The key allows: {', '.join(sources)}." if sources else ""
        _fail(f"Say for which source: --source URI.{allowed}")
    return str(sources[0])


def _show_mapping(table: "Table", layout: "Layout", mapped: "Mapped") -> None:
    """Which column was taken for what: the reader's chance to stop a mistake."""
    print(f"{layout.type}: {layout.title_vi}" + (" (columns as last time)" * mapped.remembered))
    for header, target in zip(table.headers, mapped.targets, strict=True):
        if header:
            print(f"  {header} -> {target or '(not sent)'}")


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """NAME=VALUE; for --map the last = divides, since a header may hold one."""
    found = {}
    for text in texts or []:
        cut = text.rpartition("=") if option == "--map" else text.partition("=")
        if not cut[0] or not cut[1]:
            _fail(f"{option} {text!r}: write NAME=VALUE.")
        found[cut[0].strip()] = cut[2].strip()
    return found


def _direct(url: str | None, key_file: Path | None) -> "Direct":
    from hocvuso_client import Direct

    settings = CommonSettings()
    key = key_in(key_file) if key_file else settings.admin_key()
    if not key:
        _fail("No key: set HOCVUSO_ADMIN_KEY_FILE, or name a file with --key-file.")
    return Direct(url or settings.activities_url, key, timeout=120, trust_env=False)


def _live(summary: "Summary") -> None:
    if sys.stdout.isatty():
        _show(summary, end="\r")


def _show(summary: "Summary", end: str = "\n") -> None:
    counts = ", ".join(f"{name} {count}" for name, count in summary.counts.items())
    print(f"{summary.lines} lines: {counts}", end=end, flush=True)


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(1)
