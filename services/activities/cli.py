"""Commands of activities: keys of partners; posting a file of events is the senders' own command."""

import typer

from hocvuso_cli.send.command import send
from services.activities.asking import KeyFile as KeyFile
from services.activities.asking import Url as Url
from services.activities.asking import ask as ask
from services.activities.asking import connect as connect
from services.activities.keys.cli import keys

app = typer.Typer(
    no_args_is_help=True, help="The front door of hocvuso.", pretty_exceptions_enable=False
)
app.add_typer(keys, name="keys")
app.command()(send)


if __name__ == "__main__":
    app()
