"""Amendments: what other documents change in a plan, for everybody or for one unit. Pure.

An amendment changes one item of a plan (RFC 7396 merge patch), adds one, or ends one. What an ended
item was named in as one of several loses the name; what cannot be without it stands in the way.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

from shared.domain.plan_files.problems import PlanProblem
from shared.merge_patch import merge_patch

Json = dict[str, Any]
Action = Literal["change", "add", "end"]

SECTIONS = {
    "objective": "objectives",
    "task": "tasks",
    "obligation": "reporting",
    "organisation": "organisations",
}
"""The field of `plan.amended` that names an item, and the list of the plan that holds it."""

_NAMED_IN: dict[str, dict[str, tuple[str, ...]]] = {
    "objectives": {"objectives": ("overlaps",), "tasks": ("objectives",)},
    "organisations": {
        "organisations": ("members",),
        "objectives": ("direct", "lead", "coordinate"),
        "tasks": ("direct", "lead", "coordinate", "implement"),
        "reporting": ("who", "to", "via"),
    },
}
"""Lists of names that lose an ended item."""


class Amendment(NamedTuple):
    """One change of one item. `position`: of the row that says this, where it was corrected;
    `in_force`: the first day on which it was valid and known."""

    origin: int
    position: int
    section: str
    name: str
    action: Action
    unit_id: str | None
    changes: Json
    valid_from: date
    in_force: date

    @property
    def kind(self) -> str:
        """The field of the event that names the item."""
        return next(kind for kind, section in SECTIONS.items() if section == self.section)


def read_amendments(origin: int, position: int, data: Json, recorded: date) -> list[Amendment]:
    """From the data of `plan.amended`: one for each item named (older events may name several)."""
    valid_from = date.fromisoformat(data["valid_from"])
    return [
        Amendment(
            origin,
            position,
            section,
            data[kind],
            data.get("action", "change"),
            data.get("for_unit"),
            data.get("changes", {}),
            valid_from,
            max(valid_from, recorded),
        )
        for kind, section in SECTIONS.items()
        if data.get(kind) is not None
    ]


class AmendmentRefused(ValueError):
    """Why an amendment does not fit its plan. `pointer`: the place in the data of the event."""

    def __init__(self, pointer: str, detail: str, hint: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer, self.detail, self.hint = pointer, detail, hint


def apply_amendment(document: Json, change: Amendment) -> Json:
    """The document with the amendment; its new item may still be wrong. Raises AmendmentRefused."""
    items: list[Json] = document[change.section]
    at = next((n for n, item in enumerate(items) if item["id"] == change.name), None)
    if change.action == "add":
        if at is not None:
            raise AmendmentRefused(
                f"/{change.kind}",
                f"The plan has an item of this name in its {change.section} already.",
                "Name another one, or leave `action` out to change it.",
            )
        new = {"id": change.name, **_dated(change.changes, change.changes)}
        _same_name(change, new)
        return {**document, change.section: [*items, new]}
    if at is None:
        names = ", ".join(item["id"] for item in items[:40])
        raise AmendmentRefused(
            f"/{change.kind}",
            f"The plan has no such {change.kind} on the day from which this holds.",
            f'It has: {names or "none"}. A new one needs "action": "add".',
        )
    if change.action == "end":
        return _without(document, change.section, change.name)
    patched = _dated(merge_patch(items[at], change.changes), change.changes)
    _same_name(change, patched)
    return {**document, change.section: [*items[:at], patched, *items[at + 1 :]]}


def _same_name(change: Amendment, item: Json) -> None:
    if item.get("id") != change.name:
        raise AmendmentRefused(
            "/changes/id", "An amendment cannot rename an item.", "End it, and add a new one."
        )


def _without(document: Json, section: str, name: str) -> Json:
    left = {**document, section: [item for item in document[section] if item["id"] != name]}
    for other, fields in _NAMED_IN.get(section, {}).items():
        left[other] = [_unnamed(item, fields, name) for item in left[other]]
    idle = [item["id"] for item in left["reporting"] if not item["who"]]
    if idle and section == "organisations":
        raise AmendmentRefused(
            "/organisation",
            f"Nobody else owes the obligation {idle[0]}.",
            "Change or end that first.",
        )
    return left


def _unnamed(item: Json, fields: tuple[str, ...], name: str) -> Json:
    for field in fields:
        if name in (item.get(field) or ()):
            item = {**item, field: [one for one in item[field] if one != name]}
    return item


def _dated(item: Json, changes: Json) -> Json:
    """Deadline and last day of an objective say the same: whichever was changed moves the other."""
    if "counts_from" not in item and "last_day" not in item:
        return {"deadline": None, **item} if "deadline" in changes else item  # a task
    if "last_day" in changes and not {"deadline", "deadline_exclusive"} & changes.keys():
        last = item.get("last_day")
        if last is not None and not _is_day(last):
            return item  # the schema says what is wrong with it
        kept = {k: v for k, v in item.items() if k != "deadline_exclusive"}
        return {**kept, "deadline": last, "last_day": last}
    if "last_day" in changes or not {"deadline", "deadline_exclusive"} & changes.keys():
        return item
    deadline = item.get("deadline")
    if not isinstance(deadline, str):
        return {**item, "deadline": deadline, "last_day": None}
    if not _is_day(deadline):
        return item  # the schema says what is wrong with it
    day = date.fromisoformat(deadline) - timedelta(days=bool(item.get("deadline_exclusive")))
    return {**item, "last_day": day.isoformat()}


def _is_day(text: Any) -> bool:
    try:
        return date.fromisoformat(text) > date.min
    except (TypeError, ValueError):
        return False


ItemCheck = Callable[[Json, str, int], PlanProblem | None]
"""Says why the item at an index of a section of a document cannot be used; None: it can."""


def _refusal(change: Amendment, at: int, wrong: PlanProblem) -> AmendmentRefused:
    """The same problem, at its place in the event."""
    inside = f"/{change.section}/{at}"
    if not wrong.path.startswith(inside):
        return AmendmentRefused(f"/{change.kind}", f"{wrong.path}: {wrong.message}", wrong.hint)
    step, pointer = change.changes, "/changes"
    for name in wrong.path.removeprefix(inside).split("/")[1:]:
        if not isinstance(step, dict) or name not in step:
            break
        step, pointer = step[name], f"{pointer}/{name}"
    return AmendmentRefused(pointer, wrong.message, wrong.hint)


Made = dict[tuple[tuple[int, int], ...], Json]
"""Documents by the amendments that made them, each as (origin, position of what it says)."""


class AmendedDocuments:
    """A version of a plan after any of its amendments; each state is made once.

    An amendment that does not fit is left out (none is accepted any more that does not; the log
    may hold older ones): `refused` says why, by its origin.
    """

    def __init__(
        self, document: Json, amendments: Sequence[Amendment], check: ItemCheck, made: Made
    ) -> None:
        """`made` may be kept from before, for the same document."""
        self._check = check
        self._amendments = amendments
        self._made = made
        self._made[()] = document
        self.refused: dict[int, AmendmentRefused] = {}

    def after(self, unit_id: str | None, chosen: Callable[[Amendment], bool]) -> Json:
        """The document after the chosen amendments of everybody's and of one unit."""
        key: tuple[tuple[int, int], ...] = ()
        for change in self._amendments:
            if change.unit_id in (None, unit_id) and chosen(change):
                before, key = key, (*key, (change.origin, change.position))
                if key not in self._made:
                    self._made[key] = self._apply(self._made[before], change)
        return self._made[key]

    def _apply(self, document: Json, change: Amendment) -> Json:
        try:
            after = apply_amendment(document, change)
            if change.action != "end":
                items = after[change.section]
                at = next(n for n, item in enumerate(items) if item["id"] == change.name)
                wrong = self._check(after, change.section, at)
                if wrong is not None:
                    raise _refusal(change, at, wrong)
        except AmendmentRefused as refused:
            self.refused[change.origin] = refused
            return document
        return after
