"""Who may read and write: whoever holds a key; anyone may read where the instance is open.

Writing always needs a key of the caller's own: it is forwarded to activities, which judges it.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Cookie, Depends, Header

from services.registry.keys import Rights
from services.registry.posting import DEFAULT_SOURCE
from services.registry.state import Registry
from shared import auth
from shared.problems import Problem

KEY_COOKIE = "hocvuso_key"
"""Holds the key of a browser that signed in. It is SameSite=strict, and what it may write is
refused unless the browser says that the page was ours."""

OWN_PAGES = frozenset({"same-origin", "none"})


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


@dataclass(frozen=True)
class Writer:
    """Somebody who wants to write: the header to forward, and what activities says of the key."""

    authorization: str
    rights: Rights

    def source(self, wanted: str | None = None) -> str:
        """The CloudEvents source to post under: the one asked for, else the key's first."""
        if wanted:
            return wanted
        return self.rights.sources[0] if self.rights.sources else DEFAULT_SOURCE


async def writer(
    state: Registry,
    authorization: Annotated[str | None, Header()] = None,
    cookie: Annotated[str | None, Cookie(alias=KEY_COOKIE, include_in_schema=False)] = None,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site", include_in_schema=False)] = None,
) -> Writer:
    """The dependency of every route that writes: a key, also where reading is open."""
    if authorization is None and cookie is not None:
        if site not in OWN_PAGES:
            raise Problem(
                "foreign-page",
                "A page of another site, or a browser that does not say, may not write.",
                status=403,
                hint="Send the key in the Authorization header, or use the pages of registry.",
            )
        authorization = f"Bearer {cookie}"
    text = auth.bearer(authorization)
    return Writer(f"Bearer {text}", await state.keys.check(text))


Reader = Depends(reader)
Writing = Annotated[Writer, Depends(writer)]
