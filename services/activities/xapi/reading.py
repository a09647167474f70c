"""Finding kept statements: GET of the statements resource (xAPI 1.0.3, part 3, section 2.1.3)."""

import base64
import binascii
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec

from services.activities.xapi import formats
from services.activities.xapi.agents import check_party
from services.activities.xapi.people import Masks
from services.activities.xapi.problems import bad_parameter
from shared import strict_json
from shared.db import Connection
from shared.problems import Problem

Json = dict[str, Any]
MOST = 500
"""Statements of one answer; `limit=0` means this many."""

SINGLE = ("statementId", "voidedStatementId")
BESIDE_SINGLE = ("attachments", "format")
FILTERS = (
    *("agent", "verb", "activity", "registration", "related_activities", "related_agents"),
    *("since", "until", "limit", "format", "attachments", "ascending"),
)
FORMATS = ("ids", "exact", "canonical")


@dataclass(frozen=True, slots=True)
class Query:
    """What to find; `agents` are masked names, so that it may be answered in `more`."""

    agents: tuple[str, ...] | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_activities: bool = False
    related_agents: bool = False
    since: str | None = None
    until: str | None = None
    limit: int = MOST
    ascending: bool = False
    format: str = "exact"
    after: int | None = None

    def token(self, after: int) -> str:
        """The text by which the next page is asked for."""
        body = {k: v for k, v in asdict(self).items() if v is not None} | {"after": after}
        return base64.urlsafe_b64encode(msgspec.json.encode(body)).decode().rstrip("=")


_query = msgspec.json.Decoder(Query)


def from_token(token: str) -> Query:
    """The query of a `more` address; raises Problem 400."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        query = _query.decode(raw)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise bad_parameter("more", "is not one that this service has answered.") from None
    if not 1 <= query.limit <= MOST:
        raise bad_parameter("more", "is not one that this service has answered.")
    return check_query(query)


def check_query(query: Query) -> Query:
    """The query, if its values are of their formats; raises Problem 400."""
    for name in ("verb", "activity"):
        value = getattr(query, name)
        if value is not None and not formats.is_iri(value):
            raise bad_parameter(name, "is not an IRI.")
    if query.registration is not None and not formats.is_uuid(query.registration):
        raise bad_parameter("registration", "is not a UUID.")
    for name in ("since", "until"):
        value = getattr(query, name)
        if value is not None and formats.to_time(value) is None:
            raise bad_parameter(name, "is not a timestamp.")
    if query.format not in FORMATS:
        raise bad_parameter("format", f"is one of: {', '.join(FORMATS)}.")
    return query


def read_query(params: dict[str, str], masks: Masks, partner: str) -> Query:
    """The query of a request's parameters; raises Problem 400."""
    limit = params.get("limit", "0")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10):
        raise bad_parameter("limit", "is not a whole number from 0.")
    agents = None
    if "agent" in params:
        agents = tuple(_agent(params["agent"], masks, partner))
    return check_query(
        Query(
            agents=agents,
            verb=params.get("verb"),
            activity=params.get("activity"),
            registration=params.get("registration"),
            related_activities=flag(params, "related_activities"),
            related_agents=flag(params, "related_agents"),
            since=params.get("since"),
            until=params.get("until"),
            limit=min(int(limit) or MOST, MOST),
            ascending=flag(params, "ascending"),
            format=params.get("format", "exact"),
        )
    )


def flag(params: dict[str, str], name: str) -> bool:
    """A parameter that is true or false; raises Problem 400."""
    text = params.get(name, "false")
    if text.lower() not in ("true", "false"):  # clients in Python send True
        raise bad_parameter(name, "is true or false.")
    return text.lower() == "true"


def statement_id(params: dict[str, str], name: str) -> uuid.UUID:
    """A parameter that is the id of a statement; raises Problem 400."""
    text = params.get(name, "")
    if not formats.is_uuid(text):
        raise bad_parameter(name, "is not a UUID.")
    return uuid.UUID(text)


def _agent(text: str, masks: Masks, partner: str) -> list[str]:
    try:
        agent, _, _ = strict_json.read(text.encode())
        check_party(agent, "")
    except Problem:
        raise bad_parameter("agent", "is not an Agent or identified Group as JSON.") from None
    name = masks.name(agent, partner)
    if name is None:
        raise bad_parameter("agent", "is a Group without an identifier.")
    return [name]


async def find(connection: Connection, partner: str, query: Query) -> tuple[list[Json], str | None]:
    """The statements of one page, and the token of the next one, if there is one.

    Statements that refer to a match are matches too, also through others (section 2.1.3, "Filter
    Conditions for StatementRefs"); voided ones are never shown, though they may be referred to.
    """
    values: list[Any] = [partner]

    def value(one: Any) -> str:
        values.append(one)
        return f"${len(values)}"

    matches = []
    if query.agents is not None:
        column = "related" if query.related_agents else "agents"
        # The index is on `related`, which holds all of `agents` too.
        name = value(list(query.agents))
        matches.append(f"related && {name}::text[] AND {column} && {name}::text[]")
    if query.verb is not None:
        matches.append(f"verb = {value(query.verb)}")
    if query.activity is not None:
        name = value(query.activity)
        strictly = "" if query.related_activities else f" AND activity = {name}"
        matches.append(f"activities && ARRAY[{name}]::text[]{strictly}")
    if query.registration is not None:
        matches.append(f"registration = {value(uuid.UUID(query.registration))}::uuid")
    where = ["partner = $1", "NOT voided"]
    begin = ""
    if matches:
        begin = (
            "WITH RECURSIVE hit AS (SELECT id FROM xapi_statement WHERE partner = $1 AND "
            + " AND ".join(matches)
            + " UNION SELECT s.id FROM xapi_statement s JOIN hit ON s.target = hit.id"
            " WHERE s.partner = $1) "
        )
        where.append("id IN (SELECT id FROM hit)")
    if query.since is not None:
        where.append(f"stored > {value(_instant(query.since))}")
    if query.until is not None:
        where.append(f"stored <= {value(_instant(query.until))}")
    if query.after is not None:
        sign = ">" if query.ascending else "<"
        where.append(f"seq {sign} {value(query.after)}")
    order = "ASC" if query.ascending else "DESC"
    rows = await connection.fetch(
        f"{begin}SELECT seq, statement FROM xapi_statement WHERE {' AND '.join(where)}"
        f" ORDER BY seq {order} LIMIT {value(query.limit + 1)}",
        *values,
    )
    more = query.token(rows[query.limit - 1]["seq"]) if len(rows) > query.limit else None
    return [r["statement"] for r in rows[: query.limit]], more


def _instant(text: str) -> datetime:
    found = formats.to_time(text)
    if found is None:
        raise bad_parameter("since", "is not a timestamp.")
    return found[0]
