"""A plan as amended: targets, deadlines and readings that other documents have changed. Pure.

An amendment is a merge patch (RFC 7396) over one objective, for the whole plan or for one unit. One
that leaves nothing countable changes nothing, and the cells say so: `amendment_refused`.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec

from shared.contracts.definitions import Catalogue
from shared.domain.compile import WRONG, compile_objective, compile_plan
from shared.domain.objectives import Objective
from shared.merge_patch import merge_patch

Json = dict[str, Any]

REFUSED = "amendment_refused"
LIMITED = "extension_limited"


class Amendment(NamedTuple):
    """One change of one objective (of tasks and duties, metrics knows nothing)."""

    objective: str | None
    unit_id: str | None
    changes: Json

    @classmethod
    def read(cls, data: Json) -> "Amendment":
        """From the data of `plan.amended`."""
        return cls(data.get("objective"), data.get("for_unit"), data["changes"])


def amended_plan(
    document: Json,
    amendments: list[Amendment],
    catalogue: Catalogue,
    issued: Mapping[str, date],
    is_organisation: Callable[[str], bool],
) -> tuple[Json, list[Objective]]:
    """The document with what changes for everybody, and its objectives with their variants."""
    objectives = compile_plan(document, catalogue, issued)
    if not any(change.objective for change in amendments):
        return document, objectives
    found = {objective.id: objective for objective in objectives}
    raws = {raw["id"]: raw for raw in document["objectives"] if "id" in raw}
    for name in raws:
        mine = [change for change in amendments if change.objective == name]
        if not mine:
            continue
        build = _Builder(document, catalogue, issued, raws[name], found[name])
        for change in mine:
            build.apply(change)
        raws[name], found[name] = build.result(is_organisation)
    changed = {**document, "objectives": [raws.get(r.get("id"), r) for r in document["objectives"]]}
    return changed, [found[objective.id] for objective in objectives]


class _Builder:
    """One objective while amendments are applied to it, in the order of the log."""

    def __init__(
        self,
        document: Json,
        catalogue: Catalogue,
        issued: Mapping[str, date],
        raw: Json,
        objective: Objective,
    ) -> None:
        self._document, self._catalogue, self._issued = document, catalogue, issued
        self._general = (raw, objective)
        self._units: dict[str, tuple[Json, Objective]] = {}

    def apply(self, change: Amendment) -> None:
        """For everybody, or for one unit on top of what holds for everybody so far."""
        if change.unit_id is not None:
            now = self._units.get(change.unit_id, self._general)
            self._units[change.unit_id] = self._changed(now, change.changes)
            return
        self._general = self._changed(self._general, change.changes)
        self._units = {
            unit: self._changed(now, change.changes) for unit, now in self._units.items()
        }

    def _changed(self, now: tuple[Json, Objective], changes: Json) -> tuple[Json, Objective]:
        try:
            raw = dated(merge_patch(now[0], changes), changes)
            if raw["id"] != now[0]["id"]:
                raise ValueError("an amendment cannot rename an objective")
            return raw, compile_objective(self._document, raw, self._catalogue, self._issued)
        except WRONG:
            others = tuple(flag for flag in now[1].flags if flag != REFUSED)
            refused = msgspec.structs.replace(now[1], flags=(*others, REFUSED))
            return now[0], refused

    def result(self, is_organisation: Callable[[str], bool]) -> tuple[Json, Objective]:
        """The objective with its variants; no organisation's day is later than the plan allows."""
        variants = tuple(
            (unit, _limited(variant) if is_organisation(unit) else variant)
            for unit, (_, variant) in sorted(self._units.items())
        )
        return self._general[0], msgspec.structs.replace(self._general[1], variants=variants)


def _limited(objective: Objective) -> Objective:
    last, limit = objective.last_day, objective.latest_day
    if last is None or limit is None or last <= limit:
        return objective
    return msgspec.structs.replace(objective, last_day=limit, flags=(*objective.flags, LIMITED))


def dated(raw: Json, changes: Json) -> Json:
    """A changed deadline moves the last day, unless the change says that itself."""
    if "last_day" in changes or not {"deadline", "deadline_exclusive"} & changes.keys():
        return raw
    deadline = raw.get("deadline")
    if not isinstance(deadline, str):
        return {**raw, "last_day": None}
    last = date.fromisoformat(deadline)
    if raw.get("deadline_exclusive"):
        last -= timedelta(days=1)
    return {**raw, "last_day": last.isoformat()}
