"""Whether the process lives, and whether its answers would be complete."""

from fastapi import APIRouter

from services.registry.readiness import not_ready
from services.registry.state import Registry
from shared.db import ask_health

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
        raise not_ready(reason)
    return {"status": "ready", "definitions": state.definitions.position}
