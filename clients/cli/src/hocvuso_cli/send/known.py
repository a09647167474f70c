"""The event types by the names that people type."""

from difflib import get_close_matches

from hocvuso_cli.console import fail
from hocvuso_cli.language import say
from hocvuso_cli.send.columns import Layout, layout, types
from hocvuso_client.envelope import TYPE_PREFIX


def layout_of(type_name: str) -> Layout:
    """The columns of a type; ends the command with near names when there is none."""
    name = type_name.removeprefix(TYPE_PREFIX)
    if name not in types():
        near = ", ".join(get_close_matches(name, types(), 3, 0.5) or types())
        fail(
            say(
                vi=f"Không có loại sự kiện {name!r}. Gần giống: {near}",
                en=f"There is no event type {name!r}. Near it: {near}",
            )
        )
    return layout(name)
