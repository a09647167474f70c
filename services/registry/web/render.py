"""How pages are made: templates, headers, problems as pages."""

from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from services.registry.state import JoinedRoute, State
from services.registry.web import cell_words, language, upload, words
from services.registry.web.assets import asset
from services.registry.web.frame import frame
from services.registry.web.notes import note_vi, warning_vi
from services.registry.web.problem_words import explain, where
from shared.api_reference import POLICY
from shared.bodies import read_form
from shared.contracts.live import of_process
from shared.problems import Problem, expected, problem_response
from shared.refused_parameters import words as wrong_words

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
_pages.policies["ext.i18n.trimmed"] = True
_pages.install_gettext_callables(  # type: ignore[attr-defined]
    language.gettext, language.ngettext, newstyle=True
)
_pages.filters.update(
    number=language.number,
    percent=language.percent,
    title=language.title,
    said=language.gettext,
    day=words.day,
    day_before=words.day_before,
    moment=words.moment,
    clock=words.clock,
    day_of_moment=words.day_of_moment,
    target=words.target,
    own_target=cell_words.own_target,
    goal=cell_words.goal,
    value_says=cell_words.value_says,
    days_of=cell_words.days_of,
    value_days=cell_words.value_days,
    status_days=cell_words.status_days,
    deadline=words.deadline,
    status=words.status,
    flags=words.flags,
    remarks=words.remarks,
    explain=explain,
    where=where,
    uncounted=words.uncounted,
    period=language.period,
    note_vi=note_vi,
    warning_vi=warning_vi,
)
_pages.globals.update(
    asset=asset,
    LANGUAGES=language.LANGUAGES,
    SCHEME=words.SCHEME,
    LEVEL=words.LEVEL,
    STATE=words.STATE,
    population_name=lambda name: of_process().words.enums["population"].get(name, name),
    fill=words.fill,
    other_target=cell_words.other_target,
    other_deadline=cell_words.other_deadline,
)


HEADERS = POLICY | {
    "Content-Security-Policy": f"{POLICY['Content-Security-Policy']}; font-src 'self'",
    "Cache-Control": "private, no-cache",
    "Vary": "Cookie",
}
"""Of every page. A browser asks again each time, and gets 304 while nothing has changed."""

CONFIRMATION = "confirmation-required"
"""Answer of activities to a session that has to show its key again."""


class PageRoute(APIRoute):
    """Shows problems as pages; without a key, leads to the sign-in page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                first = error.errors()[0]
                name = str(first["loc"][-1])
                wrong = Problem(
                    "invalid-parameter", f"{name}: {wrong_words(first)[0]}", pointer=f"/{name}"
                )
                return _problem(request, wrong)
            except Exception as error:
                problem = expected(error, request.method, request.url.path)
                if problem is None:
                    raise
                if problem.status == 401 and request.method == "GET":
                    return RedirectResponse(f"/login?next={quote(_here(request))}", 303)
                if needs_person(problem):
                    return await _keep_typed(request, problem)
                return _problem(request, problem)

        return guarded


def needs_person(problem: Problem) -> bool:
    """Whether whoever asks must sign in or show the key again: no form answers that by itself."""
    return problem.status == 401 or problem.code == CONFIRMATION


async def _keep_typed(request: Request, problem: Problem) -> Response:
    """The session ended, or the key must be shown again, while somebody filled in a form: the same
    form, to send again afterwards. Identity numbers are not shown again. Only for forms of this site.
    """
    confirm = problem.code == CONFIRMATION
    origin, host = request.headers.get("origin"), request.headers.get("host")
    site = request.headers.get("sec-fetch-site")
    own = site == "same-origin" if site else bool(origin) and urlsplit(origin).netloc == host
    if not own or request.url.path in WITH_SECRETS:
        return _problem(request, problem)
    files = request.headers.get("content-type", "").startswith("multipart/")
    try:
        if files:
            form = await _packed(request)
        else:
            form = await read_form(request, LARGEST_TYPED, blanks=True)
    except Problem:
        return _problem(request, problem)
    if not form:
        page = "confirm" if confirm else "login"
        return RedirectResponse(f"/{page}?next={quote(_here(request))}", 303)
    secret_names = {n.removesuffix(".scheme") for n in form if n.endswith(".scheme")}
    kept = [(n, v) for n, values in form.items() for v in values if n not in secret_names]
    again = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    state: State = request.app.state.registry
    lost = any(value for name in secret_names for value in form.get(name, []))
    return show(
        state, "typed.html", problem.status, kept=kept, again=again, lost=lost, files=files,
        confirm=confirm,
    )  # fmt: skip


async def _packed(request: Request) -> dict[str, list[str]]:
    """The fields of a form with a file; the file as what the form that confirms it carries."""
    form = await upload.read_upload(request, LARGEST_FILE)
    found = {
        name: [value.decode("utf-8", "replace") for value in values]
        for name, values in form.items()
        if name != "file"
    }
    for body in filter(None, form.get("file", [])):
        found["file-packed"] = [upload.pack(body)]
    return found


LARGEST_TYPED = 512 * 1024
LARGEST_FILE = 5 * 1024 * 1024
"""Bytes of what is taken along to be sent again."""

WITH_SECRETS = frozenset({"/login", "/accept", "/confirm"})
"""Forms in which a key or code is typed."""


def _here(request: Request) -> str:
    """The page that a request was made from, as an address of this site."""
    if request.method != "GET":
        came = urlsplit(request.headers.get("referer", ""))
        own = came.netloc == request.headers.get("host")
        return (came.path + (f"?{came.query}" if came.query else "")) if own and came.path else "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def secret(page: HTMLResponse) -> HTMLResponse:
    """A page that shows a secret is kept nowhere."""
    page.headers["Cache-Control"] = "no-store"
    return page


def with_script(page: HTMLResponse) -> HTMLResponse:
    """A page that needs one of our own scripts (`static/`)."""
    policy = page.headers["Content-Security-Policy"]
    page.headers["Content-Security-Policy"] = f"{policy}; script-src 'self'"
    return page


def with_queue(page: HTMLResponse) -> HTMLResponse:
    """A page that keeps what is entered without a network: its scripts and what they ask."""
    page = with_script(page)
    policy = page.headers["Content-Security-Policy"]
    page.headers["Content-Security-Policy"] = f"{policy}; connect-src 'self'; worker-src 'self'"
    return page


class JoinedPageRoute(PageRoute, JoinedRoute):
    """The same for pages that show numbers of units and plans."""


def show(state: State, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    body = _pages.get_template(template).render(
        sandbox=state.settings.sandbox, today=state.clock.today(), frame=frame(state), **values
    )
    return HTMLResponse(body, status, headers=HEADERS)


def _problem(request: Request, problem: Problem) -> HTMLResponse:
    state: State = request.app.state.registry
    page = show(state, "problem.html", problem.status, problem=problem)
    if problem.retry_after is not None:
        page.headers["Retry-After"] = str(problem.retry_after)
    return page


def problem_answer(request: Request, problem: Problem) -> Response:
    """A problem for whoever asks: a page for browsers, problem details for programs."""
    return problem_response(problem) if _is_api(request) else _problem(request, problem)


def _is_api(request: Request) -> bool:
    asks_for_page = "text/html" in request.headers.get("Accept", "")
    return request.url.path.startswith("/v1/") or not asks_for_page


def install(app: FastAPI) -> None:
    """Answer browsers with a page also where no page is: an unknown address, a failure of ours."""
    plain = dict(app.exception_handlers)

    async def show_error(request: Request, error: Exception) -> Response:
        kind = HTTPException if isinstance(error, HTTPException) else Exception
        answer: Response = await plain[kind](request, error)
        if _is_api(request):
            return answer
        said = msgspec.json.decode(answer.body)
        problem = Problem(
            said["code"], said["detail"], status=said["status"], retryable=said["retryable"]
        )
        return _problem(request, problem)

    app.add_exception_handler(HTTPException, show_error)
    app.add_exception_handler(Exception, show_error)


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
