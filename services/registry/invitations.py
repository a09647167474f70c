"""Invitations of staff, as activities keeps them; registry only shows its forms."""

from typing import Any

import httpx

from shared.problems import Problem

ADDRESS = "/v1/invitations"


async def invitations(activities: httpx.AsyncClient, authorization: str) -> list[dict[str, Any]]:
    """Those within the key's reach, newest first."""
    found: list[dict[str, Any]] = await ask(activities, "GET", ADDRESS, authorization)
    return found


async def invite(
    activities: httpx.AsyncClient, authorization: str, order: dict[str, Any]
) -> dict[str, Any]:
    """Invite somebody; `code` of the answer is shown once."""
    made: dict[str, Any] = await ask(activities, "POST", ADDRESS, authorization, order)
    return made


async def revoke(activities: httpx.AsyncClient, authorization: str, id: str) -> None:
    """Withdraw an invitation and end its key."""
    await ask(activities, "DELETE", f"{ADDRESS}/{id}", authorization)


async def accept(
    activities: httpx.AsyncClient, code: str, sender: dict[str, str] | None = None
) -> dict[str, Any]:
    """The key of a code. `sender`: headers that say for whom registry asks."""
    made: dict[str, Any] = await ask(
        activities, "POST", f"{ADDRESS}/accept", "", {"code": code}, sender
    )
    return made


async def ask(
    activities: httpx.AsyncClient,
    method: str,
    address: str,
    authorization: str,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    """The JSON of an answer; what activities refuses is raised as the problem it was.

    The caller's key overrides that of the services; without a caller an empty one does.
    """
    try:
        answer = await activities.request(
            method, address, json=body, headers={"Authorization": authorization, **(headers or {})}
        )
    except httpx.HTTPError as error:
        raise Problem(
            "activities-not-available",
            f"activities, which keeps keys and sessions, did not answer ({type(error).__name__}).",
            status=503,
            hint="Try again in a moment.",
            retryable=True,
            retry_after=2,
        ) from error
    if answer.is_success:
        return answer.json() if answer.content else None
    said = answer.json() if answer.content else {}
    raise Problem(
        str(said.get("code", "activities-refused")),
        str(said.get("detail", "activities refused the request.")),
        status=answer.status_code,
        hint=said.get("hint"),
        pointer=said.get("pointer"),
        retryable=bool(said.get("retryable")),
        retry_after=_seconds(answer.headers.get("Retry-After")),
    )


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None
