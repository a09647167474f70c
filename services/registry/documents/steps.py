"""Taking a step with a report: one at a time for each report, judged by what has happened before.

A step is an event that activities judges under the caller's own key. Between reading where the report
stands and writing the step nobody else takes one (an advisory lock); who confirms a round is claimed
in the database besides, so two people at once get one confirmation and one refusal even while the
journal lags behind the log.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import msgspec

from services.registry.access import Writer
from services.registry.documents import files, word, workbook
from services.registry.documents.address import Address
from services.registry.documents.compose import Draft
from services.registry.documents.life import PROGRESSED, TYPES, Life, Step, fold
from services.registry.documents.model import draft_json
from services.registry.documents.numbering import numbered
from services.registry.documents.snapshots import figures_of
from services.registry.documents.templates_store import template_for
from services.registry.journal.store import complete_to, standing
from services.registry.plans.bodies import owner_of
from services.registry.plans.speaking import levels_below
from services.registry.plans.territory import answering_area, posted_for
from services.registry.posting import content_id, event, post
from services.registry.reports.ledger import sender
from services.registry.state import State
from shared.clock import VIETNAM
from shared.problems import Problem

PATIENCE_S, LOOK_S = 5.0, 0.05
TRIES, BETWEEN_S = 20, 0.1
LONGEST_EDIT = 4_000
MOST_EDITS = 200
JSON_TYPE = "application/json"
Json = dict[str, Any]


async def life_of(state: State, address: Address) -> Life:
    """All that has happened to a report, as far as the journal knows."""
    area = sorted(answering_area(state, address.plan))
    units = area if address.unit is None else sorted({address.unit.unit_id})
    wanted = (address.plan.plan, address.duty["id"], address.period.id)
    organisations = {o["id"] for o in address.plan.document["organisations"]}
    below = levels_below(state.tree.unit(address.plan.document["unit"]))
    bodies = list(address.writers)
    facts = []
    for fact in await standing(state.pool, TYPES, units):
        data = fact.data
        if (data.get("plan"), data.get("obligation"), data.get("period")) != wanted:
            continue
        said = [data.get("reporter"), data.get("organisation"), sender(fact)]
        owner = owner_of(bodies, state.tree, fact.unit_id, said, below, organisations)
        if owner is not None and owner.id == address.body.id:
            facts.append(fact)
    return fold(facts, address.body)


@dataclass
class Turn:
    """The right to take the next step of a report."""

    connection: Any
    life: Life
    position: int = 0


@asynccontextmanager
async def turn_of(state: State, address: Address) -> AsyncIterator[Turn]:
    """One at a time: raises Problem 409 where somebody else is at it for more than two seconds. What was
    written is known to the journal when this ends, or five seconds have passed."""
    async with state.pool.acquire() as connection, connection.transaction():
        await _lock(connection, address)
        turn = Turn(connection, await life_of(state, address))
        yield turn
        await _learn(state, turn.position)


async def _lock(connection: Any, address: Address) -> None:
    key = " ".join(address.key.values())
    for _ in range(TRIES):
        if await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", key):  # fmt: skip
            return
        await asyncio.sleep(BETWEEN_S)
    raise Problem(
        "report-busy",
        "Somebody else is just writing this report.",
        status=409,
        hint="Look at what they wrote, then do it again.",
        retryable=True,
        retry_after=2,
    )


async def _learn(state: State, position: int) -> None:
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if await complete_to(state.pool) >= position:
            return
        await asyncio.sleep(LOOK_S)


async def write(
    state: State, caller: Writer, address: Address, turn: Turn, step: str, data: Json
) -> Json:
    """Post a step; the event."""
    about = {k: v for k, v in address.key.items() if k != "unit"}
    said = {**about, "step": step, "by": caller.principal.name, **data}
    subject = posted_for(state, address.plan, address.body.id)
    at = datetime.combine(state.clock.today(), time(), VIETNAM).isoformat()
    number = str(len(turn.life.history) + 1)
    id = content_id(PROGRESSED, *address.key.values(), number, data=said)
    made = event(PROGRESSED, caller.source(), id, subject, at, said)
    answer = await post(state.activities, caller.authorization, [made], dry_run=False)
    turn.position = max((r.get("position") or 0 for r in answer["results"]), default=0)
    return made


async def edit(
    state: State, caller: Writer, address: Address, edits: dict[str, str | None], after: int | None
) -> Json:
    """Keep sentences as somebody rewrote them. `after`: the newest edit they had seen; who wrote one of
    the same sentences since then is not overwritten."""
    if not 0 < len(edits) <= MOST_EDITS:
        raise _wrong("/edits", f"Between 1 and {MOST_EDITS} sentences are edited at once.")
    for key, text in edits.items():
        if len(key) > 300 or (text is not None and len(text) > LONGEST_EDIT):
            raise _wrong(
                f"/edits/{key[:300]}", f"A sentence has at most {LONGEST_EDIT} characters."
            )
    async with turn_of(state, address) as turn:
        _must_be_open(turn.life)
        others = [k for k in edits if after is not None and turn.life.edited_at.get(k, 0) > after]
        if others:
            raise Problem(
                "report-changed",
                f"Somebody else has rewritten the same since you opened it: {', '.join(others)}.",
                status=409,
                pointer=f"/edits/{others[0]}",
                hint="Look at what they wrote, then decide which holds.",
                extra={"theirs": {k: turn.life.edits.get(k) for k in others}},
            )
        return await write(state, caller, address, turn, "edited", {"edits": edits})


async def review(state: State, caller: Writer, address: Address, remark: str | None) -> Json:
    """Somebody has read the text and lets it pass."""
    async with turn_of(state, address) as turn:
        _must_be_open(turn.life)
        data = {"remark": remark} if remark else {}
        return await write(state, caller, address, turn, "reviewed", data)


async def reopen(state: State, caller: Writer, address: Address, remark: str | None) -> Json:
    """Write a confirmed or submitted report anew: what was submitted stays as it is until then."""
    async with turn_of(state, address) as turn:
        if turn.life.open:
            raise _conflict("report-open", "The report is open: it can be edited as it is.", "Edit it.")  # fmt: skip
        data = {"remark": remark} if remark else {}
        return await write(state, caller, address, turn, "reopened", data)


async def number(
    state: State, caller: Writer, address: Address, document_ref: str, document_date: str
) -> Json:
    """The document gets its number and date; what was confirmed is stored once more, with both in it."""
    async with turn_of(state, address) as turn:
        confirmed = must_be_confirmed(turn.life)
        data = {"document_ref": document_ref, "document_date": document_date}
        made = await _numbered(state, confirmed, document_ref, date.fromisoformat(document_date))
        if made is not None:
            data["file_sha256"] = await files.store(state, turn.connection, made, word.MEDIA_TYPE)
        return await write(state, caller, address, turn, "numbered", data)


async def _numbered(state: State, confirmed: Step, number: str, on: date) -> bytes | None:
    """The confirmed document with its number; None where it is not stored here, or has no room."""
    digest, snapshot = confirmed.data.get("file_sha256"), await figures_of(state, confirmed)
    if not isinstance(digest, str) or snapshot is None:
        return None
    try:
        content = (await files.load(state, digest)).content
    except Problem as problem:
        if problem.code == "file-unknown":
            return None
        raise
    sign, party = str(snapshot["head"]["sign"]), snapshot["form"] == "party"
    return await asyncio.to_thread(numbered, content, number, on, sign, party=party)


async def sign(
    state: State, caller: Writer, address: Address, content: bytes, media_type: str, name: str, checks: Json
) -> Json:  # fmt: skip
    """The signed file, checked before, is stored under its hash."""
    async with turn_of(state, address) as turn:
        must_be_confirmed(turn.life)
        digest = await files.store(state, turn.connection, content, media_type, checks)
        data = {"file_sha256": digest, "file_name": name}
        return await write(state, caller, address, turn, "signed", data)


async def confirm(state: State, caller: Writer, address: Address, draft: Draft) -> Json:
    """Fix the figures: the document, its workbook and its figures are stored as they are now."""
    if draft.material.provisional:
        closing = address.period.closing_day
        raise _conflict("figures-provisional", f"The figures close on {closing.isoformat()}; until then they are provisional.", "Confirm the report the day after.")  # fmt: skip
    async with turn_of(state, address) as turn:
        _must_be_open(turn.life)
        round_ = turn.life.now.number + (turn.life.state == "returned")
        claimed = await turn.connection.fetchval(
            "INSERT INTO report_claim (report, round) VALUES ($1, $2) ON CONFLICT DO NOTHING"
            " RETURNING round",
            " ".join(address.key.values()),
            round_,
        )
        if claimed is None:
            raise _confirmed()
        edits = dict(turn.life.edits)
        template = await template_for(state, address)
        document = await asyncio.to_thread(
            word.to_docx, draft, edits=edits, template=template, confirmed=True
        )
        book = await asyncio.to_thread(workbook.to_xlsx, draft, confirmed=True)
        figures = await asyncio.to_thread(_figures, address, draft, edits)
        keep = turn.connection
        data: Json = {
            "as_of": draft.material.as_of.isoformat(),
            "known_at": state.clock.today().isoformat(),
            "file_sha256": await files.store(state, keep, document, word.MEDIA_TYPE),
            "appendix_sha256": await files.store(state, keep, book, workbook.MEDIA_TYPE),
            "figures_sha256": await files.store(state, keep, figures, JSON_TYPE),
        }
        if draft.material.table is not None:
            data["known_to"] = draft.material.table.position
        return await write(state, caller, address, turn, "confirmed", data)


def _figures(address: Address, draft: Draft, edits: dict[str, str]) -> bytes:
    said = address.key | draft_json(draft, edits)
    return msgspec.json.encode(said, order="deterministic")


def totals(draft_figures: Json) -> dict[str, int]:
    """A report's own number for each target: what its superior's draft takes over."""
    appendix = draft_figures.get("appendix")
    rows = appendix["rows"] if appendix else []
    cells = rows[0]["cells"] if rows else {}
    return {name: value for name, (value, _) in cells.items() if value is not None}


def _must_be_open(life: Life) -> None:
    if not life.open:
        raise _confirmed()


def must_be_confirmed(life: Life) -> Step:
    """The confirmation of a round that was not submitted yet; Problem 409 where there is none."""
    if life.now.confirmed is None or life.state == "returned":
        raise _conflict("report-not-confirmed", "The figures of this report are not confirmed.", "Confirm them first.")  # fmt: skip
    if life.now.submitted is not None:
        raise _conflict("report-submitted", "The report was submitted.", "Open it again to submit another one in its place.")  # fmt: skip
    return life.now.confirmed


def _confirmed() -> Problem:
    return _conflict("report-confirmed", "The figures of this report are confirmed already.", "Open the report again to change it.")  # fmt: skip


def _conflict(code: str, detail: str, hint: str) -> Problem:
    return Problem(code, detail, status=409, pointer="/step", hint=hint)


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("edit-invalid", detail, pointer=pointer, hint="Shorten it.")
