"""What stands around every page: who reads, in which language, and where they may go from here."""

from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.registry.plans.territory import covered_by
from services.registry.reach import has_part
from services.registry.state import State
from services.registry.web.language import COOKIE, N_, known, language
from shared.auth import Principal
from shared.auth.scopes import INVITE, READ, WRITE
from shared.domain.plan_history import PlanVersion
from shared.domain.units import Unit

BODY_COOKIE = "hocvuso_body"
"""The body whose tasks a browser opens first: `PLAN/BODY`."""
OF_A_PROVINCE = frozenset({"department", "party_body", "mass_organisation"})
"""Roles of bodies that lead tasks of a plan."""

_request: ContextVar[Request | None] = ContextVar("request", default=None)


class PageContext:
    """Tells the pages of a request their request and language. Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        _request.set(request)
        language.set(known(request.cookies.get(COOKIE)))
        await self._app(scope, receive, send)


@dataclass(frozen=True)
class Link:
    """One way on. `name`: a Vietnamese message."""

    address: str
    name: str
    here: bool = False


@dataclass(frozen=True)
class Frame:
    """`links`: the reader's own pages, the first one being where their day begins."""

    address: str
    language: str
    signed_in: bool
    links: tuple[Link, ...]
    more: tuple[Link, ...]


def frame(state: State) -> Frame:
    """The frame of the page that is being made."""
    request = _request.get()
    path = request.url.path if request is not None else "/"
    query = f"?{request.url.query}" if request is not None and request.url.query else ""
    principal: Principal | None = None
    if request is not None:
        principal = getattr(request.state, "principal", None)
    links, more = _links(state, principal)
    here = path.replace("/tasks", "/work", 1)  # a province's tasks stand under its bodies
    best = max((link.address for link in (*links, *more)
                if _within(path, link.address) or _within(here, link.address)),
               key=len, default=None)  # fmt: skip
    return Frame(
        path + query if request is not None and request.method == "GET" else path,
        language.get(),
        principal is not None and principal.is_signed_in,
        tuple(Link(one.address, one.name, one.address == best) for one in links),
        tuple(Link(one.address, one.name, one.address == best) for one in more),
    )


def _within(path: str, address: str) -> bool:
    start = address.partition("?")[0]
    return path == start or (start != "/" and path.startswith(start + "/"))


def commune_of(state: State, principal: Principal | None) -> Unit | None:
    """The commune whose staff reads: that of the key's unit; None for everybody else."""
    if principal is None or principal.subtree is None:
        return None
    unit = state.tree.unit(principal.subtree)
    if unit is None or unit.level == "commune":
        return unit
    above = state.tree.ancestors(unit.unit_id)
    return next((u for u in above if u.level == "commune"), None)


def plans_of(state: State, principal: Principal) -> list[PlanVersion]:
    """The plans of the reader's unit that run today, the nearest unit's own plan first."""
    today = state.clock.today()
    found = [
        plan
        for plan in state.definitions.newest_versions()
        if has_part(principal, state, plan)
        and plan.document["period"]["start"] <= today.isoformat() <= plan.document["period"]["end"]
    ]
    return sorted(found, key=lambda p: (len(covered_by(state, p.document["unit"])), p.plan))


def first_page(state: State, principal: Principal, body: str = "") -> str | None:
    """Where the reader's day begins: a commune has its week, a body that leads tasks what it chose to
    open first (`body`, as `PLAN/BODY`), a province its Monday; None: the plans."""
    if not principal.is_signed_in or not principal.has(READ):
        return None
    if commune_of(state, principal) is not None:
        return "/week"
    if principal.subtree is None and not principal.roles & OF_A_PROVINCE:
        return None
    plans = plans_of(state, principal)
    wanted, _, name = body.partition("/")
    for plan in plans:
        if plan.plan == wanted and name in {o["id"] for o in plan.document["organisations"]}:
            return f"/plans/{quote(plan.plan)}/work?body={quote(name, safe='')}"
    return f"/plans/{quote(plans[0].plan)}/week" if plans else None


def _links(state: State, principal: Principal | None) -> tuple[list[Link], list[Link]]:
    if principal is None or principal.kind == "anonymous":
        return [Link("/plans", N_("Kế hoạch")), Link("/login", "Đăng nhập")], []
    unit = commune_of(state, principal)
    plans = plans_of(state, principal) if principal.has(READ) else []
    if unit is not None:
        links, more = _of_commune(unit, plans), [Link("/plans", N_("Kế hoạch"))]
    elif principal.subtree is not None or principal.roles & OF_A_PROVINCE:
        links, more = _of_province(plans), [Link("/units", N_("Đơn vị"))]
    else:
        links, more = [Link("/plans", N_("Kế hoạch")), Link("/units", "Đơn vị")], []
    if principal.has(WRITE) or principal.kind == "open":
        if principal.is_signed_in:
            more.append(Link("/own", N_("Tôi đã nhập")))
        links.insert(1, Link("/enter", N_("Nhập hoạt động")))
    if principal.has(INVITE):
        more.append(Link("/staff", N_("Người dùng")))
    if principal.is_administrator:
        more.append(Link("/audit", N_("Nhật ký quản trị")))
    if principal.is_signed_in:
        more.append(Link("/devices", N_("Thiết bị")))
    return links, more


def _of_commune(unit: Unit, plans: list[PlanVersion]) -> list[Link]:
    """What a commune's staff does: its week, its targets, its reports, its tasks."""
    links = [Link("/week", N_("Việc tuần này"))]
    if plans:
        at, code = f"/plans/{quote(plans[0].plan)}", quote(unit.unit_id)
        links += [
            Link(f"{at}/units/{code}", N_("Chỉ tiêu")),
            Link(f"{at}/calendar?unit={code}", N_("Báo cáo")),
            Link(f"{at}/tasks?unit={code}", N_("Nhiệm vụ")),
        ]
    return links


def _of_province(plans: list[PlanVersion]) -> list[Link]:
    """What a province's or a department's staff does."""
    links = [Link("/plans", N_("Kế hoạch"))]
    if plans:
        at = f"/plans/{quote(plans[0].plan)}"
        links.insert(0, Link(f"{at}/week", N_("Tuần này")))
        links += [
            Link(f"{at}/work", N_("Nhiệm vụ")),
            Link(f"{at}/calendar", N_("Báo cáo")),
            Link(f"{at}/cold-spots", N_("Vùng lõm")),
        ]
    return links
