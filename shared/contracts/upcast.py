"""Upcasters: turn data of an older version into the latest, one version at a time.

The log keeps what was recorded; consumers only ever see the latest version. An upcaster is pure and
touches no person-like property, so it works on posted and on stored data alike.
"""

from collections.abc import Callable
from typing import Any

from shared.contracts.definitions import Catalogue

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]

UPCASTERS: dict[tuple[str, str], Upcaster] = {}
"""(type, version) -> what makes the next version of it."""


def upcaster(type_name: str, version: str) -> Callable[[Upcaster], Upcaster]:
    """Register the step from `version` to the next; exactly one per step."""

    def register(step: Upcaster) -> Upcaster:
        if (type_name, version) in UPCASTERS:
            raise ValueError(f"{type_name} has an upcaster from version {version} already")
        UPCASTERS[type_name, version] = step
        return step

    return register


class UnknownVersion(ValueError):
    """The version was never published for this type."""


def upcast(catalogue: Catalogue, type_name: str, version: str, data: Data) -> Data:
    """`data` in the latest version of its type; the same object if it is that already."""
    versions = catalogue[type_name].versions
    if version not in versions:
        raise UnknownVersion(f"{type_name} has no version {version!r}, only {', '.join(versions)}")
    for step in versions[versions.index(version) : -1]:
        data = UPCASTERS[type_name, step](data)
    return data


_PLATFORM_OF_CHANNEL = {
    "binhdanhocvuso.gov.vn": "binhdanhocvuso",
    "mooc": "binhdanhocvuso",
    "vneid": "vneid",
    "other": "other",
}


@upcaster("course.registered", "1")
def _platform_instead_of_channel(data: Data) -> Data:
    """Version 1 took the plans' words: `channel` binhdanhocvuso.gov.vn (Đắk Lắk III.9) or mooc
    (Đồng Nai appendix I.3). Both are the national platform, which is `platform` elsewhere; it is
    also what was meant where nothing was said, since the type records enrolment there."""
    rest = {key: value for key, value in data.items() if key != "channel"}
    return {**rest, "platform": _PLATFORM_OF_CHANNEL[data.get("channel", "mooc")]}


@upcaster("report.submitted", "1")
@upcaster("report.consolidated", "1")
@upcaster("inspection.held", "1")
@upcaster("feedback.received", "1")
def _only_more_fields(data: Data) -> Data:
    """Version 2 only adds optional fields: the plan and the document of a report; what has to be
    remedied after an inspection; when feedback is to be answered."""
    return data


NEEDS_MORE = {
    "agreement.signed": "1",
    "assistance.given": "1",
    "assistance.requested": "1",
    "class.held": "1",
    "committee.established": "1",
    "contest.promoted": "1",
    "digital_identity.activated": "1",
    "festival.held": "1",
    "inspection.held": "2",
    "launch.attended": "1",
    "report.consolidated": "2",
    "report.submitted": "2",
    "signature.registered": "1",
    "team.established": "1",
}
"""Versions whose next one has the same fields and perhaps more, and asks for more of them. What is
missing cannot be made up: events that the log holds keep what they say and count as before, while
an event that is posted must fulfil the newest version, whichever it names."""


def _as_it_was(data: Data) -> Data:
    return data


for _name, _version in NEEDS_MORE.items():
    upcaster(_name, _version)(_as_it_was)


@upcaster("plan.amended", "1")
def _amendment_as_it_was(data: Data) -> Data:
    """Version 2 only adds: organisations, and items that are added or end."""
    return data
