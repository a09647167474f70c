"""How pages are made: templates, headers, problems as pages."""

from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.registry.state import State
from services.registry.web import words
from services.registry.web.problem_words import explain
from shared.contracts.definitions import Catalogue
from shared.problems import Problem

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.filters.update(
    number=words.number,
    percent=words.percent,
    day=words.day,
    day_before=words.day_before,
    moment=words.moment,
    target=words.target,
    deadline=words.deadline,
    status=words.status,
    flags=words.flags,
    remarks=words.remarks,
    explain=explain,
    period=words.period,
)
_pages.globals.update(
    LEVEL=words.LEVEL,
    STATE=words.STATE,
    POPULATION=Catalogue.load().words.enums["population"],
    fill=words.fill,
)

# No script, no frames, nothing from elsewhere: a page cannot be made to do anything else.
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class PageRoute(APIRoute):
    """Shows problems as pages; without a key, leads to the sign-in page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as problem:
                if problem.status == 401 and request.method == "GET":
                    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                    return RedirectResponse(f"/login?next={quote(here)}", 303)
                return _problem(request, problem)
            except RequestValidationError as error:
                first = error.errors()[0]
                detail = f"{first['loc'][-1]}: {first['msg']}"
                return _problem(request, Problem("invalid-parameter", detail))

        return guarded


def show(state: State, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    body = _pages.get_template(template).render(
        sandbox=state.settings.sandbox, today=state.clock.today(), **values
    )
    return HTMLResponse(body, status, headers=_SECURITY)


def _problem(request: Request, problem: Problem) -> HTMLResponse:
    state: State = request.app.state.registry
    return show(state, "problem.html", problem.status, problem=problem)


Day = Annotated[str, Query(max_length=10)]


def day_of(text: str, name: str) -> date | None:
    """A day from a form, where an empty field means none."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(
            "invalid-parameter",
            f"{name} is not a day.",
            pointer=f"/{name}",
            hint="Days are written YYYY-MM-DD.",
        ) from None
