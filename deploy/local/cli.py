"""The command `hocvuso`: one composition of what the services and the local stack offer.

Each service owns its commands (`services/NAME/cli.py`); here they only get their names.
"""

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.errors import StackError
from deploy.local.home import Home as Directory
from deploy.local.home import default_home

app = typer.Typer(
    name="hocvuso",
    help="Progress of the 'Bình dân học vụ số' plans, every number backed by its events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_GROUPS = {
    "keys": ("services.activities.cli", "keys", "make, list and revoke keys of partners"),
    "quarantine": ("services.activities.quarantine.cli", "quarantine", "what was refused"),
    "intake": ("services.activities.intake.cli", "intake", "partners that write over Kafka"),
    "profiles": ("hocvuso_cli.profiles", "profiles", "servers by name, for senders"),
    "xapi": ("services.activities.xapi.cli", "app", "statements of learning platforms"),
    "persons": ("services.activities.erasure_cli", "persons", "erase a person"),
    "units": ("services.registry.cli", "units", "load, import, find, rename, merge, split units"),
    "plans": ("services.registry.cli", "plans", "validate, load, diff and renew plans"),
}
_COMMANDS = {
    "send": ("hocvuso_cli.send.command", "send", "post the events of a file"),
    "listen": ("hocvuso_cli.listen", "listen", "show accepted and refused events as they come"),
    "sample": ("hocvuso_cli.sample", "sample", "print a valid event of a type"),
    "reconcile": ("hocvuso_cli.reconcile", "reconcile", "prove that all of a day has arrived"),
    "trace": ("hocvuso_cli.trace", "trace", "show one event's way with times"),
    "rebuild": ("services.metrics.cli", "rebuild", "count again from the log, compare, swap"),
    "parked": ("services.metrics.cli", "parked", "list, retry or dismiss parked subjects"),
    "doctor": ("deploy.doctor.cli", "doctor", "look at every part, say what to do"),
    "simulate": ("deploy.sandbox.cli", "simulate", "post a plausible course of a plan (sandbox)"),
}

_OF_AN_INSTANCE = (*_GROUPS, *_COMMANDS, "migrate", "start-over")
"""They speak to the instance of HOCVUSO_HOME, unless the environment names another."""


def _version(asked: bool) -> None:
    if asked:
        from hocvuso_cli import VERSION

        print(f"hocvuso {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Progress of the 'Bình dân học vụ số' plans, every number backed by its events."""


Home = Annotated[
    Path, typer.Option("--home", help="where all state lives", default_factory=default_home)
]


@app.command()
def up(
    home: Home,
    port: Annotated[int, typer.Option(help="registry here, activities +1, metrics +2")] = 8000,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="create it for simulated data")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="leave it running")] = False,
) -> None:
    """Run the whole system on this machine: a pilot, not production."""
    from deploy.local import stack

    try:
        code = stack.up(home, port, sandbox, detach=detach)
    except StackError as error:
        print(error, file=sys.stderr)
        code = 1
    raise typer.Exit(code)


@app.command()
def down(home: Home) -> None:
    """Stop a system that runs in the background."""
    from deploy.local import foreground

    raise typer.Exit(foreground.down(home))


@app.command()
def migrate() -> None:
    """Bring the databases to the newest shape; its own step, before the services start."""
    from deploy.migrate import run
    from shared.db import ForeignDatabase

    try:
        run()
    except ForeignDatabase as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="a new directory")],
    home: Home,
    url_file: Annotated[
        Path | None, typer.Option(help="file with a superuser's postgresql:// address")
    ] = None,
) -> None:
    """Save log and tables while the system runs. The pseudonym key is not in it: save it apart."""
    from deploy.local import backup_cli

    backup_cli.backup(folder, home, url_file)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="the directory of a backup")],
    home: Home,
    url_file: Annotated[
        Path | None, typer.Option(help="file with a superuser's address of an empty database")
    ] = None,
) -> None:
    """Fill an empty home (its pseudonym.key in place) or an empty database from a backup."""
    from deploy.local import backup_cli

    backup_cli.restore(folder, home, url_file)


@app.command()
def drill(
    folder: Annotated[Path, typer.Argument(help="the directory of a backup")],
    key: Annotated[Path, typer.Option(help="the pseudonym key's own copy")],
    home: Home,
    url_file: Annotated[
        Path | None, typer.Option(help="file with a superuser's address of the running database")
    ] = None,
) -> None:
    """Prove a backup: restore it and the key elsewhere, count everything again, compare, report."""
    from deploy.local import backup_cli

    raise typer.Exit(backup_cli.drill(folder, key, home, url_file))


@app.command()
def start_over() -> None:
    """Count a log that was replaced again from its start: metrics and registry forget the old."""
    from deploy.local import backup_cli

    backup_cli.start_over()


@app.command(hidden=True)
def load() -> None:
    """Load nation, units, populations and plans from the repository; again changes nothing."""
    from deploy.local import loading

    record = Directory(default_home()).loaded
    key = Path(os.environ.get("HOCVUSO_ADMIN_KEY_FILE", ""))
    epoch = loading.epoch_of(
        os.environ.get("HOCVUSO_ACTIVITIES_URL", ""),
        key.read_text().strip() if key.is_file() else None,
    )
    now = loading.digest()
    if loading.loaded_before(record, epoch, now):
        print("units and plans are those that were loaded before")
        return

    from services.registry.cli import load_plans, load_units
    from services.registry.plans import load as plan_files
    from services.registry.units import catalogue
    from services.registry.units.load import LoadFailed
    from shared.settings import CommonSettings

    async def everything() -> None:
        settings = CommonSettings()
        await load_units(catalogue.DEFAULT_FOLDER, settings)
        await load_plans(plan_files.DEFAULT_FOLDER, settings)

    try:
        asyncio.run(everything())
        loading.remember(record, epoch, now)
    except* LoadFailed as failed:
        print(*failed.exceptions, sep="\n", file=sys.stderr)
        raise typer.Exit(1) from None


@app.command(hidden=True)
def kafka_home() -> None:
    """Fetch Apache Kafka where Java and Maven exist; print its directory."""
    from deploy.local import apache_kafka

    try:
        print(apache_kafka.fetch())
    except StackError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None


def _add_service_commands() -> None:
    """Import only what the command line asks for: a status question must not wait for all."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    if wanted in _OF_AN_INSTANCE:
        try:
            noted = Directory(default_home()).environment()
        except StackError as error:
            raise SystemExit(str(error)) from None
        for name, value in noted.items():
            os.environ.setdefault(name, value)
    show_all = wanted in ("", "--help", "-h")
    for name, (module, attribute, text) in _GROUPS.items():
        if show_all:
            app.add_typer(typer.Typer(), name=name, help=text)
        elif wanted == name:
            app.add_typer(getattr(importlib.import_module(module), attribute), name=name, help=text)
    for name, (module, attribute, text) in _COMMANDS.items():
        if show_all:
            app.command(name, help=text)(lambda: None)
        elif wanted == name:
            app.command(name, help=text)(getattr(importlib.import_module(module), attribute))


_add_service_commands()
