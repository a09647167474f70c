"""`hocvuso xapi`: what of a platform's statements waits, trying it again, settings of platforms."""

from typing import Annotated

import typer

from services.activities.cli import KeyFile, Url, ask, connect

app = typer.Typer(no_args_is_help=True, help="Statements of learning platforms (xAPI).")


@app.command()
def unmapped(
    url: Url = None,
    key_file: KeyFile = None,
    reason: Annotated[str | None, typer.Option(help="only these, one by one")] = None,
) -> None:
    """List what is kept and not counted: by verb, activity type and reason."""
    with connect(url, key_file) as client:
        if reason is None:
            answer = ask(client, "GET", "/xapi/unmapped?limit=1")
            for row in answer["counts"]:
                kind = row["activity_type"] or "-"
                line = f"{row['statements']:>8}  {row['reason']:<24}  {row['verb']}  {kind}"
                typer.echo(f"{line}  {row['partner']}")
            for name, text in answer["reasons"].items():
                typer.echo(f"{name}: {text}")
            return
        after = 0
        while after is not None:
            answer = ask(client, "GET", f"/xapi/unmapped?limit=500&after={after}&reason={reason}")
            for row in answer["statements"]:
                typer.echo(f"{row['id']}  {row['stored']}  {row['verb']}  {row['activity'] or '-'}")
            after = answer["next"]


@app.command()
def replay(url: Url = None, key_file: KeyFile = None) -> None:
    """Try what waits again, with the mapping and settings of now; needs the partner's own key."""
    with connect(url, key_file) as client:
        answer = ask(client, "POST", "/xapi/replay")
    typer.echo(f"{answer['counted']} are counted now")
    for reason, number in answer["waiting"].items():
        typer.echo(f"{number:>8}  {reason}")


@app.command()
def platform(
    home_page: Annotated[str, typer.Argument(help="homePage of its accounts; '' for all others")],
    subject: Annotated[str | None, typer.Option(help="code of the unit")] = None,
    target_group: Annotated[list[str] | None, typer.Option(help="adult, ...; repeat")] = None,
    platform: Annotated[str | None, typer.Option(help="binhdanhocvuso, other_mooc, ...")] = None,
    scheme: Annotated[
        str, typer.Option(help="what account names are: account, cccd ...")
    ] = "account",
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Say what holds for a platform's statements that do not say it; needs the partner's own key."""
    said = {
        "home_page": home_page, "subject": subject, "target_groups": target_group or None,
        "platform": platform, "scheme": scheme,
    }  # fmt: skip
    with connect(url, key_file) as client:
        answer = ask(client, "PUT", "/xapi/platforms", said)
    typer.echo(f"from now on for {answer['home_page'] or 'every other platform'}")
