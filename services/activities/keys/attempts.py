"""A dependency that counts refusals of sign-ins, and lets nobody try too often."""

from collections.abc import AsyncIterator

from fastapi import Depends, Request

from services.activities.keys.uses import network
from shared.auth.attempts import Attempts
from shared.problems import Problem

REFUSALS = frozenset({"key-wrong", "key-malformed", "invitation-wrong", "key-of-another"})


async def limited(request: Request) -> AsyncIterator[None]:
    """Refuse a network that has failed too often (429); note a failure of this request."""
    attempts: Attempts = request.app.state.attempts
    who = network(request.client.host if request.client else None)
    attempts.check(who)
    try:
        yield
    except Problem as problem:
        if problem.code in REFUSALS:
            attempts.note(who)
        raise


Limited = Depends(limited)
