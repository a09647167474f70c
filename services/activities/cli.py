"""Commands of activities: keys of partners, and posting a file of events."""

import typer

from services.activities.asking import KeyFile as KeyFile
from services.activities.asking import Url as Url
from services.activities.asking import ask as ask
from services.activities.asking import connect as connect
from services.activities.keys.cli import keys
from services.activities.send.cli import send

app = typer.Typer(
    no_args_is_help=True, help="The front door of hocvuso.", pretty_exceptions_enable=False
)
app.add_typer(keys, name="keys")
app.command()(send)


if __name__ == "__main__":
    app()
