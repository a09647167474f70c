"""Plans from files to `plan.published` events: a changed file becomes the next version."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec

from services.registry.units.catalogue import SOURCE, CloudEvent, Stage
from services.registry.units.load import LoadFailed
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import PlanDocument, load_plan

DEFAULT_FOLDER = Path(__file__).parents[3] / "plans"


def content_digest(document: dict[str, Any]) -> str:
    """What makes two versions of a plan the same: all but the version number."""
    content = {name: value for name, value in document.items() if name != "version"}
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def explain(file: Path, document: PlanDocument) -> str:
    """The problems of a plan file as lines a person can act on."""
    return "\n".join(
        f"{file}:{problem.line or '?'}: {problem.path}: {problem.message}"
        + (f" (fix: {problem.hint})" if problem.hint else "")
        for problem in document.problems
    )


def files_of(folder: Path) -> list[Path]:
    """The plan files of a folder; raises LoadFailed when there are none."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise LoadFailed(f"{folder} has no plan (*.yaml). Fix: name a folder with plans.")
    return files


def read_files(files: list[Path], catalogue: Catalogue) -> list[dict[str, Any]]:
    """The plans of these files; raises LoadFailed with file and line of everything wrong."""
    found, wrong = [], []
    for file in files:
        try:
            document = load_plan(file, catalogue)
        except (OSError, UnicodeDecodeError) as error:
            wrong.append(f"{file}: cannot be read as UTF-8 text ({type(error).__name__})")
            continue
        if document.problems:
            wrong.append(explain(file, document))
        found.append(document.data)
    if wrong:
        raise LoadFailed("\n".join(wrong))
    return found


async def asked(registry: httpx.AsyncClient, path: str) -> httpx.Response:
    """What registry answers, 200 or 404; raises LoadFailed with the way to mend it otherwise."""
    try:
        answer = await registry.get(path)
    except httpx.TransportError as error:
        raise LoadFailed(
            f"registry does not answer at {registry.base_url} ({type(error).__name__})."
            " Fix: start it, or name its address in HOCVUSO_REGISTRY_URL."
        ) from None
    if answer.status_code not in (200, 404):
        raise LoadFailed(
            f"registry does not say which plans it has: HTTP {answer.status_code}:"
            f" {answer.text[:300]}. Fix: wait until GET /health/ready answers 200, and send the"
            " administrator's key."
        )
    return answer


async def newest_versions(registry: httpx.AsyncClient) -> dict[str, tuple[int, str]]:
    """Version and content digest of every plan that registry has."""
    answer = await asked(registry, "/v1/plans")
    if answer.status_code != 200:
        raise LoadFailed("this is no registry: it has no /v1/plans. Fix: HOCVUSO_REGISTRY_URL.")
    return {p["id"]: (p["version"], p["digest"]) for p in answer.json()["plans"]}


def publish(
    documents: list[dict[str, Any]], newest: dict[str, tuple[int, str]], today: date
) -> Stage:
    """The events that bring registry up to `documents`; none for what it already has.

    `time` is the plan's first day (its unit of that day is the one it is for), never the future.
    """
    events: list[CloudEvent] = []
    for document in documents:
        plan, digest = document["id"], content_digest(document)
        version, known = newest.get(plan, (0, ""))
        if digest == known:
            continue
        start = min(date.fromisoformat(document["period"]["start"]), today)
        events.append(
            {
                "specversion": "1.0",
                "id": f"plan-{plan}-v{version + 1}",
                "source": SOURCE,
                "type": "vn.hocvuso.plan.published",
                "subject": document["unit"],
                "time": f"{start.isoformat()}T00:00:00+07:00",
                "datacontenttype": "application/json",
                "data": {
                    "plan": plan,
                    "version": version + 1,
                    "document": document | {"version": version + 1},
                },
            }
        )
    return Stage("plan", events)
