"""Every column that can hold a text is classified: who adds one says here what may stand in it."""

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from tests.conftest import migrated_database

MADE = "made here: ids, digests, codes, words of closed lists, names of routes"
NAMES = "names of partners and the like: searched when they are given (refuse_in_clear)"
EVENTS = "of events that were taken: searched or made references when they are judged"
MASKED = "of what was refused, or of statements: masked before it is kept"
TYPED = "free text that somebody types: searched (refuse_in_clear)"
CUT = "from requests: only what cannot name a person (networks, known prefixes)"

ACTIVITIES = {
    EVENTS: "log.source log.id log.type log.subject log.unit_id log.time log.data log.effective"
    " log.key_kind log.traceparent amendment.type amendment.data thing.type thing.source thing.ref"
    " reference.type reference.source reference.ref person_link.ref_a person_link.ref_b"
    " canonical_person.ref canonical_person.canonical respelt.ref respelt.former"
    " xapi_statement.person xapi_statement.source xapi_statement.event_id",
    NAMES: "log.partner key.name key.roles key.scopes key.types key.sources key.subtree key.era"
    " key.account key.issuer key.client_id key.token_subject stream.partner stream.name quota.partner"
    " quota_use.partner intake.partner intake.roles intake.types intake.sources intake.subtree"
    " intake.era intake.principal intake_position.partner intake_receipt.partner"
    " intake_trouble.partner intake_trouble.acknowledged_by xapi_statement.partner"
    " xapi_platform.partner xapi_platform.home_page xapi_platform.subject"
    " xapi_platform.target_groups xapi_platform.platform xapi_platform.scheme book.partner"
    " quarantine.partner quarantine.closed_by quarantine_use.partner audit.by_name audit.about"
    " audit.detail",
    MASKED: "book.source book.type quarantine.source quarantine.id quarantine.type"
    " quarantine.problem quarantine.event quarantine.replay_problem intake_receipt.key"
    " xapi_statement.statement xapi_statement.verb xapi_statement.activity"
    " xapi_statement.activity_type xapi_statement.activities xapi_statement.agents"
    " xapi_statement.related xapi_statement.reason xapi_statement.entry",
    TYPED: "quarantine.reason invitation.label session.device",
    CUT: "refused_use.network refused_use.prefix",
    MADE: "counter.epoch key.prefix key.last_path key.rotated_to quota_use.span key_use.prefix"
    " key_use.path key_use.outcome refused_use.code audit.action audit.by_prefix audit.trace_id"
    " mark.stage book.path quarantine.path quarantine.code quarantine.traceparent quarantine.state"
    " intake.acks intake.waits_for intake_trouble.kind intake_trouble.detail intake_worker.name"
    " invitation.id invitation.role invitation.unit invitation.rights invitation.created_by"
    " invitation.key_prefix invitation.granted_by key.granted_by key.invitation"
    " session.id session.key_prefix",
}
METRICS = {
    TYPED: "dismissed.reason",
    EVENTS: "evidence.detail evidence_past.detail",
}
REGISTRY = {EVENTS: "definition.content journal.content definition.source definition.id"
            " journal.source journal.id arrival.source",
            TYPED: "report_template.name"}  # fmt: skip


async def columns(infrastructure: LocalStack, service: str) -> set[str]:
    """Every column of the service's schema that can hold a text."""
    url = await migrated_database(infrastructure, service)
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            """
            SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
            JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = $1 AND t.table_type = 'BASE TABLE'
              AND c.table_name NOT LIKE 'alembic%'
              AND (c.data_type IN ('text', 'json', 'jsonb', 'character varying')
                   OR c.udt_name IN ('_text', '_varchar', '_json', '_jsonb'))
            """,
            service,
        )
    finally:
        await connection.close()
    return {row[0] for row in rows}


def listed(classes: dict[str, str]) -> list[str]:
    return [column for columns in classes.values() for column in columns.split()]


async def test_every_text_of_activities_is_classified(infrastructure: LocalStack) -> None:
    found = await columns(infrastructure, "activities")
    assert len(listed(ACTIVITIES)) == len(set(listed(ACTIVITIES)))
    assert found == set(listed(ACTIVITIES))


@pytest.mark.parametrize(("service", "classes"), [("metrics", METRICS), ("registry", REGISTRY)])
async def test_texts_of_the_projections_come_from_the_log(
    infrastructure: LocalStack, service: str, classes: dict[str, str]
) -> None:
    """What is typed into them is listed; all else they count from rows of the log."""
    found = await columns(infrastructure, service)
    assert set(listed(classes)) <= found
    typed = {
        c for c in found if c.rpartition(".")[2] in ("reason", "label", "note", "comment", "name")
    }
    known = {"objective_state.reason", "worker.name"}  # the plan's compiler, a process of ours
    assert typed - set(listed(classes)) <= known
