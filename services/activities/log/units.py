"""Units and plans as the append sees them: cached in the process, exact under the lock."""

from typing import Any

import msgspec

from services.activities.log import store
from services.activities.log.model import Candidate
from services.activities.log.rows import Row, to_wire
from shared.contracts.definitions import Catalogue
from shared.contracts.places import commune_of
from shared.contracts.record import Content, LogRecord, record_decoder
from shared.db import Connection
from shared.domain.definitions import Definitions
from shared.domain.tree import UnitTree
from shared.problems import Problem


class UnitCache:
    """Keeps the definitions between transactions; reloads what other writers have added."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: Definitions | None = None

    def forget(self, known: Definitions | None = None) -> None:
        """Drop what a transaction that was rolled back had changed; `known`: what was before."""
        self._known = known

    async def up_to(self, connection: Connection, position: int) -> Definitions:
        """Every definition up to `position` (the counter's units_position)."""
        known = self._known
        if known is None or known.position < position:
            known = known if known is not None else Definitions(self._catalogue)
            for row in await store.definition_rows(connection, known.position):
                known.apply(record_decoder.decode(to_wire(row, "")))
        self._known = known
        return known

    def unit_of(self, tree: UnitTree, c: Candidate) -> str:
        """The unit_id an event belongs to; unit events are checked against the tree instead."""
        if c.type == "unit.established":
            return self._established(tree, c)
        if c.type.startswith("unit."):
            if tree.unit(c.data["unit_id"]) is None:
                raise _unknown(c.type, "/data/unit_id")
            heirs = [share["unit_id"] for share in c.data.get("successors", [])]
            circle = tree.in_circle(c.data["unit_id"], heirs)
            if circle is not None:
                raise _circle("successors", circle, "/data/successors")
            return str(c.data["unit_id"])
        return tree.resolve(c.subject, c.sent or c.occurred, c.era).unit_id

    def _established(self, tree: UnitTree, c: Candidate) -> str:
        data = c.data
        unit_id, parent = str(data["unit_id"]), data.get("parent")
        self._check_id(data, "/data")
        if tree.unit(unit_id) is not None:
            raise _exists(unit_id, "/data/unit_id")
        if parent is not None and tree.unit(parent) is None:
            raise _parent_unknown(parent, "/data")
        return unit_id

    def _check_id(self, data: dict[str, Any], at: str) -> None:
        if data["unit_id"] != f"{data['code']}@{data['era']}":
            raise Problem(
                "unit-id-malformed",
                "unit_id is not CODE@ERA of the fields code and era.",
                pointer=f"{at}/unit_id",
                hint=f"Write {data['code']}@{data['era']}.",
            )
        parent = data.get("parent")
        hamlet = data["kind"] == "hamlet" and parent is not None
        if hamlet and commune_of(data["unit_id"]) != parent:
            # What is distinct per commune is told from the code of the hamlet alone.
            raise Problem(
                "unit-id-malformed",
                "A hamlet's code is its commune's code, a hyphen and a number of its own.",
                pointer=f"{at}/code",
                hint="Write for example 24133-007 for a hamlet of 24133.",
            )

    def check_restated(self, tree: UnitTree, origin: int, content: Content) -> None:
        """Raise Problem when a unit event may not say this from now on: a unit would lie in, or
        come from, itself, be there twice, or lie in none that is known."""
        data, at = content.data, "/data/changes/data"
        unit_id, parent = str(data["unit_id"]), data.get("parent")
        if content.type == "unit.established":
            self._check_id(data, at)
            if parent is not None and parent != unit_id and tree.unit(parent) is None:
                raise _parent_unknown(parent, at)
        new = tree.restated(origin, content)
        left_out, known = new.ignored(), tree.ignored()
        mine = next((one for one in left_out if one.origin == origin), None)
        if mine is None and len(left_out) > len(known):
            mine = next(one for one in left_out if one not in known)
        if mine is None:
            if new.unit(unit_id) is None:
                raise _unknown(content.type, f"{at}/unit_id")
            return
        if mine.field == "unit_id":
            raise _exists(mine.unit_id, f"{at}/unit_id")
        raise _circle(mine.field, mine.other, f"{at}/{mine.field}")

    def took(self, known: Definitions, row: Row, counter: store.Counter) -> None:
        """Bring the definitions up to a definition row just appended."""
        counter.units_position = row.position
        known.apply(
            LogRecord(
                id=row.id,
                source=row.source,
                type=row.type,
                subject=row.subject,
                time=row.time,
                epoch="",
                position=row.position,
                prev=row.prev,
                lane=row.lane,
                recorded=row.recorded,
                occurred=row.occurred,
                unitid=row.unit_id,
                origin=row.origin,
                revision=row.revision,
                keyindex=row.key_index,
                keykind=row.key_kind,
                key=row.key,
                data=msgspec.json.decode(row.data),
                void=row.void,
                effective=None
                if row.effective is None
                else msgspec.json.decode(row.effective, type=Content),
            )
        )


def _unknown(type: str, pointer: str) -> Problem:
    return Problem(
        "unit-unknown",
        f"{type} names a unit that was never established.",
        pointer=pointer,
        hint="Post unit.established first.",
    )


def _exists(unit_id: str, pointer: str) -> Problem:
    return Problem(
        "unit-exists",
        f"{unit_id} was established before.",
        status=409,
        pointer=pointer,
        hint="Units are immutable: rename with unit.renamed, or end it with unit.dissolved"
        " and establish the next era's unit.",
    )


def _parent_unknown(parent: str, at: str) -> Problem:
    return Problem(
        "unit-parent-unknown",
        f"The unit above, {parent}, was never established.",
        pointer=f"{at}/parent",
        hint="Post units parents first.",
        retryable=True,
    )


def _circle(field: str, other: str, pointer: str) -> Problem:
    what = "lies in" if field == "parent" else "comes from"
    return Problem(
        "unit-circle",
        f"{other} itself {what} this unit: no unit may lie in, or come from, itself.",
        pointer=pointer,
        hint="Name a unit above it as `parent`."
        if field == "parent"
        else "Name only units that were made of this one as `successors`.",
    )
