"""What registry writes: events, posted to activities with the key of whoever asked for them.

Registry has no right of its own to write; whether the caller may is for activities to say, and
what it says is passed on.
"""

import hashlib
from typing import Any

import httpx
import msgspec

from services.registry.units.catalogue import CloudEvent
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.problems import Problem

MEDIA_TYPE = "application/cloudevents-batch+json"
DEFAULT_SOURCE = "https://hocvuso.example/registry"
MOST = 1_000


def event(
    type: str, source: str, id: str, subject: str, time: str, data: dict[str, Any]
) -> CloudEvent:
    """A CloudEvent as activities takes it."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": EVENT_TYPE_PREFIX + type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }


def content_id(*parts: str, data: dict[str, Any]) -> str:
    """An id that the same content always gets: sending it again is answered as a duplicate."""
    digest = hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()[:16]
    return "-".join([*parts, digest])


async def post(
    activities: httpx.AsyncClient, authorization: str, events: list[CloudEvent], *, dry_run: bool
) -> dict[str, Any]:
    """Post all or none; the answer of activities. A refusal is raised as the problem it was.

    More than one batch is judged whole before any of it is written; ids that say the content make
    it safe to send all again when something breaks in between.
    """
    if len(events) <= MOST:
        return await _batch(activities, authorization, events, dry_run)
    batches = [events[i : i + MOST] for i in range(0, len(events), MOST)]
    for rehearsal in (True, False):
        if rehearsal or not dry_run:
            answers = [await _batch(activities, authorization, b, rehearsal) for b in batches]
    return {
        **{name: sum(a[name] for a in answers) for name in ("accepted", "duplicates", "rejected")},
        "results": [result for answer in answers for result in answer["results"]],
    }


async def _batch(
    activities: httpx.AsyncClient, authorization: str, events: list[CloudEvent], dry_run: bool
) -> dict[str, Any]:
    params = {"atomic": "true"} | ({"dry_run": "true"} if dry_run else {})
    try:
        answer = await activities.post(
            "/v1/events",
            params=params,
            content=msgspec.json.encode(events),
            headers={"Content-Type": MEDIA_TYPE, "Authorization": authorization},
        )
    except httpx.HTTPError as error:
        raise Problem(
            "activities-not-available",
            f"Nothing is known to have been written: activities did not answer"
            f" ({type(error).__name__}).",
            status=503,
            hint="Send the same request again in a moment; what was written is not written twice.",
            retryable=True,
            retry_after=2,
        ) from error
    body: dict[str, Any] = msgspec.json.decode(answer.content) if answer.content else {}
    if answer.status_code != 200:
        raise _passed_on(answer.status_code, body)
    # Those refused for another one's sake say nothing that helps.
    refused = [r for r in body["results"] if r["status"] in ("rejected", "conflict")]
    causes = [r for r in refused if (r.get("problem") or {}).get("code") != "atomic-batch-refused"]
    if refused:
        first = (causes or refused)[0]
        problem = dict(first.get("problem") or {})
        raise _passed_on(
            problem.get("status", 422), problem | {"pointer": f"/{first['index']}"}, len(causes)
        )
    return body


def _passed_on(status: int, body: dict[str, Any], causes: int = 1) -> Problem:
    return Problem(
        str(body.get("code", "activities-refused")),
        str(body.get("detail", "activities refused the request.")),
        status=int(status),
        hint=body.get("hint"),
        pointer=body.get("pointer"),
        retryable=bool(body.get("retryable")),
        extra={"refused": causes, "by": "activities"},
    )
