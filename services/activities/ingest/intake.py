"""From the bytes of one event to a candidate for the log: the one path for every way in."""

import logging
import traceback
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import rfc8785

from services.activities.ingest.envelope import UNCOUNTED, Envelopes
from services.activities.ingest.masks import Masks
from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.ingest.validate import Validator
from services.activities.keys.model import Key
from services.activities.log.model import Candidate, Kept
from services.activities.log.own_days import happened_on
from services.activities.privacy import Noticed, Pseudonyms
from shared import strict_json, telemetry
from shared.bodies import too_large
from shared.clock import Clock
from shared.contracts.definitions import Catalogue
from shared.identity.leaks import leaks, may_leak
from shared.problems import Problem

log = logging.getLogger(__name__)

Json = dict[str, Any]


@dataclass(slots=True)
class Judged:
    """What became of the bytes of one event: a candidate, or why not; both where it is refused
    unless the log has it already (`Candidate.refusal`).

    `source` and `id` are None where they are missing or must not be repeated.
    """

    source: str | None
    id: str | None
    candidate: Candidate | None = None
    problem: Problem | None = None


class Intake:
    """Judges events: strict JSON, attributes, rights, data, personal data, in this order."""

    def __init__(self, catalogue: Catalogue, pseudonyms: Pseudonyms, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._envelopes = Envelopes(catalogue, clock)
        self._validator = Validator(catalogue, pseudonyms)
        self._content_mac = pseudonyms.content_mac
        self._masks = Masks(catalogue, pseudonyms)

    def judge(self, raw: bytes, key: Key, traceparent: str | None) -> Judged:
        """Judge one event; never raises Problem."""
        event: Any = None
        mac: bytes | None = None
        try:
            if len(raw) > MAX_EVENT_BYTES:
                raise too_large(MAX_EVENT_BYTES, "An event")
            event, text, floats = strict_json.read(raw)
            if not isinstance(event, dict):
                raise Problem(
                    "event-not-object",
                    "An event is a JSON object.",
                    status=400,
                    hint="Send several as an array with application/cloudevents-batch+json.",
                )
            mac = self._mac(event, text, floats)
            candidate = self._candidate(event, mac, key, traceparent)
        except Problem as problem:
            if problem.pointer is not None and leaks(problem.pointer):
                problem.pointer = None
            source, id = _shown(event, "source"), _shown(event, "id")
            again = None
            if mac is not None and source is not None and id is not None:
                again = self._perhaps_known(event, source, id, mac, key, problem)
            return Judged(source, id, again, problem)
        except Exception as error:
            # A fault of ours in one event; those beside it, and its stream, go on.
            log.error("an event could not be judged: %s", _place(error))
            return Judged(None, None, None, _unjudged())
        return Judged(candidate.source, candidate.id, candidate)

    def _perhaps_known(
        self, event: Json, source: str, id: str, mac: bytes, key: Key, problem: Problem
    ) -> Candidate | None:
        """A refused event as a candidate that only the log refuses: it may have been accepted when
        the rules were others, and then it is a duplicate. None where the key may not post it."""
        kind = self._catalogue.get(self._masks.type_of(event))
        if kind is None:
            return None
        try:
            key.check(kind, source)
        except Problem:
            return None
        return Candidate(
            source, id, kind.type, "", "", date.min, {}, mac, key.name, refusal=problem
        )

    def judge_again(
        self, kept: dict[str, Any], mac: bytes | None, key: Key, traceparent: str | None
    ) -> Judged:
        """Judge an event out of the quarantine (masks.py), mended or not.

        `mac` is that of its content as posted; None when it was mended, then it is made from what
        the log stores of it, so that posting the mended event is a duplicate.
        """
        try:
            event = self._masks.open(kept)
            candidate = self._candidate(event, mac or b"", key, traceparent)
            if mac is None:
                candidate = replace(candidate, content_mac=self.stored_mac(candidate))
        except Problem as problem:
            return Judged(_shown(kept, "source"), _shown(kept, "id"), None, problem)
        return Judged(candidate.source, candidate.id, candidate)

    def keep(self, raw: bytes) -> Kept:
        """What is kept of an event that is refused."""
        try:
            if len(raw) > MAX_EVENT_BYTES:
                raise too_large(MAX_EVENT_BYTES, "An event")
            event, text, floats = strict_json.read(raw)
            if isinstance(event, dict):
                masked = self._masks.mask(event)
                return Kept(
                    _shown(masked, "source"),
                    _shown(masked, "id"),
                    self._masks.type_of(event),
                    masked,
                    self._mac(event, text, floats),
                    len(raw),
                )
        except Problem:
            pass
        except Exception as error:
            log.error("an event could not be masked: %s", _place(error))
        return Kept(None, None, "", None, self._content_mac(b"raw\0" + raw), len(raw))

    def keep_unread(self, problem: Problem, key: Key) -> Kept:
        """The same where the bytes themselves were not taken in: all alike are one."""
        digest = self._content_mac(f"unread\0{key.name}\0{problem.code}".encode())
        return Kept(None, None, "", None, digest, 0)

    def kept_before(self, kept: dict[str, Any]) -> Kept:
        """What to book an event out of the quarantine by."""
        source, id = _shown(kept, "source"), _shown(kept, "id")
        return Kept(source, id, self._masks.type_of(kept), None, b"", 0)

    def stored_mac(self, c: Candidate) -> bytes:
        """The MAC of an event as the log stores it."""
        stored: list[Any] = [c.source, c.id, c.type, c.subject, c.time, c.data]
        return self._content_mac(b"stored\0" + rfc8785.dumps(stored))

    def _mac(self, event: dict[str, Any], text: bytes, floats: bool) -> bytes:
        """The MAC of what a partner says, tracing left out; `text` is the event's sorted JSON."""
        if not event.keys().isdisjoint(UNCOUNTED):
            event = {name: value for name, value in event.items() if name not in UNCOUNTED}
            text = strict_json.sorted_json(event)
        return self._content_mac(strict_json.canonical(event, text, floats))

    def _candidate(
        self, event: dict[str, Any], mac: bytes, key: Key, traceparent: str | None
    ) -> Candidate:
        envelope = self._envelopes.check(event)
        key.check(envelope.type, envelope.source)
        noticed = Noticed()
        data, refused = self._validator.stored(
            envelope.type, envelope.version, envelope.data, noticed
        )
        occurred = envelope.occurred
        try:
            occurred = happened_on(envelope.type, data, occurred, self._clock)
        except Problem as problem:
            refused = refused or problem
        if "traceparent" in event:
            traceparent = _traced(event["traceparent"], traceparent)
        return Candidate(
            source=envelope.source,
            id=envelope.id,
            type=envelope.type.type,
            subject=envelope.subject,
            time=envelope.time,
            occurred=occurred,
            data=data,
            content_mac=mac,
            partner=key.name,
            roles=key.roles,
            traceparent=traceparent,
            era=key.era,
            subtree=key.subtree,
            sent=envelope.occurred,
            warnings=(
                *self._validator.warnings(envelope.type, data, envelope.occurred.isoformat()),
                *noticed.doubts,
            ),
            former=noticed.former,
            problem_if_new=envelope.in_future or refused,
        )


def _place(error: Exception) -> str:
    """Type and place of an error; its message may repeat what was sent."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {last.filename}"


def _unjudged() -> Problem:
    return Problem(
        "internal-error",
        "The event could not be judged; the fault is ours.",
        status=500,
        hint="It is kept in the quarantine and can be replayed; tell the operators its number.",
    )


def _traced(said: object, request: str | None) -> str | None:
    """The traceparent of an event's row: that of the request, unless its producer keeps a trace of
    its own for the event; then that one, and the request's span links to it."""
    own = telemetry.own_traceparent(said)
    if own is None or (request is not None and own[:35] == request[:35]):
        return request
    telemetry.link_to(own)
    return own


def _shown(event: Any, name: str) -> str | None:
    """`source` or `id` of a refused event, if it can be repeated."""
    value = event.get(name) if isinstance(event, dict) else None
    if not isinstance(value, str) or len(value) > 512 or (may_leak(value) and leaks(value)):
        return None
    return value
