"""What a superior makes of the reports of one period. Pure."""

from collections import Counter
from typing import Any

from services.registry.reports.ledger import Entry, Filled
from services.registry.reports.model import report_json

PEOPLE = ("people_total", "people_completed")
IN = frozenset({"on_time", "late", "received"})


def consolidated(filled: Filled) -> dict[str, Any]:
    """States, sums of figures and difficulties. A figure counts from the newest report of each body
    that is in; `reports` says on how many it rests, `text` what was reported as words."""
    sums: Counter[str] = Counter()
    rests: Counter[str] = Counter()
    words: dict[str, list[dict[str, Any]]] = {}
    difficulties = []
    for entry in filled.entries:
        newest = _newest(entry)
        if newest is None:
            continue
        who = entry.debtor.json()
        figures = {name: newest[name] for name in PEOPLE if name in newest}
        for name, value in (figures | (newest.get("figures") or {})).items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                if value is not None:
                    words.setdefault(name, []).append({**who, "value": value})
                continue
            sums[name] += value  # type: ignore[assignment]  # figures may have decimals
            rests[name] += 1
        if newest.get("difficulties"):
            difficulties.append({**who, "difficulties": newest["difficulties"]})
    return {
        "sums": [{"name": n, "sum": sums[n], "reports": rests[n]} for n in sorted(sums)],
        "texts": words,
        "difficulties": difficulties,
        "missing": [e.debtor.json() for e in filled.entries if e.state not in IN],
    }


def _newest(entry: Entry) -> dict[str, Any] | None:
    if entry.state not in IN or not entry.reports:
        return None
    return report_json(entry.reports[-1])
