"""The figures of a confirmed report as they were stored, and as a table to compare."""

from typing import Any

import msgspec

from services.registry.documents import files
from services.registry.documents.appendix import Appendix, Shown
from services.registry.documents.life import Step
from services.registry.state import State
from shared.problems import Problem

Json = dict[str, Any]


async def figures_of(state: State, confirmed: Step) -> Json | None:
    """What was confirmed, sentences and tables; None where it is not stored here. Raises Problem where
    the stored bytes were changed."""
    digest = confirmed.data.get("figures_sha256")
    if not isinstance(digest, str):
        return None
    try:
        found: Json = msgspec.json.decode((await files.load(state, digest)).content)
    except Problem as problem:
        if problem.code == "file-unknown":
            return None
        raise
    return found


def appendix_then(figures: Json) -> Appendix | None:
    """The table of a stored report, without what only a page needs."""
    said = figures.get("appendix")
    if not said:
        return None
    rows = [
        (r["unit"], r["name_vi"], {k: Shown(v, d, "") for k, (v, d) in r["cells"].items()})
        for r in said["rows"]
    ]
    return Appendix(said["title"], [], rows)
