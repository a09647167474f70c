"""Whether a plan or an amendment may be accepted: judged by what counts it. Pure.

A definition that is accepted holds: it fits every day on which it is valid, and nothing that was
accepted before stops to fit because of it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from shared.domain.amending import SECTIONS, AmendedDocuments, Amendment, read_amendments
from shared.domain.definitions import Definitions
from shared.domain.growing import NotGrown, check_extension
from shared.domain.places import Places
from shared.domain.plan_files.document import (
    check_plan,
    is_limit,
    why_item_refused,
    why_plan_refused,
)

Json = dict[str, Any]

MOST_AMENDMENTS = 500


class DefinitionRefused(ValueError):
    """Why a definition is not accepted. `pointer`: the place in the data of its event, or None
    where it is not in them but in what was accepted before."""

    def __init__(self, code: str, pointer: str | None, detail: str, hint: str) -> None:
        super().__init__(f"{code} {pointer or ''}: {detail}")
        self.code, self.pointer, self.detail, self.hint = code, pointer, detail, hint


def check_document(data: Json, definitions: Definitions) -> None:
    """Of `plan.published`, by itself: raise DefinitionRefused unless all of it can be counted."""
    wrong = why_plan_refused(data["plan"], data["document"], definitions.catalogue)
    if wrong is not None:
        raise DefinitionRefused(
            "plan-document-invalid",
            f"/document{wrong.path}",
            f"{wrong.message[:1].upper()}{wrong.message[1:]}",
            wrong.hint or "`hocvuso plans validate FILE` checks a whole plan, with its lines.",
        )
    if data["version"] != data["document"]["version"]:
        raise DefinitionRefused(
            "plan-version-mismatch",
            "/version",
            "The event says another version than its document.",
            "Write the document's version.",
        )


def check_words(data: Json, definitions: Definitions, before: Json | None = None) -> None:
    """Of `list.extended`: raise DefinitionRefused unless its words may join the list; `before`: what
    the same event said until now."""
    try:
        check_extension(data, definitions.catalogue, before)
    except NotGrown as refused:
        raise DefinitionRefused(
            refused.code, refused.pointer, refused.detail, refused.hint
        ) from None


def check_version(data: Json, definitions: Definitions, origin: int | None = None) -> None:
    """Of `plan.published`: raise DefinitionRefused unless it may follow what is there, or stand
    where it stands already (`origin`)."""
    unit = data["document"]["unit"]
    if definitions.tree.unit(unit) is None:
        raise DefinitionRefused(
            "unit-unknown",
            "/document/unit",
            "The plan's unit was never established.",
            "Post units before their plans.",
        )
    for at, objective in enumerate(data["document"]["objectives"]):
        for name in objective["target"].get("shares") or ():
            if definitions.tree.unit(name) is None:
                raise DefinitionRefused(
                    "unit-unknown",
                    f"/document/objectives/{at}/target/shares/{name}",
                    "A number is handed down to a unit that was never established.",
                    "Write CODE@ERA of a unit of the plan.",
                )
    known = [v for v in definitions.versions(data["plan"]) if v.origin != origin]
    same = next((v for v in known if v.version == data["version"]), None)
    if same is not None and same.document != data["document"]:
        raise DefinitionRefused(
            "plan-version-exists",
            "/version",
            f"Version {same.version} of this plan was published with another content.",
            f"Publish version {known[-1].version + 1}, or correct the event that published it.",
        )
    if origin is None and same is None and known and known[-1].version > data["version"]:
        raise DefinitionRefused(
            "plan-version-too-low",
            "/version",
            f"Version {known[-1].version} of this plan is in force.",
            f"Publish version {known[-1].version + 1}.",
        )


def check_amendment(data: Json, definitions: Definitions) -> None:
    """Of `plan.amended`: raise DefinitionRefused unless it names what it changes, and for whom."""
    versions = definitions.versions(data["plan"])
    if not versions:
        known = ", ".join(definitions.plan_ids()[:20])
        raise DefinitionRefused(
            "plan-unknown", "/plan", "No plan has this id.", f"Plans: {known or 'none yet'}."
        )
    named = [kind for kind in SECTIONS if data.get(kind) is not None]
    if len(named) != 1:
        raise DefinitionRefused(
            "plan-amendment-invalid",
            f"/{named[1]}" if named else "",
            "An amendment changes one item of a plan.",
            f"Name one of {', '.join(SECTIONS)}; post one event for each.",
        )
    if data.get("action") != "end" and not data.get("changes"):
        raise DefinitionRefused(
            "plan-amendment-invalid",
            "/changes",
            "It changes nothing.",
            'Say what changes; "action": "end" ends the item.',
        )
    if len(definitions.amendments(data["plan"])) >= MOST_AMENDMENTS:
        raise DefinitionRefused(
            "plan-amendment-invalid",
            "/plan",
            f"The plan has {MOST_AMENDMENTS} amendments.",
            "Publish its next version, and revoke the amendments that it contains.",
        )
    _check_unit(data, versions[-1].document["unit"], definitions)


def _check_unit(data: Json, root: str, definitions: Definitions) -> None:
    unit_id = data.get("for_unit")
    if unit_id is None:
        return
    if data.get("organisation") is not None:
        raise DefinitionRefused(
            "plan-amendment-invalid",
            "/for_unit",
            "An organisation is one of the whole plan.",
            "Leave `for_unit` out.",
        )
    if definitions.tree.unit(unit_id) is None:
        raise DefinitionRefused(
            "unit-unknown", "/for_unit", "The unit was never established.", "GET /v1/units."
        )
    day = date.fromisoformat(data["valid_from"])
    if unit_id != root and unit_id not in Places(definitions.tree, day).within(root):
        raise DefinitionRefused(
            "unit-outside-plan",
            "/for_unit",
            "The plan does not apply to this unit.",
            f"Name {root} or a unit below it.",
        )


def check_plan_holds(plan: str, before: Definitions, after: Definitions, origin: int) -> None:
    """Raise DefinitionRefused if something does not fit in `after` that did, or was not, `before`;
    `origin`: of what is new in it."""
    known = {at for at, _ in _faults(plan, before)} if before.versions(plan) else set()
    for at, refused in _faults(plan, after):
        if at == origin:
            raise refused
        if at not in known:
            raise DefinitionRefused(
                "plan-amendment-conflict",
                None,
                f"The amendment at position {at} would no longer fit: {refused.detail}",
                "Revoke or correct that amendment first.",
            )


def _faults(plan: str, definitions: Definitions) -> Iterable[tuple[int, DefinitionRefused]]:
    """Amendments that do not fit the newest version on some day, by origin."""
    versions = definitions.versions(plan)
    if not versions:
        return
    catalogue = definitions.catalogue
    amendments = [
        change
        for said in definitions.amendments(plan)
        for change in read_amendments(said.origin, said.position, said.data, said.recorded)
    ]
    documents = AmendedDocuments(
        versions[-1].document,
        amendments,
        lambda document, section, at: why_item_refused(document, section, at, catalogue),
        {},
    )
    told: set[int] = set()
    for unit in [None, *sorted({a.unit_id for a in amendments if a.unit_id is not None})]:
        mine = [a for a in amendments if a.unit_id in (None, unit)]
        for day in sorted({a.valid_from for a in mine}):
            document = _after(documents, unit, day)
            for at, refused in documents.refused.items():
                if at not in told:
                    told.add(at)
                    yield (
                        at,
                        DefinitionRefused(
                            "plan-amendment-invalid", refused.pointer, refused.detail, refused.hint
                        ),
                    )
            wrong = [p for p in check_plan(document, catalogue) if not is_limit(p)]
            newest = max((a for a in mine if a.valid_from <= day), key=lambda a: a.origin)
            if wrong and newest.origin not in told:
                told.add(newest.origin)
                yield (
                    newest.origin,
                    DefinitionRefused(
                        "plan-amendment-invalid",
                        f"/{newest.kind}",
                        f"With it the plan would be wrong at {wrong[0].path}: {wrong[0].message}",
                        wrong[0].hint,
                    ),
                )


def _after(documents: AmendedDocuments, unit: str | None, day: date) -> Json:
    def valid(change: Amendment) -> bool:
        return change.valid_from <= day

    return documents.after(unit, valid)
