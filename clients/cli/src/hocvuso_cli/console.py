"""Writing to a console of any system: no letter stops a command, and JSON is one object."""

import json
import sys
from typing import Annotated, Any, NoReturn

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object instead of sentences")]


def any_letter() -> None:
    """Print what the console's code page cannot show as well as it can (older Windows consoles)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def write_json(value: Any) -> None:
    """One JSON text on standard output; ASCII where the console is not UTF-8."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not utf8, default=str))


def note(text: str) -> None:
    """For people, on standard error."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str, code: int = 1) -> NoReturn:
    """Say why and end."""
    note(text)
    raise typer.Exit(code)
