"""Commands of registry: load the units and plans that ship in the repository."""

import asyncio
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import httpx
import msgspec
import typer
import yaml

from services.registry.plans import load as plan_load
from services.registry.plans.compare import differences
from services.registry.plans.renew import renewed
from services.registry.units import catalogue
from services.registry.units import cli as units_cli
from services.registry.units.load import LoadFailed, Report, load
from shared.clock import clock_from_environment
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import PlanDocument, load_plan, read_plan
from shared.settings import CommonSettings

app = typer.Typer(
    no_args_is_help=True, help="Units and plans of the registry.", pretty_exceptions_enable=False
)
units = typer.Typer(no_args_is_help=True, help="The tree of units and its populations.")
plans = typer.Typer(no_args_is_help=True, help="The plans and their objectives.")
units.registered_commands += units_cli.app.registered_commands
app.add_typer(units, name="units")
app.add_typer(plans, name="plans")

T = TypeVar("T")

TIMEOUT = httpx.Timeout(120, connect=5)


def _client(url: str, settings: CommonSettings) -> httpx.AsyncClient:
    key = settings.admin_key()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False)


def _show(report: Report) -> None:
    """A line for each batch: `make up` shows the last one as a bar."""
    live = sys.stdout.isatty()
    if report.total:
        text = (
            f"{report.stage:<10} {report.done:>6}/{report.total}"
            f"  new {report.accepted}, there already {report.duplicates}"
        )
        if report.refused:
            text += f", refused {len(report.refused)}"
        print(text, end="\r" if live and report.done < report.total else "\n", flush=True)


async def load_units(folder: Path, settings: CommonSettings) -> None:
    """Post units and populations to activities; also called by the local stack."""
    async with _client(settings.activities_url, settings) as client:
        await load(client, catalogue.stages(folder), _show)


async def load_plans(
    folder: Path, settings: CommonSettings, files: list[Path] | None = None
) -> None:
    """Post new and changed plans to activities; also called by the local stack."""
    documents = plan_load.read_files(files or plan_load.files_of(folder), Catalogue.load())
    async with _client(settings.registry_url, settings) as registry:
        newest = await plan_load.newest_versions(registry)
    stage = plan_load.publish(documents, newest, clock_from_environment().today())
    print(f"plans      {len(documents)} files, {len(stage.events)} new or changed", flush=True)
    async with _client(settings.activities_url, settings) as client:
        await load(client, [stage], _show)


@units.command("load")
def units_load(folder: Annotated[Path, typer.Option()] = catalogue.DEFAULT_FOLDER) -> None:
    """Load units and populations; what is in the log already stays as it is."""
    started = time.monotonic()
    _run(load_units(folder, CommonSettings()))
    print(f"units loaded in {time.monotonic() - started:.1f} s")


@plans.command("load")
def plans_load(
    files: Annotated[list[Path] | None, typer.Argument(help="default: all of the folder")] = None,
    folder: Annotated[Path, typer.Option()] = plan_load.DEFAULT_FOLDER,
) -> None:
    """Publish every plan whose content is new or changed."""
    _run(load_plans(folder, CommonSettings(), files))


@plans.command("validate")
def plans_validate(file: Path) -> None:
    """Check a plan file; exit code 1 and the lines when something is wrong."""
    data = _valid(file)
    print(f"{file}: valid, {len(data['objectives'])} objectives, {len(data['tasks'])} tasks")


@plans.command("explain")
def plans_explain(
    file: Path,
    objective: Annotated[str | None, typer.Option(help="only this one")] = None,
) -> None:
    """Show what the objectives of a plan file say in full: dates, defaults, named measures."""
    found = [o for o in _valid(file)["objectives"] if objective in (None, o["id"])]
    if not found:
        _stop(f"{file} has no objective {objective}. Fix: leave --objective out to see all.")
    apart = msgspec.json.decode(msgspec.json.encode(found))  # what is said twice is shown twice
    print(yaml.safe_dump(apart, allow_unicode=True, sort_keys=False, width=120), end="")


@plans.command("diff")
def plans_diff(
    file: Path,
    against: Annotated[str | None, typer.Option(help="another plan: its parent, say")] = None,
) -> None:
    """Show what a plan file would change of the plan that registry has; exit code 1 if anything."""
    document = _valid(file)
    plan = against or document["id"]
    published = _run(_published(plan, CommonSettings()))
    if published is None:
        print(f"{plan} is a new plan" if against is None else f"registry has no plan {plan}")
        raise typer.Exit(1)
    changes = differences({**published, "version": None}, {**document, "version": None})
    for line in changes:
        print(line)
    print(f"{len(changes)} differences", file=sys.stderr)
    if changes:
        raise typer.Exit(1)


@plans.command("new")
def plans_new(
    source: Annotated[Path, typer.Option("--from", help="plan file to start from")],
    year: Annotated[int, typer.Option(min=2020, max=2100)],
    unit: Annotated[str | None, typer.Option(help="code@era: that unit's own plan")] = None,
    id: Annotated[str | None, typer.Option(help="id of the new plan")] = None,
    folder: Annotated[Path, typer.Option(help="where to write it")] = plan_load.DEFAULT_FOLDER,
) -> None:
    """Write a plan for another year, or a unit's plan under its province's, from one that is there."""
    new, named = renewed(_valid(source), year, unit=unit, id=id)
    file = folder / f"{new['id']}.yaml"
    if file.exists():
        print(f"{file} is there already. Fix: give another --id.", file=sys.stderr)
        raise typer.Exit(1)
    text = yaml.safe_dump(new, allow_unicode=True, sort_keys=False, width=120)
    _checked(file, read_plan(text, Catalogue.load()))
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        _stop(f"{file}: {error.strerror}. Fix: name a --folder that is there.")
    print(f"{file}: {len(new['objectives'])} objectives, {len(new['tasks'])} tasks")
    if named:
        print(f"{len(named)} texts are those of the old plan; read them again:")
        for place in named:
            print(f"  {place}")


def _valid(file: Path) -> dict[str, Any]:
    """The plan of a file; exit code 1 and the lines when something is wrong."""
    try:
        document = load_plan(file, Catalogue.load())
    except OSError as error:
        _stop(f"{file}: {error.strerror}. Fix: name a plan file that can be read.")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        _stop(f"{file}:{line}: not UTF-8. Fix: save the file as UTF-8.")
    return _checked(file, document)


def _checked(file: Path, document: PlanDocument) -> dict[str, Any]:
    if document.problems:
        _stop(plan_load.explain(file, document))
    return document.data


def _stop(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(1)


async def _published(plan: str, settings: CommonSettings) -> dict[str, Any] | None:
    async with _client(settings.registry_url, settings) as registry:
        answer = await plan_load.asked(registry, f"/v1/plans/{plan}/published")
    return None if answer.status_code == 404 else dict(answer.json()["document"])


def _run(work: Coroutine[None, None, T]) -> T:
    try:
        return asyncio.run(work)
    except LoadFailed as error:
        _stop(str(error))


if __name__ == "__main__":
    app()
