"""Whether the process lives, and whether its answers would be complete."""

from fastapi import APIRouter

from services.registry.state import Registry
from shared.db import ask_health
from shared.problems import Problem

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(state: Registry) -> dict[str, str | int]:
    """200 once the definitions that were in the log at start are here and the database answers."""
    reason = state.follower.why_not_ready
    if reason is None:
        try:
            await ask_health(state.pool, "SELECT 1 FROM progress")
        except Exception as error:
            reason = f"the database does not answer ({type(error).__name__})"
    if reason is not None:
        raise Problem(
            "not-ready",
            f"registry is not ready: {reason}.",
            status=503,
            hint="Usually a matter of seconds; else look at the health of activities and of the"
            " database.",
            retryable=True,
            retry_after=1,
        )
    return {"status": "ready", "definitions": state.definitions.position}
