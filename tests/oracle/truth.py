"""What the posted events say, naively: who corrected, revoked, cancelled or linked what.

Part of the oracle: written from the design's wording, shares no code with `services` or `shared`,
and knows the catalogue only by the small tables below. Slow and obvious on purpose.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

Json = dict[str, Any]

VIETNAM = timezone(timedelta(hours=7))

STATE_FROM = {"committee.established", "mentor.assigned", "staff.assigned", "team.established"}
HOLDS_FROM = {"figure.reported": "as_of"} | dict.fromkeys(STATE_FROM, "from")
STATE_TO = STATE_FROM | {
    "app.installed",
    "certificate.issued",
    "citizen.certified",
    "column.opened",
    "digital_identity.activated",
    "domain.registered",
    "household.member_qualified",
    "model.recognised",
    "signature.registered",
}
OWN_DAY = {
    "app.installed": "installed_on",
    "certificate.issued": "issued_on",
    "citizen.certified": "certified_on",
    "course.completed": "completed_on",
    "digital_identity.activated": "activated_on",
    "post.published": "published_on",
    "signature.registered": "registered_on",
}
THINGS = {
    "class.held": "class_ref",
    "launch.held": "launch_ref",
    "assistance.requested": "request_ref",
    "coverage_gap.recorded": "gap_ref",
}
REFERENCES = {
    "training.attended": ("class_ref", "class.held"),
    "course.completed": ("class_ref", "class.held"),
    "certificate.issued": ("class_ref", "class.held"),
    "launch.attended": ("launch_ref", "launch.held"),
    "assistance.given": ("request_ref", "assistance.requested"),
    "coverage_gap.closed": ("gap_ref", "coverage_gap.recorded"),
}
OLD_CHANNELS = {
    "binhdanhocvuso.gov.vn": "binhdanhocvuso",
    "mooc": "binhdanhocvuso",
    "vneid": "vneid",
    "other": "other",
}


@dataclass(frozen=True)
class Posted:
    """One event as posted, with the Vietnamese day on which it was recorded."""

    event: Json
    recorded: date


@dataclass(frozen=True)
class Fact:
    """What one event says in the end. `first`..`last`: the days on which it holds."""

    position: int
    type: str
    source: str
    id: str
    unit: str
    occurred: date
    first: date
    last: date | None
    data: Json


def day_of(time: str) -> date:
    """The Vietnamese day of an RFC 3339 time."""
    return datetime.fromisoformat(time).astimezone(VIETNAM).date()


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


class Truth:
    """Everything known by the end of the day `known_at`."""

    def __init__(self, posted: list[Posted], known_at: date | None = None) -> None:
        self._events: dict[tuple[str, str], tuple[int, Json]] = {}
        for position, one in enumerate(posted):
            if known_at is None or one.recorded <= known_at:
                key = (one.event["source"], one.event["id"])
                self._events.setdefault(key, (position, one.event))
        self._about: dict[tuple[str, str], list[Json]] = {}
        for _, event in sorted(self._events.values(), key=lambda pair: pair[0]):
            for verb in ("corrects", "revokes"):
                if verb in event["data"]:
                    named = event["data"][verb]
                    self._about.setdefault((named["source"], named["id"]), []).append(event)
        self.facts = self._facts()
        self._person_of = self._linked()

    def person(self, reference: Json) -> str:
        """One name for one person, whatever number they came under."""
        name = _reference(reference)
        return self._person_of.get(name, name)

    def _standing(self, key: tuple[str, str], verb: str) -> list[Json]:
        """Corrections or revocations of an event that are not themselves revoked."""
        about = [event for event in self._about.get(key, []) if verb in event["data"]]
        return [e for e in about if not self._standing((e["source"], e["id"]), "revokes")]

    def _says(self, key: tuple[str, str]) -> Json | None:
        """Subject, time and data of an event after its corrections; None if revoked."""
        _, event = self._events[key]
        if self._standing(key, "revokes"):
            return None
        says = {name: event[name] for name in ("subject", "time", "data")}
        if event.get("dataschema", "").endswith("/schemas/course.registered/1"):
            data = dict(says["data"])
            data["platform"] = OLD_CHANNELS[data.pop("channel", "mooc")]
            says["data"] = data
        for correction in self._standing(key, "corrects"):
            # What a correction says may have been corrected too.
            now = self._says((correction["source"], correction["id"]))
            # None only where a test leaves out that revoked corrections do not stand.
            says = merged(says, (now or correction)["data"]["changes"])
        return says

    def _facts(self) -> list[Fact]:
        said = {key: self._says(key) for key in self._events}
        gone = set()
        for key, (_, event) in self._events.items():
            kind = _short(event)
            if kind in THINGS and said[key] is None and THINGS[kind] in event["data"]:
                gone.add((kind, event["source"], event["data"][THINGS[kind]]))
        facts = []
        for key, (position, event) in self._events.items():
            kind, says = _short(event), said[key]
            if says is None or kind.startswith("event."):
                continue
            if kind in REFERENCES and REFERENCES[kind][0] in says["data"]:
                field, thing = REFERENCES[kind]
                owner, _, name = says["data"][field].rpartition("#")
                if (thing, owner or event["source"], name) in gone:
                    continue
            facts.append(_fact(position, event, kind, says))
        return facts

    def _linked(self) -> dict[str, str]:
        """Refs that standing links connect, each with the name of its group."""
        name_of: dict[str, str] = {}
        for fact in self.facts:
            if fact.type == "person.linked":
                one, other = (_reference(fact.data[name]) for name in ("person", "same_as"))
                one, other = name_of.get(one, one), name_of.get(other, other)
                for name, group in list(name_of.items()):
                    if group == other:
                        name_of[name] = one
                name_of[one] = name_of[other] = one
        return name_of


def _short(event: Json) -> str:
    return str(event["type"]).removeprefix("vn.hocvuso.")


def _reference(reference: Json) -> str:
    value = str(reference["value"])
    if reference["scheme"] == "phone" and value.startswith("+84"):
        value = "0" + value[3:]
    return f"{reference['scheme']}:{value}"


def _fact(position: int, event: Json, kind: str, says: Json) -> Fact:
    occurred, data = day_of(says["time"]), says["data"]
    if kind in OWN_DAY and OWN_DAY[kind] in data:
        occurred = date.fromisoformat(data[OWN_DAY[kind]])
    first = data.get(HOLDS_FROM[kind]) if kind in HOLDS_FROM else None
    last = data.get("to") if kind in STATE_TO else None
    subject = says["subject"]
    return Fact(
        position=position,
        type=kind,
        source=event["source"],
        id=event["id"],
        unit=subject if "@" in subject else f"{subject}@2025",
        occurred=occurred,
        first=date.fromisoformat(first) if first else occurred,
        last=date.fromisoformat(last) if last else None,
        data=data,
    )
