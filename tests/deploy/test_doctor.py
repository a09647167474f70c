"""`hocvuso doctor` against a real deployment: well, then with many things broken at once."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.doctor import broker, intake, model
from deploy.doctor.cli import examine
from deploy.doctor.files import check_files
from deploy.doctor.model import Finding, Grade
from deploy.local import services
from deploy.local.stack import LocalStack
from services.activities.intake.lag import Lag, PartitionLag
from tests.observability.watched import freeze

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    home = tmp_path_factory.mktemp("doctor") / "home"
    with LocalStack(home, stages=lambda e, a: services.stages(e, a)[:2]) as made:
        yield made


Found = dict[str, dict[str, str]]


def worst(findings: list[dict[str, str]]) -> Found:
    """By part, the worst of each."""
    order = ["skip", "ok", "warn", "fail"]
    found: Found = {}
    for one in sorted(findings, key=lambda one: order.index(one["grade"])):
        found[one["part"]] = one
    return found


def doctor(stack: LocalStack) -> tuple[int, Found]:
    """The command: its exit code and what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "doctor", "--json"],
        env={**os.environ, "HOCVUSO_HOME": str(stack.home.path)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("["), done.stderr
    return done.returncode, worst(json.loads(done.stdout))


def rested(stack: LocalStack) -> tuple[int, Found]:
    """The same once nothing fails but the backup, or after a minute: heartbeats and what is shown
    come late while other tests keep the machine busy, and doctor says so, as it should."""
    until = time.monotonic() + 60
    while True:
        code, found = doctor(stack)
        wrong = {p for p, f in found.items() if f["grade"] not in ("ok", "skip")}
        if wrong <= {"backup"} or time.monotonic() > until:
            return code, found
        time.sleep(1)


def examined(stack: LocalStack, **env: str) -> tuple[int, Found]:
    """The same in this process: a new one spends most of its time on imports."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **stack.home.environment(),
            "HOCVUSO_HOME": str(stack.home.path),
            **env,
        }.items():
            patch.setenv(name, value)
        findings = asyncio.run(examine())
    return model.exit_code(findings), worst([finding.body() for finding in findings])


def backup(stack: LocalStack) -> Finding:
    found = {f.part: f for f in check_files({"HOCVUSO_HOME": str(stack.home.path)})}
    return found["backup"]


def sql(stack: LocalStack, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(stack.superuser_url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


@pytest.mark.stack
def test_a_deployment_that_is_well(stack: LocalStack) -> None:
    code, found = rested(stack)
    wrong = {p: f for p, f in found.items() if f["grade"] not in ("ok", "skip")}
    assert code == 0 and wrong.keys() == {"backup"}, wrong
    assert {p for p, f in found.items() if f["grade"] == "ok"} >= {
        "the pseudonym key", "the administrator's key", "the key of activities",
        "the key of metrics", "the key of registry", "clock", "durability",
        "PostgreSQL of activities", "PostgreSQL of metrics", "PostgreSQL of registry", "Kafka",
        "registry", "activities", "metrics", "relay", "worker", "tables", "disk of the home",
        "intake", "topics",
        "pseudonym key's fingerprint",
    }  # fmt: skip
    folder = stack.home.path / "backups" / "one"
    folder.mkdir(parents=True)
    (folder / "hocvuso.dump").write_text("x")
    assert backup(stack).grade is Grade.OK
    old = time.time() - 30 * 3600
    os.utime(folder / "hocvuso.dump", (old, old))
    assert backup(stack).grade is Grade.WARN


@pytest.mark.stack
def test_each_broken_part_is_named_with_what_to_do(stack: LocalStack, tmp_path: Path) -> None:
    freeze(stack.pid("intake"))
    other = tmp_path / "pseudonym.key"
    other.write_text("ab" * 32)
    other.chmod(0o600)
    stack.home.admin_key.chmod(0o644)
    stack.home.path.chmod(0o755)  # the directory protected it until now
    sql(
        stack,
        "UPDATE registry.alembic_version SET version_num = '0000'",
        "ALTER ROLE hocvuso_activities SET synchronous_commit = off",
        "UPDATE metrics.projection SET log_epoch = 'another'",
        "INSERT INTO metrics.parked (position, lane, subject, unit_id, type, problem, record)"
        " VALUES (1, 1, 'x', 'x', 'x', 'x', '{}')",
        "COMMENT ON SCHEMA metrics IS 'somebody else''s'",
        "INSERT INTO activities.intake (partner, roles, partitions, retention_hours, created_at,"
        " changed_at, checked_at, enabled) VALUES"
        " ('vnpt', '{telecom}', 1, 1, now(), now(), now() - interval '1 day', true)",
        # Its own process would look at the topic and mend this row; it hangs.
        "DELETE FROM activities.intake_worker",
    )
    try:
        code, found = examined(
            stack,
            HOCVUSO_PSEUDONYM_KEY_FILE=str(other),
            HOCVUSO_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
            HOCVUSO_METRICS_URL="http://127.0.0.1:1",
        )
    finally:
        stack.home.admin_key.chmod(0o600)
        stack.home.path.chmod(0o700)
        freeze(stack.pid("intake"), thaw=True)
        sql(
            stack,
            "COMMENT ON SCHEMA metrics IS 'hocvuso:metrics'",
            "UPDATE activities.intake SET enabled = false",
        )
    assert code == 1
    expected = {
        "the administrator's key": ("fail", "chmod 600"),
        "pseudonym key's fingerprint": ("fail", "original key"),
        "PostgreSQL of registry": ("fail", "hocvuso migrate"),
        "PostgreSQL of metrics": ("fail", "hocvuso migrate"),
        "durability": ("fail", "loss of power"),
        "Kafka": ("fail", "start the broker"),
        "metrics": ("fail", "start it"),
        "log epoch": ("fail", "start-over"),
        "parked": ("warn", "hocvuso parked"),
        "intake": ("fail", "start the process `intake`"),
    }
    for part, (grade, fix) in expected.items():
        assert found[part]["grade"] == grade and fix in found[part]["fix"], found.get(part)
    assert found["registry"]["grade"] == found["activities"]["grade"] == "ok"


@pytest.mark.stack
def test_a_number_of_partitions_that_is_not_the_topic_s(stack: LocalStack) -> None:
    found = examined(stack, HOCVUSO_KAFKA_PARTITIONS="61")[1]
    assert found["partitions"]["grade"] == "warn" and "61" in found["partitions"]["detail"]


@pytest.mark.stack
def test_a_database_that_is_gone(stack: LocalStack) -> None:
    gone = "postgresql://hocvuso_activities:x@127.0.0.1:1/hocvuso"
    code, found = examined(stack, HOCVUSO_ACTIVITIES_DATABASE_URL=gone)
    assert code == 1
    assert found["PostgreSQL of activities"]["grade"] == "fail"
    assert found["intake"]["grade"] == "skip"
    assert "HOCVUSO_ACTIVITIES_DATABASE_URL" in found["PostgreSQL of activities"]["fix"]
    assert "postgresql://" not in json.dumps(found), "an address holds a password"
    assert found["flow"]["grade"] == "skip"


def test_a_missing_key_and_one_that_a_shut_directory_protects(tmp_path: Path) -> None:
    inside = tmp_path / "shut"
    inside.mkdir(mode=0o700)
    key = inside / "admin.key"
    key.write_text("x")
    key.chmod(0o644)
    found = {
        f.part: f
        for f in check_files(
            {"HOCVUSO_ADMIN_KEY_FILE": str(key), "HOCVUSO_SERVICE_KEY_FOLDER": str(tmp_path / "no")}
        )
    }
    assert found["the administrator's key"].grade is Grade.OK
    assert found["the key of metrics"].grade is Grade.FAIL


DAY = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("name", "said", "grade", "fix"),
    [
        ("hocvuso.activities.v1", {"retention.ms": str(7 * DAY)}, "ok", ""),
        ("hocvuso.activities.v1", {}, "ok", ""),
        ("hocvuso.activities.v1", {"retention.ms": "-1"}, "ok", ""),
        ("hocvuso.activities.v1", {"retention.ms": "60000"}, "warn", "retention.ms"),
        ("hocvuso.progress.v1", {"cleanup.policy": "compact"}, "warn", "cleanup.policy=delete"),
        ("hocvuso.intake.vnpt.v1", {"retention.ms": str(3 * DAY)}, "ok", ""),
        ("hocvuso.intake.vnpt.v1", {"retention.ms": str(8 * DAY)}, "warn", "at most 604800000"),
        ("hocvuso.intake.vnpt.v1", {"retention.ms": "-1"}, "warn", "at most 604800000"),
        ("hocvuso.intake.vnpt.v1", {"cleanup.policy": "compact,delete"}, "fail", "what is missing"),
    ],
)
def test_settings_of_topics(name: str, said: dict[str, str], grade: str, fix: str) -> None:
    [found] = broker.judge({name: said})
    assert found.grade.value == grade and fix in found.fix
    assert grade == "ok" or name in found.detail


@pytest.mark.parametrize(
    ("readers", "state", "part", "grade", "fix"),
    [
        (1, "reading", "intake", "ok", ""),
        (0, "disabled", "intake", "warn", "start the process"),
        (0, "reading", "intake", "fail", "start the process"),
        (1, "unattended", "intake of vnpt", "fail", "restart"),
        (1, "attention", "intake of vnpt", "warn", "hocvuso intake acknowledge vnpt"),
        (1, "waiting", "intake of vnpt", "fail", "rights on the broker"),
    ],
)
def test_the_intake(readers: int, state: str, part: str, grade: str, fix: str) -> None:
    lag = Lag("vnpt", state, "topic-missing", None, False, None, 2, 0, ())
    found = intake.judge(readers, [lag])[-1]
    assert (found.part, found.grade.value) == (part, grade) and fix in found.fix


def test_an_intake_that_falls_behind() -> None:
    late = PartitionLag(0, 5, 0, 12, 7, 400.0, 5, 0, 0)
    lag = Lag("vnpt", "reading", None, None, False, None, 0, 0, (late,))
    found = intake.judge(1, [lag])[-1]
    assert found.grade is Grade.WARN and "7 messages" in found.detail and "400 s" in found.detail


def test_text_names_what_to_do_and_warnings_do_not_fail() -> None:
    findings = [model.ok("a", "well"), model.warn("b", "so so", "look")]
    assert model.exit_code(findings) == 0
    assert model.lines(findings)[-1] == "1 warn"
    assert "      -> look" in model.lines(findings)
    wrong: list[Any] = [*findings, Finding("c", Grade.FAIL, "no", "do")]
    assert model.exit_code(wrong) == 1 and model.lines(wrong)[-1] == "1 fail, 1 warn"
    assert model.lines([model.ok("a", "well")])[-1] == "all is well"
