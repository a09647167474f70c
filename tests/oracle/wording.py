"""What a plan says of one unit on one day, naively: from its versions and amendments as posted.

Part of the oracle: from the design's words, shares no code with `services` or `shared`. The deadline
is that of the day asked about; once it is over, the target is the one that was valid on it. A
deadline that came due while the plan stood so, and everybody knew it, stays beside later ones.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.oracle.truth import Fact, Json, merged

Items = dict[str, Json]


@dataclass(frozen=True)
class Version:
    """A published document, with the day on which it was recorded."""

    document: Json
    recorded: date


@dataclass(frozen=True)
class Change:
    """An amendment of an objective, with the day on which it was recorded."""

    data: Json
    recorded: date

    def holds(self, unit: str | None, valid: date, known: date) -> bool:
        """Whether it is valid on a day, and was recorded by another one, for a unit."""
        mine = self.data.get("for_unit") in (None, unit)
        return (
            mine and date.fromisoformat(self.data["valid_from"]) <= valid and self.recorded <= known
        )


class Wording:
    """The objectives of one plan for everybody (None) and for each unit."""

    def __init__(self, versions: list[Version], changes: list[Change]) -> None:
        """`changes` in the order in which they were posted."""
        self._versions, self._changes = versions, changes
        self._kept: dict[Any, Items] = {}
        self.own = sorted({c.data["for_unit"] for c in changes if "for_unit" in c.data})
        self._started = min(version.recorded for version in versions)

    def names(self, day: date) -> list[str]:
        """Every objective that anybody has."""
        return sorted({name for who in (None, *self.own) for name in self._valid(who, day)})

    def read(self, name: str, unit: str | None, day: date) -> Json | None:
        """The objective on a day; None: it asks nothing of the unit."""
        return _decided(name, day, lambda when: self._valid(unit, when))

    def known(self, name: str, unit: str | None, day: date) -> Json | None:
        """The same, with nothing that was recorded later than that day."""
        return _decided(name, day, lambda when: self._items(unit, when, day))

    def came_due(self, name: str, unit: str | None, day: date) -> list[date]:
        """Deadlines before a day, as they stood when they came, other than the one that holds."""
        if not self._changes and len(self._versions) == 1:
            return []
        now = self.read(name, unit, day)
        found, at = [], self._started
        while at < day:
            then = self._items(unit, at, at).get(name)
            due = then.get("last_day") if then is not None else None
            if due == at.isoformat() and (now is None or due != now.get("last_day")):
                found.append(at)
            at += timedelta(days=1)
        return found

    def _valid(self, unit: str | None, day: date) -> Items:
        return self._items(unit, day, date.max)

    def _items(self, unit: str | None, valid: date, known: date) -> Items:
        key = (unit if unit in self.own else None, valid, known)
        if key not in self._kept:
            self._kept[key] = self._made(unit, valid, known)
        return self._kept[key]

    def _made(self, unit: str | None, valid: date, known: date) -> Items:
        versions = [v.document for v in self._versions if v.recorded <= known]
        if not versions:
            return {}
        newest = max(versions, key=lambda document: int(document.get("version", 1)))
        items = {one["id"]: one for one in newest["objectives"]}
        for change in self._changes:
            if not change.holds(unit, valid, known):
                continue
            data, name = change.data, change.data["objective"]
            if data.get("action") == "end":
                items.pop(name, None)
            elif data.get("action") == "add":
                items[name] = {"id": name, **data["changes"]}
            elif name in items:
                items[name] = _with_day(merged(items[name], data["changes"]), data["changes"])
        return items


def _decided(name: str, day: date, items: Any) -> Json | None:
    """The objective of a day; once its deadline is over, with the target that was valid on it."""
    now: Json | None = items(day).get(name)
    if now is None or not now.get("last_day") or now["last_day"] >= day.isoformat():
        return now
    then = items(date.fromisoformat(now["last_day"])).get(name)
    return now if then is None else {**now, "target": then["target"]}


def _with_day(item: Json, changes: Json) -> Json:
    """A deadline is the last day; "before" a day excludes it."""
    if not {"deadline", "deadline_exclusive"} & changes.keys():
        return item
    if item.get("deadline") is None:
        return {**item, "last_day": None}
    last = date.fromisoformat(item["deadline"])
    if item.get("deadline_exclusive"):
        last -= timedelta(days=1)
    return {**item, "last_day": last.isoformat()}


def wording(
    plan: Json, since: date | None, facts: list[Fact], recorded: dict[int, date]
) -> Wording:
    """Of a plan that was published on a day, and what was posted of it later (None: nothing counts
    but the plan as it is); `recorded`: the day of each posted event, by its position."""
    versions, changes = [Version(plan, since or date.min)], list[Change]()
    if since is None:
        return Wording(versions, changes)
    for fact in sorted(facts, key=lambda one: one.position):
        if fact.data.get("plan") != plan["id"]:
            continue
        if fact.type == "plan.published":
            versions.append(Version(fact.data["document"], recorded[fact.position]))
        if fact.type == "plan.amended":
            changes.append(Change(fact.data, recorded[fact.position]))
    return Wording(versions, changes)
