"""Commands of metrics: `rebuild`, `parked`. `python -m services.metrics.cli`, or `hocvuso ...`."""

import asyncio
from typing import Annotated

import asyncpg
import httpx
import typer

from services.metrics import rebuild as rebuilding
from services.metrics.projecting import parking
from services.metrics.settings import MetricsSettings
from shared.contracts.definitions import Catalogue
from shared.db import connect_pool
from shared.garbage import calm_collector
from shared.identity.leaks import leaks
from shared.lane_consumer import LogReader
from shared.peers import peer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


async def _pool() -> asyncpg.Pool:
    url = MetricsSettings().metrics_database_url
    return await connect_pool(url, "metrics", high=3, statement_timeout_s=0)


@app.command()
def rebuild(
    measure: Annotated[
        list[int] | None, typer.Option(help="number of a measure; default: all, may be repeated")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="compare only, change nothing")
    ] = False,
) -> None:
    """Count again from the log beside the live tables, compare cell by cell, then swap."""
    try:
        report = asyncio.run(_rebuild(set(measure) if measure else None, compare))
    except (rebuilding.RebuildRefused, OSError, httpx.HTTPError, asyncpg.PostgresError) as error:
        print(f"\nNothing was changed: {error}")
        raise typer.Exit(1) from error
    print(
        f"\r{report.measures} measures from {report.rows} rows in {report.seconds:.1f} s;"
        f" {len(report.differences)} tallies and {report.evidence_differences} rows of evidence"
        f" differed from live; {'swapped' if report.swapped else 'nothing changed'}"
        f" (live counting waited {report.locked:.2f} s)."
    )
    for number, unit_id, occurred, recorded, live, new in report.differences[:20]:
        print(f"  measure {number} {unit_id} {occurred} known {recorded}: {live} -> {new}")
    if compare and (report.differences or report.evidence_differences):
        raise typer.Exit(2)


async def _rebuild(numbers: set[int] | None, compare: bool) -> rebuilding.Report:
    calm_collector()

    def show(now: rebuilding.Progress) -> None:
        left = "" if now.left is None else f", about {now.left:.0f} s left"
        print(f"\r{now.step}: {now.share:.0%}{left}    ", end="", flush=True)

    pool = await _pool()
    url = MetricsSettings().activities_url
    credential = MetricsSettings().service_credential("metrics")
    async with peer(url, credential, timeout=30) as client:
        try:
            return await rebuilding.rebuild(
                pool,
                LogReader(client),
                Catalogue.load(),
                numbers,
                compare_only=compare,
                on_progress=show,
            )
        finally:
            await pool.close()


@app.command()
def parked(
    action: Annotated[str, typer.Argument(help="list, retry or dismiss")] = "list",
    position: Annotated[
        int | None, typer.Argument(help="of a waiting row; retry: default all")
    ] = None,
    reason: Annotated[str, typer.Option(help="why it is dismissed; kept with the row")] = "",
) -> None:
    """Subjects that wait because a row of theirs could not be counted; references are not shown.

    retry counts all rows of a subject or none. dismiss gives one row up for good; the rows that
    follow it still wait: retry them afterwards.
    """
    if action == "list":
        asyncio.run(_list())
    elif action == "retry":
        raise typer.Exit(asyncio.run(_retry(position)))
    elif action == "dismiss" and position is not None and reason:
        raise typer.Exit(asyncio.run(_dismiss(position, reason)))
    else:
        print("Write: parked list | retry [POSITION] | dismiss POSITION --reason TEXT")
        raise typer.Exit(2)


async def _list() -> None:
    pool = await _pool()
    subjects, total = await parking.waiting(pool)
    for row in subjects:
        print(
            f"{row['position']}  {row['rows']} rows  since {row['since']}  {row['type']}:"
            f" {row['problem']}"
        )
    print(f"{total} subjects wait.")
    await pool.close()


async def _retry(position: int | None) -> int:
    pool = await _pool()
    done = await parking.retry_waiting(pool, Catalogue.load(), position)
    for one in done:
        print(f"{one['position']}: {one['problem'] or 'counted'}")
    failed = sum(not one["counted"] for one in done)
    print(f"{len(done) - failed} subjects counted, {failed} still wait.")
    await pool.close()
    return 1 if failed else 0


async def _dismiss(position: int, reason: str) -> int:
    if leaks(reason):
        print("The reason holds an identity or phone number or an e-mail address: name no person.")
        return 2
    pool = await _pool()
    done = await parking.dismiss(pool, position, reason)
    print("dismissed" if done else f"no row waits at position {position}")
    await pool.close()
    return 0 if done else 1


if __name__ == "__main__":
    app()
