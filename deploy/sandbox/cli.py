"""`hocvuso simulate`: a made-up course of a plan, posted to a sandbox."""

import asyncio
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.home import Home, default_home
from deploy.sandbox.course import Course, CourseError, last_day, make_course
from deploy.sandbox.places import UnknownPlan, plan_document
from deploy.sandbox.post import Poster, PostingFailed, Progress
from shared.clock import clock_from_environment
from shared.settings import CommonSettings


def simulate(
    plan: Annotated[str, typer.Option(help="which plan's course")] = "dak-lak-2026",
    events: Annotated[int, typer.Option(min=1, help="how many events")] = 10_000,
    seed: Annotated[int, typer.Option(help="another seed is another course")] = 1,
    rate: Annotated[float, typer.Option(help="events per second; 0: as fast as it goes")] = 0,
    until: Annotated[str, typer.Option(help="last day of the course; default yesterday")] = "",
    url: Annotated[str, typer.Option(help="address of activities")] = "",
    key_file: Annotated[Path | None, typer.Option(help="file with the administrator's key")] = None,
) -> None:
    """Post a plausible course of a plan: late, double, corrected and revoked events included.

    The same command again posts the same course (all duplicates). Only on a sandbox.
    """
    try:
        course = _course(plan, events, seed, until)
        progress = asyncio.run(
            _post(course, rate, url or CommonSettings().activities_url, key_file)
        )
    except (CourseError, UnknownPlan, PostingFailed) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"done up to position {progress.last_position}; the course ends on {course.until}")
    for code, number in progress.refused.most_common():
        typer.echo(f"refused {number} x {code}, like {progress.examples[code]}", err=True)
    raise typer.Exit(1 if progress.refused else 0)


def _course(plan: str, events: int, seed: int, until: str) -> Course:
    try:
        end = date.fromisoformat(until) if until else None
    except ValueError:
        raise CourseError(f"--until {until!r} is not a day like 2026-06-30") from None
    latest = last_day(plan_document(plan), clock_from_environment().today())
    if end is not None and end > latest:
        raise CourseError(f"--until can be {latest} at the latest: events are posted afterwards")
    return make_course(plan, events, seed, end or latest)


async def _post(course: Course, rate: float, url: str, key_file: Path | None) -> Progress:
    shown = 0.0

    def show(progress: Progress) -> None:
        nonlocal shown
        terminal = sys.stderr.isatty()
        if time.monotonic() - shown > (0.2 if terminal else 5) or progress.done == progress.total:
            shown = time.monotonic()
            typer.echo(progress.line() + ("\r" if terminal else "\n"), err=True, nl=False)

    async with Poster(url, _key(key_file), rate=rate, on_progress=show) as poster:
        progress = await poster.post(course)
    if sys.stderr.isatty():
        typer.echo(err=True)
    return progress


def _key(file: Path | None) -> str:
    named = os.environ.get("HOCVUSO_ADMIN_KEY_FILE")
    file = file or (Path(named) if named else Home(default_home()).admin_key)
    try:
        return file.read_text().strip()
    except OSError as error:
        raise PostingFailed(
            f"the administrator's key {file} cannot be read ({error.strerror})."
            " Fix: name it with --key-file; hocvuso up writes it to admin.key of HOCVUSO_HOME."
        ) from None
