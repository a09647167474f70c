"""Nothing is answered before registry knows: an empty list would be a wrong answer. Pure ASGI."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.registry.state import State
from services.registry.web.render import problem_answer
from shared.problems import Problem

ALWAYS = ("/health/", "/metrics", "/static/", "/docs", "/openapi.json", "/plans/plan.schema.json")
"""What needs no definitions."""


class Readiness:
    """Answers 503 on every other route and page until the definitions of the log are folded."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(ALWAYS):
            state: State | None = getattr(scope["app"].state, "registry", None)
            reason = state.follower.why_not_ready if state is not None else "starting"
            if reason is not None:
                answer = problem_answer(Request(scope), not_ready(reason))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def not_ready(reason: str) -> Problem:
    """What `/health/ready` and, until then, all other addresses answer."""
    return Problem(
        "not-ready",
        f"registry is not ready: {reason}.",
        status=503,
        hint="Usually a matter of seconds; else look at the health of activities and of the"
        " database.",
        retryable=True,
        retry_after=1,
    )
