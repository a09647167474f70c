"""Definitions at several states of knowledge, kept in memory and followed."""

from collections import OrderedDict

from services.metrics.definitions import Definitions
from services.metrics.knowledge import Until
from shared.contracts.definitions import Catalogue
from shared.contracts.record import record_decoder
from shared.db import Connection

KEPT = 8


class DefinitionsStore:
    """Definitions as known now or on earlier days; the last few states of knowledge are kept."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._kept: OrderedDict[Until, Definitions] = OrderedDict()

    async def get(self, connection: Connection, until: Until) -> Definitions:
        """What the rows known then define; it does not change later."""
        definitions = self._kept.get(until) or Definitions(self.catalogue)
        by_position = isinstance(until, int)
        rows = await connection.fetch(
            "SELECT record FROM definition WHERE position > $1 AND ($2::date IS NULL OR"
            " recorded <= $2) AND ($3::bigint IS NULL OR position <= $3) ORDER BY position",
            definitions.position,
            None if by_position else until,
            until if by_position else None,
        )
        if rows and definitions.position:
            # Whoever asked before goes on with what was defined then.
            definitions = definitions.copy()
        for row in rows:
            definitions.apply(record_decoder.decode(row["record"]))
        self._kept[until] = definitions
        self._kept.move_to_end(until)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return definitions
