"""`hocvuso units find|import|rename|merge|split|hamlets`: the registry's API from a shell.

What changes something shows the difference, and writes it with `--write` only.
"""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from shared.settings import CommonSettings, key_in

app = typer.Typer(no_args_is_help=True)

TIMEOUT = httpx.Timeout(120, connect=5)

Day = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="first day of it")]
Write = Annotated[bool, typer.Option("--write", help="write it; else only the difference is shown")]
Reference = Annotated[str | None, typer.Option("--source-ref", help="the document that decided it")]
KeyFile = Annotated[
    Path | None, typer.Option(help="file with your key; default the administrator's")
]


@app.command("find")
def find(
    text: Annotated[str, typer.Argument(help="name (diacritics optional) or code")],
    former: Annotated[bool, typer.Option(help="also units that exist no more")] = False,
    key_file: KeyFile = None,
) -> None:
    """Units by name or code, the best first."""
    found = _ask("GET", "/v1/units", key_file, params={"q": text, "former": former, "limit": 30})
    for unit in found["units"]:
        ended = f"  (until {unit['valid_to']})" if not unit["exists"] and unit["valid_to"] else ""
        print(f"{unit['unit_id']:<20} {unit['name_vi']}, {unit['parent_name_vi'] or '-'}{ended}")
    print(f"{found['total']} found", file=sys.stderr)
    raise typer.Exit(0 if found["total"] else 1)


@app.command("import")
def import_file(
    file: Path,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="default today")] = None,
    source_ref: Reference = None,
    write: Write = False,
    key_file: KeyFile = None,
) -> None:
    """Bring the tree up to a CSV file: code, name_vi, kind, parent ... (docs/registry.md)."""
    params = {"source_ref": source_ref, "on": on.date().isoformat() if on else None}
    body = _read(file)
    _change("/v1/units/import", write, key_file, params=params, content=body)


@app.command("rename")
def rename(
    unit: str,
    on: Day,
    name: Annotated[str | None, typer.Option(help="new name")] = None,
    kind: Annotated[str | None, typer.Option(help="new kind: ward, commune, city ...")] = None,
    source_ref: Reference = None,
    write: Write = False,
    key_file: KeyFile = None,
) -> None:
    """Give a unit another name or kind from a day on; its code stays."""
    change = {"op": "rename", "unit": unit, "name_vi": name, "kind": kind}
    _one(change, on, source_ref, write, key_file)


@app.command("merge")
def merge(
    units: list[str],
    on: Day,
    into: Annotated[str, typer.Option(help="a unit that is there, or CODE:KIND:NAME of a new one")],
    source_ref: Reference = None,
    write: Write = False,
    key_file: KeyFile = None,
) -> None:
    """Several units become one."""
    change = {"op": "merge", "units": units, "into": _target(into)}
    _one(change, on, source_ref, write, key_file)


@app.command("split")
def split(
    unit: str,
    on: Day,
    into: Annotated[list[str], typer.Option(help="each part: a unit, or CODE:KIND:NAME")],
    source_ref: Reference = None,
    write: Write = False,
    key_file: KeyFile = None,
) -> None:
    """One unit becomes several."""
    change = {"op": "split", "unit": unit, "into": [_target(part) for part in into]}
    _one(change, on, source_ref, write, key_file)


@app.command("hamlets")
def hamlets(
    commune: str,
    file: Annotated[Path | None, typer.Argument(help="one name per line; none: show them")] = None,
    complete: Annotated[
        bool | None, typer.Option("--complete/--incomplete", help="these are all, or are not")
    ] = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="default today")] = None,
    distinct: Annotated[
        list[str] | None, typer.Option(help="a name that is another hamlet, though spelt alike")
    ] = None,
    write: Write = False,
    key_file: KeyFile = None,
) -> None:
    """The hamlets of a commune, or what a list of them would change."""
    path = f"/v1/units/{commune}/hamlets"
    day = on.date().isoformat() if on else None
    if file is None:
        shown = _ask("GET", path, key_file, params={"on": day} if day else {})
        for unit in shown["hamlets"]:
            print(f"{unit['code']:<12} {unit['name_vi']}")
        print(f"{len(shown['hamlets'])} hamlets, list {shown['state']}", file=sys.stderr)
        return
    text = _read(file).decode("utf-8-sig", "replace")
    said = {"names": text, "complete": complete, "on": day, "distinct": distinct or []}
    _change(path, write, key_file, json=said)


def _one(
    change: dict[str, Any],
    on: datetime,
    source_ref: str | None,
    write: bool,
    key_file: Path | None,
) -> None:
    given = {k: v for k, v in change.items() if v is not None} | {"on": on.date().isoformat()}
    body = {"changes": [given], "source_ref": source_ref}
    _change("/v1/units/changes", write, key_file, json=body)


def _target(text: str) -> str | dict[str, str]:
    if ":" not in text:
        return text
    code, kind, name = (*text.split(":", 2), "", "")[:3]
    return {"code": code, "kind": kind, "name_vi": name}


def _change(
    path: str, write: bool, key_file: Path | None, params: dict[str, Any] | None = None, **more: Any
) -> None:
    given = {name: value for name, value in (params or {}).items() if value is not None}
    given["dry_run"] = "false" if write else "true"
    for line in _lines(_ask("POST", path, key_file, params=given, **more)):
        print(line)


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    yield from answer["difference"]
    yield from (f"! {warning}" for warning in answer["warnings"])
    absent = [u if isinstance(u, str) else u["unit_id"] for u in answer.get("absent", [])]
    if absent:
        yield f"{len(absent)} units there that no line names (they stay): {', '.join(absent[:8])}"
    if not answer["events"]:
        yield "nothing changes"
    elif answer["dry_run"]:
        yield f"{len(answer['events'])} changes; nothing was written: look, then add --write"
    else:
        yield f"{answer['written']} changes written"


def _ask(method: str, path: str, key_file: Path | None, **more: Any) -> dict[str, Any]:
    """An answer of registry; exit code 1 with what is wrong and how to mend it."""
    settings = CommonSettings()
    key = key_in(key_file) if key_file else settings.admin_key()
    if key and not key.isascii():
        _stop("The key file holds no key. Fix: name the file that `hocvuso keys create` wrote.")
    headers = {"Authorization": f"Bearer {key.split()[0]}"} if key else {}
    try:
        answer = httpx.request(
            method, settings.registry_url.rstrip("/") + path, headers=headers, timeout=TIMEOUT,
            trust_env=False, **more,
        )  # fmt: skip
    except httpx.TransportError as error:
        _stop(
            f"registry does not answer at {settings.registry_url} ({type(error).__name__})."
            " Fix: start it, or name its address in HOCVUSO_REGISTRY_URL."
        )
    if answer.status_code != 200:
        _stop("\n".join(_problem(answer)))
    return dict(answer.json())


def _problem(answer: httpx.Response) -> Iterator[str]:
    try:
        said = answer.json()
    except ValueError:
        said = {"code": f"HTTP {answer.status_code}", "detail": answer.text[:300]}
    hint = f" Fix: {said['hint']}" if said.get("hint") else ""
    yield f"{said.get('code')}: {said.get('detail')}{hint}"
    for line in said.get("problems", []):
        yield f"  line {line['line']}: {line.get('code', '')}: {line['problem']}"
    for double in said.get("near", []):
        like = (f"{c['name_vi']} ({c['unit_id'] or 'in the list'})" for c in double["candidates"])
        yield f"  {double['name_vi']} is like {', '.join(like)}: --distinct if it is another"
    for unit in said.get("absent", []):
        yield f"  missing: {unit['unit_id']} {unit['name_vi']}"


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _stop(f"{file}: {error.strerror}. Fix: name a file that can be read.")


def _stop(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(1)
