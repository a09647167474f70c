"""Who may read and write: whoever holds a key or session that says so; anyone may read where the
instance is open.

Writing always needs a credential of the caller's own: it is forwarded to activities, which judges it.
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request

from services.registry.disclosure import is_public
from services.registry.plans.territory import covered_by
from services.registry.posting import DEFAULT_SOURCE
from services.registry.sessions import session_of
from services.registry.state import Registry, State
from shared import auth
from shared.auth import Principal
from shared.auth.scopes import READ
from shared.problems import Problem

OWN_PAGES = frozenset({"same-origin", "none"})


PUBLIC = frozenset(
    {
        "/",
        "/plans",
        "/plans/{plan}",
        "/v1/plans",
        "/v1/plans/{plan}",
        "/v1/plans/{plan}/objectives",
        "/v1/plans/{plan}/table",
        "/v1/units",
        "/v1/units/{code}/children",
        "/v1/units/{code}/history",
    }
)
"""What may be read without a key once the province has opened a plan; all else never."""

OPEN = Principal("", "open", frozenset(), frozenset({READ}), kind="open")
ANONYMOUS = Principal("", "anonymous", frozenset(), frozenset(), kind="anonymous")


async def reader(
    request: Request,
    state: Registry,
    authorization: Annotated[str | None, Header()] = None,
) -> Principal:
    """The dependency of every route that shows data: a credential with the scope tables:read."""
    principal = await _reader(request, state, authorization)
    request.state.principal = principal
    return principal


async def _reader(request: Request, state: State, authorization: str | None) -> Principal:
    session = session_of(request)
    if authorization is None and session is not None:
        authorization = f"Bearer {session}"
    if state.settings.registry_open and authorization is None:
        return OPEN
    public = _is_open_to_all(request, state)
    if authorization is None and public:
        return ANONYMOUS
    principal = await state.keys.check(auth.bearer(authorization, tokens=True))
    if public and not principal.has(READ):
        return ANONYMOUS
    principal.require(READ)
    return principal


def _is_open_to_all(request: Request, state: State) -> bool:
    """Whether the address is public and its plan, or for lists any plan, has been opened."""
    if request.method != "GET" or getattr(request.scope.get("route"), "path", "") not in PUBLIC:
        return False
    plan = request.path_params.get("plan")
    plans = [plan] if plan else [p.plan for p in state.definitions.newest_versions()]
    return any(is_public(state, name) for name in plans)


def see_events(principal: Principal, state: State, unit_id: str) -> None:
    """Refuse whoever may not see the single events of a unit: other roles, other subtrees."""
    principal.require_staff()
    bound = principal.subtree
    if bound is not None and unit_id not in covered_by(state, bound):
        raise Problem(
            "unit-outside-key",
            f"The key shows single events of {bound} and the units below it only.",
            status=403,
            pointer="/unit",
            hint="Ask for your own unit or one below it.",
        )


@dataclass(frozen=True)
class Writer:
    """Somebody who wants to write: the header to forward, and what activities says of its key."""

    authorization: str
    principal: Principal

    @property
    def text(self) -> str:
        """The credential itself."""
        return self.authorization.removeprefix("Bearer ")

    def source(self, wanted: str | None = None) -> str:
        """The CloudEvents source to post under: the one asked for, else the key's first."""
        if wanted:
            return wanted
        return self.principal.sources[0] if self.principal.sources else DEFAULT_SOURCE


async def signed_in(
    request: Request,
    state: Registry,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Writer:
    """Who looks at a page of access: it needs a credential also where reading is open, but writes
    nothing, so a link from elsewhere may lead here."""
    session = session_of(request)
    text = auth.bearer(authorization or (session and f"Bearer {session}"), tokens=True)
    return _known(request, Writer(f"Bearer {text}", await state.keys.check(text)))


async def writer(
    request: Request,
    state: Registry,
    authorization: Annotated[str | None, Header()] = None,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site", include_in_schema=False)] = None,
    origin: Annotated[str | None, Header(include_in_schema=False)] = None,
    host: Annotated[str, Header(include_in_schema=False)] = "",
) -> Writer:
    """The dependency of every route that writes: a credential, also where reading is open."""
    session = session_of(request)
    if authorization is None and session is not None:
        # Browsers leave Sec-Fetch-Site out where there is no TLS; then Origin tells.
        own = site in OWN_PAGES if site is not None else _same(origin, host)
        if not own:
            raise _foreign()
        authorization = f"Bearer {session}"
    text = auth.bearer(authorization, tokens=True)
    return _known(request, Writer(f"Bearer {text}", await state.keys.check(text)))


def _known(request: Request, writer: Writer) -> Writer:
    """Pages show who reads them their own links."""
    request.state.principal = writer.principal
    return writer


async def own_page(
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site", include_in_schema=False)] = None,
    origin: Annotated[str | None, Header(include_in_schema=False)] = None,
    host: Annotated[str, Header(include_in_schema=False)] = "",
) -> None:
    """The dependency of forms that need no key: a page elsewhere must not sign anybody in or out."""
    foreign = site not in OWN_PAGES if site is not None else origin and not _same(origin, host)
    if foreign:
        raise _foreign()


def _foreign() -> Problem:
    return Problem(
        "foreign-page",
        "A page of another site, or a browser that does not say, may not write.",
        status=403,
        hint="Send the key in the Authorization header, or use the pages of registry.",
    )


def _same(origin: str | None, host: str) -> bool:
    return origin is not None and urlsplit(origin).netloc == host != ""


Reader = Depends(reader)
OwnPage = Depends(own_page)
CurrentPrincipal = Annotated[Principal, Depends(reader)]
SignedIn = Annotated[Writer, Depends(signed_in)]
Writing = Annotated[Writer, Depends(writer)]
