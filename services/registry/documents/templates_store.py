"""The Word template of an office: the newest one that it has set for its reports under a plan."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.registry.documents import files, word
from services.registry.documents.address import Address
from services.registry.state import State

_NEWEST = """
SELECT sha256, name, set_at, set_by FROM report_template
WHERE plan = $1 AND body = $2 ORDER BY id DESC LIMIT 1
"""
_SET = "INSERT INTO report_template (plan, body, sha256, name, set_at, set_by) VALUES ($1, $2, $3, $4, $5, $6)"


@dataclass(frozen=True)
class Template:
    """Which template a body uses; `sha256` None: the one that ships."""

    sha256: str | None
    name: str
    set_at: datetime | None
    set_by: str

    def json(self) -> dict[str, Any]:
        """As shown."""
        return {"sha256": self.sha256, "name": self.name or None, "set_at": self.set_at, "set_by": self.set_by or None}  # fmt: skip


async def template_of(state: State, plan: str, body: str) -> Template:
    """What a body has set last."""
    row = await state.pool.fetchrow(_NEWEST, plan, body)
    if row is None:
        return Template(None, "", None, "")
    return Template(row["sha256"], row["name"], row["set_at"], row["set_by"])


async def template_for(state: State, address: Address) -> bytes | None:
    """The body's own template; None: the one that ships."""
    found = await template_of(state, address.plan.plan, address.body.id)
    return (await files.load(state, found.sha256)).content if found.sha256 else None


async def set_template(
    state: State, plan: str, body: str, content: bytes | None, name: str, by: str
) -> Template:
    """Use a template, checked before, from now on; None: the one that ships again."""
    digest = None
    if content is not None:
        digest = await files.store(state, state.pool, content, word.MEDIA_TYPE)
    await state.pool.execute(_SET, plan, body, digest, name, state.clock.now(), by)
    return await template_of(state, plan, body)
