"""Which event types registry keeps whole, and which reduced to what a filter may name."""

from functools import lru_cache

from shared.contracts.definitions import Catalogue
from shared.contracts.live import of_process
from shared.domain.closing import names_people

WHOLE = frozenset(
    {
        "report.submitted", "report.consolidated", "report.requested", "report.returned",
        "report.progressed",
        "nil.reported", "review.held", "force.dispatched", "conference.held", "inspection.held",
        "issue.raised", "document.issued", "figure.reported", "feedback.received",
        "task.progressed", "task.returned",
        "decision.followed", "review.closed",
    }
)  # fmt: skip
"""Kept whole: their words are shown. None names a person."""

BATCHES = frozenset({"outreach.delivered"})
"""Kept, reduced, where they speak of a number of people and name none."""


def reduced() -> dict[str, frozenset[str]]:
    """The other facts that name nobody, with the fields that are kept of each: those that a filter
    may name, and who reports. They prove tasks. Types that name people are counted only
    (`arrival`)."""
    return _reduced(of_process().now)


@lru_cache(maxsize=2)
def _reduced(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    return {
        name: frozenset(catalogue.filterable(name)) | {"reporter"}
        for name, kind in catalogue.items()
        if name not in WHOLE
        and kind.lane == "fact"
        and kind.group != "meta"
        and (name in BATCHES or not names_people(kind))
    }


def kept() -> frozenset[str]:
    """Every type of which single events are kept."""
    return _kept(of_process().now)


@lru_cache(maxsize=2)
def _kept(catalogue: Catalogue) -> frozenset[str]:
    return WHOLE | frozenset(_reduced(catalogue))
