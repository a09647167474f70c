"""The tree of units as the append sees it: cached in the process, exact under the lock."""

import msgspec

from services.activities.log import store
from services.activities.log.model import Candidate
from services.activities.log.rows import Row, to_wire
from shared.contracts.places import commune_of
from shared.contracts.record import Content, LogRecord, record_decoder
from shared.contracts.tree import UnitTree
from shared.db import Connection
from shared.problems import Problem


class UnitCache:
    """Keeps the tree between transactions; reloads what other writers have added."""

    def __init__(self) -> None:
        self._tree: UnitTree | None = None

    def forget(self) -> None:
        """Drop the tree: a transaction that had changed it was rolled back."""
        self._tree = None

    async def up_to(self, connection: Connection, position: int) -> UnitTree:
        """The tree with every unit row up to `position` (the counter's units_position)."""
        tree = self._tree if self._tree is not None else UnitTree()
        if tree.position < position:
            for row in await store.definition_rows(connection, tree.position):
                tree.apply(record_decoder.decode(to_wire(row, "")))
        self._tree = tree
        return tree

    def unit_of(self, tree: UnitTree, c: Candidate) -> str:
        """The unit_id an event belongs to; unit events are checked against the tree instead."""
        if c.type == "unit.established":
            return self._established(tree, c)
        if c.type.startswith("unit."):
            if tree.unit(c.data["unit_id"]) is None:
                raise Problem(
                    "unit-unknown",
                    f"{c.type} names a unit that was never established.",
                    pointer="/data/unit_id",
                    hint="Post unit.established first.",
                )
            return str(c.data["unit_id"])
        return tree.resolve(c.subject, c.occurred, c.era).unit_id

    def _established(self, tree: UnitTree, c: Candidate) -> str:
        data = c.data
        unit_id, parent = str(data["unit_id"]), data.get("parent")
        if unit_id != f"{data['code']}@{data['era']}":
            raise Problem(
                "unit-id-malformed",
                "unit_id is not CODE@ERA of the fields code and era.",
                pointer="/data/unit_id",
                hint=f"Write {data['code']}@{data['era']}.",
            )
        if tree.unit(unit_id) is not None:
            raise Problem(
                "unit-exists",
                f"{unit_id} was established before.",
                status=409,
                pointer="/data/unit_id",
                hint="Units are immutable: rename with unit.renamed, or end it with unit.dissolved"
                " and establish the next era's unit.",
            )
        if parent is not None and tree.unit(parent) is None:
            raise Problem(
                "unit-parent-unknown",
                f"The unit above, {parent}, was never established.",
                pointer="/data/parent",
                hint="Post units parents first.",
                retryable=True,
            )
        if data["kind"] == "hamlet" and parent is not None and commune_of(unit_id) != parent:
            # What is distinct per commune is told from the code of the hamlet alone.
            raise Problem(
                "unit-id-malformed",
                "A hamlet's code is its commune's code, a hyphen and a number of its own.",
                pointer="/data/code",
                hint="Write for example 24133-007 for a hamlet of 24133.",
            )
        return unit_id

    def took(self, tree: UnitTree, row: Row, counter: store.Counter) -> None:
        """Bring the tree up to a definition row just appended."""
        if not (row.type.startswith("unit.") or row.effective is not None or row.void):
            return
        counter.units_position = row.position
        tree.apply(
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
