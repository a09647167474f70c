"""`POST /v1/events` straight to its handler: the router and its layers cost as much as the event.

The route stays in the router too, for the document; both ways run the same function.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from services.activities.ingest.routes import post_events, router
from shared.problems import expected, problem_response

_ROUTE = next(route for route in router.routes if getattr(route, "endpoint", None) is post_events)


class EventsFirst:
    """Answers the one hot address; everything else goes on to the router."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["path"] != "/v1/events"
            or scope["method"] != "POST"
            or scope.get("root_path")
        ):
            await self._app(scope, receive, send)
            return
        scope["route"] = _ROUTE
        try:
            response = await post_events(Request(scope, receive, send))
        except Exception as error:
            # What the router's handlers would make of it.
            problem = expected(error, scope["method"], scope["path"])
            if problem is None:
                raise
            response = problem_response(problem)
        await response(scope, receive, send)
