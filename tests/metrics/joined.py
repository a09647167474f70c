"""Units that merge, and a world counted across the merger."""

from datetime import date
from typing import Any

from services.metrics.counting.contribute import Contributor, Evidence
from services.metrics.counting.states import state
from services.metrics.counting.windows import Window
from services.metrics.evaluating.joined import Joined, join
from shared.contracts.definitions import Catalogue
from shared.domain.compile import compile_plan
from shared.domain.definitions import Definitions
from shared.domain.places import Places
from tests.metrics.memory_log import MemoryLog
from tests.metrics.province import FIRST, ROOT, A, B, C, define, document, objective, of

BEFORE, MERGED, AFTER = date(2026, 3, 1), date(2026, 6, 1), date(2026, 7, 1)

NEW = "99999@2025"

PER: dict[str, Any] = {
    "within_unit": {"per": "commune", "threshold": 1},
    "over": {"units": "commune"},
}

THINGS = {"count": "distinct_things", **PER}

OBJECTIVES: dict[str, dict[str, Any]] = {
    "posts": THINGS | {"key": "page", "of": [of("post.published")]},
    "models": THINGS | {"key": "model", "of": [of("model.recognised")]},
    "staff": {"count": "distinct_persons", "of": [of("staff.assigned")], **PER},
    "both": THINGS
    | {"key": "unit", "match": "all"}
    | {"of": [of("material.published", channel=c) for c in ("portal", "zalo")]},
    "teams": {"count": "distinct_things", "key": "team", "of": [of("team.established")]},
}  # fmt: skip


class World:
    """A and B become one new commune; C stays."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.log = catalogue, MemoryLog(catalogue)
        self._recorded = FIRST
        share = {"value": 100, "unit": "percent_of_units", "of": "commune", "comparator": ">="}
        self.plan = document(
            [
                objective(n, m, **({"target": share} if "over" in m else {}))
                for n, m in OBJECTIVES.items()
            ]
        )
        define(self.log, self.plan)
        data = {"unit_id": NEW, "code": "99999", "era": "2025", "name_vi": "N", "kind": "ward"}
        data |= {"parent": ROOT, "from": MERGED.isoformat()}
        self.log.post("unit.established", NEW, FIRST, FIRST, data)
        for unit in (A, B):
            heirs = [{"unit_id": NEW, "part": "whole"}]
            data = {"unit_id": unit, "dissolved_on": MERGED.isoformat(), "successors": heirs}  # type: ignore[dict-item]
            self.log.post("unit.dissolved", unit, FIRST, FIRST, data)

    def post(self, kind: str, unit: str, data: dict[str, Any], day: date = BEFORE) -> None:
        """The day of recording never goes back, as in any log."""
        self._recorded = max(self._recorded, day)
        self.log.post(kind, unit, day, self._recorded, data)

    def counts(self, name: str, tree: date, as_of: date = AFTER) -> dict[str, int]:
        """The count of each commune of the tree, where there is one."""
        definitions = Definitions(self.catalogue)
        for row in self.log.rows:
            definitions.apply(row)
        places = Places(definitions.tree, tree)
        compiled = {o.id: o for o in compile_plan(self.plan, self.catalogue)}[name]
        measure = compiled.measure
        assert measure is not None and measure.placed, compiled.reason
        contributor = Contributor({1: measure}, self.catalogue)
        rows_of: dict[tuple[int, bytes], list[Evidence]] = {}
        for row in self.log.rows:
            evidence = contributor.evidence(row)
            if evidence is not None:
                rows_of.setdefault((row.lane, row.key), []).append(evidence)
        tallies: dict[str, tuple[int, int]] = {}
        for rows in rows_of.values():
            for (unit, day), (n, _) in state(measure, 1, rows).items():
                if day <= as_of:
                    tallies[unit] = (tallies.get(unit, (0, 0))[0] + n, 0)
        joined = join({1: measure}, Joined(places, ROOT), rows_of)
        sums = joined.add_to(tallies, 1, Window(None, as_of))
        rolled = places.roll(sums, own_report_wins=False, root=ROOT).values
        return {u: rolled[u][0] for u in (A, B, C, NEW) if rolled.get(u, (0, 0))[0]}
