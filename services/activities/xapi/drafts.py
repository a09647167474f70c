"""The statements of a request before anything is looked up: read, checked, named. Pure."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.activities.ingest.problems import MAX_EVENT_BYTES
from services.activities.privacy import Pseudonyms
from services.activities.xapi import compare, formats
from services.activities.xapi.rules import check
from services.activities.xapi.store import View
from shared import strict_json
from shared.bodies import too_large
from shared.problems import Problem

Json = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """A statement of a request: checked, with its id, not yet compared with what is kept.

    `mac` is of its content, `as_sent` of the form in which earlier versions kept it.
    """

    id: uuid.UUID
    statement: Json
    mac: bytes
    as_sent: bytes
    told: datetime | None
    voids: uuid.UUID | None


class Drafts:
    """Makes drafts of the statements of one partner's request."""

    def __init__(self, pseudonyms: Pseudonyms, partner: str) -> None:
        self._mac = pseudonyms.content_mac
        self._partner = partner
        self._made: dict[bytes, int] = {}

    def all(self, raws: Sequence[bytes], id: uuid.UUID | None) -> list[Draft]:
        """The drafts, in order; `id`: what the one statement must be called.

        Raises Problem 400, with the index, at the first statement that is not one.
        """
        drafts: list[Draft] = []
        seen: dict[uuid.UUID, int] = {}
        for position, raw in enumerate(raws):
            try:
                if len(raw) > MAX_EVENT_BYTES:
                    raise too_large(MAX_EVENT_BYTES, "A statement")
                statement, _, _ = strict_json.read(raw)
                check(statement)
                _no_files(statement)
                draft = self._draft(statement, id)
            except Problem as problem:
                problem.extra["index"] = position
                raise
            if draft.id in seen:
                raise Problem(
                    "statement-id-repeated",
                    "Two statements of the batch have the same id.",
                    status=400,
                    pointer="/id",
                    hint="Part 3, section 2.1.2: each statement once.",
                    extra={"index": position, "other_index": seen[draft.id]},
                )
            seen[draft.id] = position
            drafts.append(draft)
        return drafts

    def _draft(self, statement: Json, id: uuid.UUID | None) -> Draft:
        mac = self._mac(b"xapi\0" + compare.canonical(statement))
        as_sent = self._mac(b"xapi\0" + compare.as_sent(statement))
        found = formats.to_time(statement["timestamp"]) if "timestamp" in statement else None
        given = uuid.UUID(statement["id"]) if "id" in statement else None
        if id is not None and given is not None and given != id:
            raise Problem(
                "statement-id-mismatch",
                "The id of the statement is not the statementId of the request.",
                status=400,
                pointer="/id",
                hint="Leave the id out or make both the same.",
            )
        told = found[0] if found else None
        voids = compare.voids(statement)
        return Draft(
            id or given or self._new_id(as_sent, told),
            statement,
            mac,
            as_sent,
            told,
            uuid.UUID(voids) if voids else None,
        )

    def _new_id(self, mac: bytes, told: datetime | None) -> uuid.UUID:
        """An id for a statement without one.

        With a timestamp it is made from the content, so that a batch that is sent again (Moodle
        names no ids) is known again; equal statements of one batch are told apart by their order.
        """
        if told is None:
            return uuid.uuid4()
        seed = b"\0".join((mac, told.isoformat().encode(), self._partner.encode()))
        self._made[seed] = self._made.get(seed, 0) + 1
        digest = self._mac(b"xapi id\0" + seed + str(self._made[seed]).encode())
        # Version 5 by its bits: clients refuse versions that are newer than they are.
        return uuid.UUID(bytes=digest[:16], version=5)


def new(drafts: Sequence[Draft], seen: View) -> list[Draft]:
    """The statements that are not kept yet; raises Problem 409 for one that is, but another."""
    found = []
    for position, draft in enumerate(drafts):
        known = seen.known.get(draft.id)
        if known is None:
            found.append(draft)
        elif known.mac not in (draft.mac, draft.as_sent) or (
            None not in (known.told, draft.told) and known.told != draft.told
        ):
            raise Problem(
                "statement-conflict",
                "A statement with this id is kept with other content; nothing of the request was"
                " kept.",
                status=409,
                pointer="/id",
                hint="Statements never change: void the other one and send this under a new id.",
                extra={"index": position, "id": str(draft.id)},
            )
    return found


def _no_files(statement: Json) -> None:
    """Part 3, section 1.5.2: without its data, an attachment must say where its data is."""
    parts = [statement]
    if statement["object"].get("objectType") == "SubStatement":
        parts.append(statement["object"])
    for part in parts:
        for attachment in part.get("attachments", ()):
            if "fileUrl" not in attachment:
                raise Problem(
                    "attachments-not-taken",
                    "Data of attachments is not taken, and this one has no fileUrl.",
                    status=400,
                    pointer="/attachments",
                    hint="Give it a fileUrl, or leave the attachment out: certificates and answers"
                    " of learners hold personal data that is not needed for counting.",
                )
