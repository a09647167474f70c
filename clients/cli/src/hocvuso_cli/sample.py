"""`hocvuso sample TYPE`: a valid event to begin with."""

import copy
import json
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer

from hocvuso_cli.console import AsJson, any_letter, write_json
from hocvuso_cli.language import Lang
from hocvuso_cli.send.columns import types
from hocvuso_cli.send.known import layout_of
from hocvuso_client import uuid7
from hocvuso_client.envelope import TYPE_PREFIX

VIETNAM = timezone(timedelta(hours=7))
SUBJECT, PROVINCE = "24133", "66"
SOURCE = "https://buon-ma-thuot.daklak.example/so-tay"
_OF_UNITS = ("unit.", "population.")


def sample(
    type: Annotated[
        str | None, typer.Argument(help="event type, like class.held; without one: list them")
    ] = None,
    source: Annotated[str, typer.Option(help="source URI of the event")] = SOURCE,
    subject: Annotated[str | None, typer.Option(help="code of the unit")] = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Print a valid event of a type as one line, to change and send; without a type, list them.

    `hocvuso sample class.held > one.ndjson && hocvuso send one.ndjson`
    """
    any_letter()
    if type is None:
        if as_json:
            write_json({name: about["title_vi"] for name, about in types().items()})
            return
        for name, about in types().items():
            print(f"{name:<28} {about['title_vi']}")
        return
    print(json.dumps(make(layout_of(type).type, source, subject), ensure_ascii=False))


def make(name: str, source: str = SOURCE, subject: str | None = None) -> dict[str, Any]:
    """An event of the type with an id of its own, that happened an hour ago."""
    about = types()[name]
    data = copy.deepcopy(about["example"])
    now = datetime.now(VIETNAM).replace(microsecond=0) - timedelta(hours=1)
    event = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": source,
        "type": TYPE_PREFIX + name,
        "time": now.isoformat(),
    }
    if about["needs_subject"]:
        event["subject"] = subject or str(data.get("unit_id") or SUBJECT)
        if name.startswith("plan."):
            event["subject"] = subject or PROVINCE
    return {**event, "data": data}
