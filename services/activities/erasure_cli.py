"""`hocvuso persons erase`: a person who is to be erased (docs/privacy.md)."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from services.activities.erasure import erase, references_of
from services.activities.privacy import PseudonymKeyError, Pseudonyms, bind_key, read_key
from services.activities.settings import ActivitiesSettings
from shared.clock import clock_from_environment
from shared.identity.numbers import SCHEMES, Impossible

persons = typer.Typer(no_args_is_help=True, help="What the law asks for single persons.")


@persons.callback()
def _group() -> None:
    """A group, though it has one command."""


@persons.command("erase")
def erase_person(
    scheme: Annotated[str, typer.Option(help="cccd, phone, account ...")],
    file: Annotated[Path, typer.Option(help="file that holds the number alone; delete it after")],
    yes: Annotated[
        bool, typer.Option("--yes", help="do it; without, only say what it would")
    ] = False,
) -> None:
    """Make every event of a person that of somebody unknown. Totals do not change."""
    if scheme not in SCHEMES:
        print(f"There is no such scheme. Schemes: {', '.join(sorted(SCHEMES))}.", file=sys.stderr)
        raise typer.Exit(2)
    try:
        done = asyncio.run(_erase(scheme, file.read_text(encoding="utf-8").strip(), yes))
    except (OSError, Impossible, PseudonymKeyError, asyncpg.PostgresError) as error:
        print(f"Nothing was erased: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(done)


async def _erase(scheme: str, value: str, yes: bool) -> str:
    settings, clock = ActivitiesSettings(), clock_from_environment()
    pseudonyms = Pseudonyms(read_key(settings.pseudonym_key_file), clock)
    connection = await asyncpg.connect(
        settings.activities_database_url, timeout=10, server_settings={"search_path": "activities"}
    )
    try:
        await bind_key(connection, pseudonyms)
        refs = await references_of(connection, pseudonyms, scheme, value, clock.today().year)
        done = await erase(connection, refs, dry_run=not yes)
    finally:
        await connection.close()
    said = (
        f"{done.events} events, {done.statements} statements and {done.refused} refused events"
        f" name this person, by {done.references} reference(s)."
    )
    if not yes:
        return f"{said} Nothing was changed; do it with --yes."
    if not done.events:
        return f"{said} The log has a new epoch: run `hocvuso start-over`, then restart all."
    return f"{said} Erased. Now run `hocvuso start-over`, then restart all."
