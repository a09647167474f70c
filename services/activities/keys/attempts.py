"""A dependency that counts refusals of sign-ins, and lets nobody try too often."""

from collections.abc import AsyncIterator

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from services.activities.keys.uses import network
from shared.auth.attempts import Attempts
from shared.problems import Problem

REFUSALS = frozenset({"key-wrong", "key-malformed", "invitation-wrong", "key-of-another"})
NOTED = "hocvuso.attempt-noted"
"""Where a request's scope says that its failure is noted."""


async def limited(request: Request) -> AsyncIterator[None]:
    """Refuse a network that has failed too often (429); note a failure of this request.

    The guard in front of the routes asks it before the body is read, the route once more; a request
    is one failure.
    """
    attempts: Attempts = request.app.state.attempts
    who = network(request.client.host if request.client else None)
    attempts.check(who)
    try:
        yield
    except (Problem, HTTPException) as error:
        # What the guard raises while the framework reads a body is the cause of its exception.
        problem = error if isinstance(error, Problem) else error.__cause__
        if isinstance(problem, Problem) and problem.code in REFUSALS and NOTED not in request.scope:
            request.scope[NOTED] = True
            attempts.note(who)
        raise


Limited = Depends(limited)
