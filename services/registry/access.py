"""Who may read: whoever holds a key, or anyone where the instance is open."""

from typing import Annotated

from fastapi import Cookie, Depends, Header

from services.registry.state import Registry
from shared import auth

KEY_COOKIE = "hocvuso_key"
"""Holds the key of a browser that signed in; the routes read only, so it can change nothing."""


async def reader(
    state: Registry,
    authorization: Annotated[str | None, Header()] = None,
    cookie: Annotated[str | None, Cookie(alias=KEY_COOKIE, include_in_schema=False)] = None,
) -> None:
    """The dependency of every route that shows data."""
    if authorization is None and cookie is not None:
        authorization = f"Bearer {cookie}"
    if state.settings.registry_open and authorization is None:
        return
    await state.keys.check(auth.bearer(authorization))


Reader = Depends(reader)
