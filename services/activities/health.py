"""`/health/live`: the process answers. `/health/ready`: it can take events."""

from fastapi import APIRouter, Request

from shared.db import ask_health
from shared.problems import Problem

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """200 as long as the process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(request: Request) -> dict[str, str]:
    """200 when the log can be reached; 503 with the reason otherwise."""
    try:
        await ask_health(request.app.state.pool, "SELECT 1 FROM counter WHERE one")
    except Exception as error:
        raise Problem(
            "log-unavailable",
            f"The event log's database does not answer ({type(error).__name__}).",
            status=503,
            hint="Check PostgreSQL and HOCVUSO_ACTIVITIES_DATABASE_URL.",
            retryable=True,
            retry_after=2,
        ) from error
    return {"status": "ready"}
