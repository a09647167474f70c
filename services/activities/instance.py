"""`GET /v1/instance`: what this instance is, before anybody posts to it."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

router = APIRouter(prefix="/v1/instance", tags=["instance"])


class Instance(BaseModel):
    """`sandbox` is decided when the instance is created and never changes."""

    sandbox: bool = Field(description="it holds simulated data; simulated events may be posted")
    epoch: str = Field(description="identity of this log; another epoch is another log")


@router.get("")
async def read_instance(request: Request) -> Instance:
    """Whether simulated events may be posted here, and which log this is."""
    row = await request.app.state.pool.fetchrow("SELECT sandbox, epoch FROM counter WHERE one")
    return Instance(sandbox=row["sandbox"], epoch=row["epoch"])
