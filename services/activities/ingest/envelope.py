"""The CloudEvents 1.0 attributes of an event: checked here, the data elsewhere.

Every refusal names its attribute by pointer and none repeats a value.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from services.activities.log.own_days import EARLIEST_YEAR
from shared.clock import Clock, vietnam_day
from shared.contracts.definitions import Catalogue
from shared.contracts.model import EventType
from shared.contracts.topics import EVENT_TYPE_PREFIX
from shared.identity.leaks import leaks, may_leak
from shared.in_clear import in_clear
from shared.problems import Problem

ATTRIBUTES = frozenset(
    {
        *("specversion", "id", "source", "type", "subject", "time"),
        *("datacontenttype", "dataschema", "data", "traceparent", "tracestate"),
    }
)
EXTENSIONS = frozenset({"partitionkey", "sequence", "sequencetype", "correlationid", "causationid"})
"""Registered or customary extension attributes that are taken (scalars) and not stored."""

UNCOUNTED = ("traceparent", "tracestate", "datacontenttype")
"""Attributes that are no part of what a partner says: tracing, and what says only "JSON"."""

WITHOUT_SUBJECT = frozenset({"event.corrected", "event.revoked"})
LONGEST = {"id": 256, "source": 512, "subject": 128, "type": 128, "time": 64, "dataschema": 512}
FUTURE = timedelta(minutes=5)
LAST_YEAR = 9990

_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_SOURCE = re.compile(r"(?:https?://[^\s/?#@]+|urn:[A-Za-z0-9][A-Za-z0-9-]*:)[^\s<>\"{}|\\^`]*")
_SCHEMA = re.compile(r"[a-z][a-z0-9+.-]*:.*/schemas/([a-z_.]+)/([0-9]+)", re.IGNORECASE)
_UNSCANNED = frozenset({"time", "type"})  # never stored unless their form is exact
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(slots=True)  # not frozen: that would cost more to make than the checks
class Envelope:
    """The checked attributes; `type` is short, `occurred` the Vietnamese day of `time`;
    `in_future` refuses the event unless it is known already."""

    source: str
    id: str
    type: EventType
    version: str
    subject: str
    time: str
    occurred: date
    data: dict[str, Any]
    in_future: Problem | None


class Envelopes:
    """Checks attributes against the catalogue and the clock."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._good_sources: set[str] = set()
        self._good_subjects: set[str] = set()
        self._learn(catalogue.now)

    def _learn(self, catalogue: Catalogue) -> None:
        self._made_of = catalogue
        self._types = {EVENT_TYPE_PREFIX + name: kind for name, kind in catalogue.items()}

    def check(self, event: dict[str, Any]) -> Envelope:
        """The envelope of an event; raises Problem at the first attribute that is wrong."""
        if self._made_of is not self._catalogue.now:
            self._learn(self._catalogue.now)
        if event.get("specversion") != "1.0":
            raise _missing_or(event, "specversion", "specversion-unsupported", 'must be "1.0"')
        id = _text(event, "id")
        source = event.get("source")
        # A partner has few sources and many events: each source is looked at once.
        if not isinstance(source, str) or source not in self._good_sources:
            source = self._check_source(event)
        type_name = event.get("type")
        kind = self._types.get(type_name) if isinstance(type_name, str) else None
        if kind is None:
            raise self._unknown_type(_text(event, "type"))
        if kind.type in WITHOUT_SUBJECT and "subject" not in event:
            subject = ""
        else:
            given = event.get("subject")
            # And few units.
            if isinstance(given, str) and given in self._good_subjects:
                subject = given
            else:
                subject = self._check_subject(event)
        instant = self._instant(_text(event, "time"))
        if not event.keys() <= ATTRIBUTES:
            _check_extensions(event)
        content_type = event.get("datacontenttype")
        if content_type is not None and not is_json(content_type):
            raise Problem(
                "datacontenttype-unsupported",
                "The data of every event type is JSON.",
                pointer="/datacontenttype",
                hint="Leave it out or write application/json.",
            )
        data = event.get("data")
        if not isinstance(data, dict):
            raise _no_data(event)
        return Envelope(
            source, id, kind, self._version(event, kind), subject, event["time"],
            vietnam_day(instant), data, self._in_future(instant),
        )  # fmt: skip

    def _check_source(self, event: dict[str, Any]) -> str:
        source = _text(event, "source")
        if not _SOURCE.fullmatch(source):
            raise Problem(
                "source-malformed",
                "source is not an absolute URI.",
                pointer="/source",
                hint="Use a URI under your own domain, like https://congan.daklak.example/vneid.",
            )
        if len(self._good_sources) < 10_000:
            self._good_sources.add(source)
        return source

    def _check_subject(self, event: dict[str, Any]) -> str:
        subject = _text(event, "subject")
        if len(self._good_subjects) < 10_000:
            self._good_subjects.add(subject)
        return subject

    def _unknown_type(self, name: str) -> Problem:
        near = get_close_matches(name, self._types, 1, 0.75)
        if not near and EVENT_TYPE_PREFIX + name in self._types:
            near = [EVENT_TYPE_PREFIX + name]
        meant = f"Did you mean {near[0]}? " if near else ""
        return Problem(
            "type-unknown",
            "There is no such event type.",
            pointer="/type",
            hint=f"{meant}GET /v1/types lists them all; each begins with {EVENT_TYPE_PREFIX}",
        )

    def _version(self, event: dict[str, Any], kind: EventType) -> str:
        if "dataschema" not in event:
            return kind.latest
        found = _SCHEMA.fullmatch(_text(event, "dataschema"))
        if found is None or found[1] != kind.type:
            raise Problem(
                "dataschema-malformed",
                f"dataschema is not an absolute URI that ends in /schemas/{kind.type}/VERSION.",
                pointer="/dataschema",
                hint=f"Leave it out for the newest version, {kind.latest}.",
            )
        if found[2] not in kind.versions:
            raise Problem(
                "schema-version-unknown",
                f"{kind.type} has no such version.",
                pointer="/dataschema",
                hint=f"Versions: {', '.join(kind.versions)}.",
            )
        return found[2]

    def _instant(self, text: str) -> datetime:
        instant = None
        if _TIME.fullmatch(text):
            try:
                instant = datetime.fromisoformat(text.upper())
            except ValueError:
                instant = None
        if instant is None:
            raise Problem(
                "time-malformed",
                "time is not an RFC 3339 time with an offset.",
                pointer="/time",
                hint="Write it like 2026-06-30T09:12:00+07:00.",
            )
        if instant.year < EARLIEST_YEAR:
            raise Problem(
                "time-too-early",
                f"time lies before the year {EARLIEST_YEAR}.",
                pointer="/time",
                hint="Check the year.",
            )
        if instant.year > LAST_YEAR:
            raise self._ahead()
        return instant

    def _in_future(self, instant: datetime) -> Problem | None:
        return self._ahead() if instant - self._clock.now() > FUTURE else None

    def _ahead(self) -> Problem:
        return Problem(
            "time-in-future",
            "time lies in the future (more than five minutes after the server's clock,"
            f" {self._clock.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}).",
            pointer="/time",
            hint="Post events after they happened; check the clock and the offset.",
        )


def is_json(content_type: Any) -> bool:
    """Whether a media type says JSON in UTF-8."""
    if not isinstance(content_type, str):
        return False
    kind, *parameters = [part.strip().lower() for part in content_type.split(";")]
    return kind == "application/json" and all(
        p.replace('"', "") in ("", "charset=utf-8") for p in parameters
    )


def _text(event: dict[str, Any], name: str) -> str:
    """A required attribute that is a text of sane length and holds no personal data."""
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise _missing_or(event, name, "attribute-malformed", "must be a text that is not empty")
    if len(value) > LONGEST[name]:
        raise Problem(
            "attribute-too-long",
            f"{name} has more than {LONGEST[name]} characters.",
            pointer=f"/{name}",
            hint="Use a shorter one.",
        )
    if value[0] == " " or value[-1] == " " or not value.isprintable():
        _check_form(name, value)
    if name not in _UNSCANNED and may_leak(value) and leaks(value):
        raise in_clear(f"/{name}", name)
    return value


def _check_form(name: str, value: str) -> None:
    """Called for what is not plainly printable, which may still be good Unicode."""
    if value != value.strip() or _CONTROL.search(value):
        raise Problem(
            "attribute-malformed",
            f"{name} begins or ends with a space, or holds a control character.",
            pointer=f"/{name}",
            hint="Trim it.",
        )


def _missing_or(event: dict[str, Any], name: str, code: str, rule: str) -> Problem:
    if name not in event or event[name] is None:
        near = get_close_matches(name, [k for k in event if k not in ATTRIBUTES], 1, 0.7)
        also = " A member with a similar name is there." if near else ""
        return Problem(
            "attribute-missing",
            f"The CloudEvents attribute {name} is missing.{also}",
            pointer=f"/{name}",
            hint="Required: specversion, id, source, type, subject, time, data.",
        )
    return Problem(code, f"{name} {rule}.", pointer=f"/{name}", hint="See /docs for an example.")


def _check_extensions(event: dict[str, Any]) -> None:
    if "data_base64" in event:
        raise Problem(
            "data-base64-unsupported",
            "data_base64 is not taken: the data of every event type is JSON.",
            pointer="/data_base64",
            hint="Send the JSON itself as data.",
        )
    for name in event.keys() - ATTRIBUTES:
        if name not in EXTENSIONS:
            near = get_close_matches(name, ATTRIBUTES | EXTENSIONS, 1, 0.7)
            meant = f"Did you mean {near[0]}? " if near else ""
            raise Problem(
                "attribute-unknown",
                "The event has a member that is no attribute of CloudEvents and no extension taken"
                " here.",
                pointer=f"/{name}",
                hint=f"{meant}What the event says belongs into data. Extensions taken:"
                f" traceparent, tracestate, {', '.join(sorted(EXTENSIONS))}.",
            )
        value = event[name]
        if not isinstance(value, str | int | bool) or len(str(value)) > 256:
            raise Problem(
                "attribute-malformed",
                "An extension attribute is a text (up to 256 characters), a whole number or a"
                " truth value.",
                pointer=f"/{name}",
                hint="Structured values belong into data.",
            )
        if isinstance(value, str) and leaks(value):
            raise in_clear(f"/{name}", name)


def _no_data(event: dict[str, Any]) -> Problem:
    if event.get("data") is None:
        return Problem(
            "data-missing",
            "The event has no data.",
            pointer="/data",
            hint="See GET /v1/schemas/TYPE/VERSION for the fields.",
        )
    return Problem(
        "data-not-object",
        "data is not a JSON object.",
        pointer="/data",
        hint="Send the object itself, not its text.",
    )
