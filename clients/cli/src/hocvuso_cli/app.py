"""The command `hocvuso` of senders."""

import sys
from typing import Annotated

import typer

from hocvuso_cli import VERSION
from hocvuso_cli.console import any_letter
from hocvuso_cli.language import Lang
from hocvuso_cli.listen import listen
from hocvuso_cli.profiles import profiles
from hocvuso_cli.reconcile import reconcile
from hocvuso_cli.sample import sample
from hocvuso_cli.send.command import send
from hocvuso_cli.trace import trace

app = typer.Typer(
    name="hocvuso",
    help="Send events to hocvuso, and see what became of them. Messages are Vietnamese; --lang en"
    " (or HOCVUSO_LANG=en) makes them English.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"hocvuso {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")
    ] = False,
    lang: Lang = None,
) -> None:
    """Send events to hocvuso, and see what became of them."""


for command in (send, listen, sample, trace, reconcile):
    app.command()(command)
app.add_typer(profiles, name="profiles")


def main() -> None:
    """Run the command; Ctrl-C ends it without a trace of calls."""
    any_letter()
    try:
        app(prog_name="hocvuso")
    except KeyboardInterrupt:
        sys.exit(130)
