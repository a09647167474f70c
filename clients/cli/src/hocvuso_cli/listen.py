"""`hocvuso listen`: accepted and refused events as they come."""

import json
import time
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import typer

from hocvuso_cli.console import AsJson, any_letter, note
from hocvuso_cli.language import Lang, say
from hocvuso_cli.server import KeyFile, ProfileName, Server, Url, server

VIETNAM = timezone(timedelta(hours=7))
EVERY_S = 2.0


def listen(
    source: Annotated[str | None, typer.Option(help="only events of this source")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="end after so long; default: until Ctrl-C")
    ] = None,
    profile: ProfileName = None,
    url: Url = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show what of your events is accepted and refused from now on, one a line.

    With --json every line is one JSON object. Ctrl-C ends it.
    """
    any_letter()
    to = server(profile, url, key_file)
    until = None if seconds is None else time.monotonic() + seconds
    cursor = _ask(to, source, None)["cursor"]
    note(say(vi=f"đang nghe {to.url} (Ctrl-C để dừng)", en=f"listening to {to.url} (Ctrl-C ends)"))
    try:
        while True:
            feed = _ask(to, source, cursor)
            cursor = feed["cursor"]
            for entry in feed["entries"]:
                print(json.dumps(entry) if as_json else line(entry), flush=True)
            if until is not None and time.monotonic() >= until:
                return
            time.sleep(
                EVERY_S if until is None else min(EVERY_S, max(0.0, until - time.monotonic()))
            )
    except KeyboardInterrupt:
        note("")


def _ask(to: Server, source: str | None, cursor: str | None) -> dict[str, Any]:
    params = {k: v for k, v in (("source", source), ("cursor", cursor)) if v is not None}
    return dict(to.ask("GET", "/v1/feed", params=params).json())


def line(entry: dict[str, Any]) -> str:
    """One entry for people."""
    at = datetime.fromisoformat(entry["at"]).astimezone(VIETNAM)
    what = f"{at:%H:%M:%S}  {entry['type'] or '?':<24} {entry['id'] or '?'}"
    if entry["status"] == "accepted":
        word = say(vi="đã nhận", en="accepted")
        return f"{what}  {word} {entry['position']}, {entry['unit_id']}"
    word = say(vi="BỊ TỪ CHỐI", en="REFUSED")
    hint = f" {entry['hint']}" if entry.get("hint") else ""
    return f"{what}  {word} {entry['code']}: {entry['detail']}{hint} (#{entry['number']})"
