"""`hocvuso quarantine`: refused events on the command line, through the API like everybody."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from services.activities.asking import KeyFile, Url, ask, connect, fail

quarantine = typer.Typer(no_args_is_help=True, help="What was refused.")
Number = Annotated[int, typer.Argument(help="the number, as `list` shows it")]


def _options(**given: str | None) -> dict[str, str]:
    return {name: value for name, value in given.items() if value is not None}


@quarantine.command("list")
def list_refused(
    source: Annotated[str | None, typer.Option(help="only of this source")] = None,
    code: Annotated[str | None, typer.Option(help="only with this code, like unit-unknown")] = None,
    since: Annotated[str | None, typer.Option(help="2026-06-30T00:00:00+07:00")] = None,
    state: Annotated[str, typer.Option(help="open, resolved, dismissed or all")] = "open",
    limit: Annotated[int, typer.Option(help="at most so many, newest first")] = 100,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """List refused events, newest first."""
    print(f"{'number':<9}{'state':<11}{'times':<7}{'last seen':<18}{'partner':<20}{'code':<26}id")
    with connect(url, key_file) as client:
        asked = _options(source=source, code=code, since=since, state=state)
        left = limit
        while left > 0:
            page = ask(
                client, "GET", "/v1/quarantine", params={**asked, "limit": str(min(left, 500))}
            )
            for row in page["items"]:
                print(
                    f"{row['number']:<9}{row['state']:<11}{row['times']:<7}"
                    f"{row['last_seen'][:16]:<18}{row['partner']:<20}{row['code']:<26}"
                    f"{row['id'] or '-'}"
                )
            _warn(page)
            left -= len(page["items"])
            if page["next"] is None:
                break
            asked["cursor"] = str(page["next"])


@quarantine.command("show")
def show(number: Number, url: Url = None, key_file: KeyFile = None) -> None:
    """Show one with its reason and its original, masked."""
    with connect(url, key_file) as client:
        _print(ask(client, "GET", f"/v1/quarantine/{number}"))


@quarantine.command("replay")
def replay(
    number: Annotated[int | None, typer.Argument(help="one number; or name a filter")] = None,
    changes: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSON merge patch of the event, in a file"),
    ] = None,
    source: Annotated[str | None, typer.Option(help="all open ones of this source")] = None,
    code: Annotated[str | None, typer.Option(help="all open ones with this code")] = None,
    type: Annotated[str | None, typer.Option(help="all open ones of this event type")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="judge, write nothing")] = False,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Hand one in again, or all open ones that a filter finds: as they are, or each with the same
    changes."""
    patch = None if changes is None else _patch(changes)
    judge = {"dry_run": "true"} if dry_run else None
    with connect(url, key_file) as client:
        if number is not None:
            body = None if patch is None else {"changes": patch}
            if source is not None or code is not None or type is not None:
                fail("Name one number, or a filter (--source, --code, --type), not both.")
            _print(ask(client, "POST", f"/v1/quarantine/{number}/replay", body, judge))
            return
        asked: dict[str, Any] = _options(source=source, code=code, type=type)
        if not asked:
            fail("Name a number, --source, --code or --type.")
        if patch is not None:
            asked["changes"] = patch
        totals = {"accepted": 0, "duplicates": 0, "rejected": 0}
        why: Counter[str] = Counter()
        while True:
            page = ask(client, "POST", "/v1/quarantine/replay", asked, judge)
            for name in totals:
                totals[name] += page[name]
            why.update(r["problem"]["code"] for r in page["results"] if r["problem"])
            _warn(page)
            if page["next"] is None:
                break
            asked["cursor"] = page["next"]
    print(", ".join(f"{name} {count}" for name, count in totals.items()))
    for reason, count in why.most_common():
        print(f"  rejected {count}: {reason}")
    if dry_run:
        print("dry run: nothing was written")
    if totals["rejected"]:
        raise typer.Exit(2)


@quarantine.command("dismiss")
def dismiss(
    number: Number,
    reason: Annotated[str, typer.Option(help="why nothing is to be done about it")],
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Close one for good."""
    with connect(url, key_file) as client:
        ask(client, "POST", f"/v1/quarantine/{number}/dismiss", {"reason": reason})
    print(f"{number} is dismissed")


def _patch(file: Path) -> dict[str, Any]:
    """The merge patch in a file; ends the command when it is none."""
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except ValueError:
        fail(f'{file} is not JSON in UTF-8. Fix: write an object, like {{"subject": "24133"}}.')
    if not isinstance(found, dict):
        fail(f'{file} holds no JSON object. Fix: write one, like {{"subject": "24133"}}.')
    return found


def _warn(page: dict[str, Any]) -> None:
    for warning in page.get("warnings", []):
        print(f"! {warning}", file=sys.stderr)


def _print(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
