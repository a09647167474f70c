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

from deploy.doctor import model
from deploy.doctor.files import check_files
from deploy.doctor.model import Finding, Grade
from deploy.local import services
from deploy.local.stack import LocalStack

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    home = tmp_path_factory.mktemp("doctor") / "home"
    with LocalStack(home, stages=lambda e, a: services.stages(e, a)[:2]) as made:
        yield made


def doctor(stack: LocalStack, **env: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code and the findings by part (the worst of each)."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "doctor", "--json"],
        env={**os.environ, "HOCVUSO_HOME": str(stack.home.path), **env},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("["), done.stderr
    order = ["skip", "ok", "warn", "fail"]
    found: dict[str, dict[str, str]] = {}
    for one in json.loads(done.stdout):
        if one["part"] not in found or order.index(one["grade"]) > order.index(
            found[one["part"]]["grade"]
        ):
            found[one["part"]] = one
    return done.returncode, found


def sql(stack: LocalStack, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(stack.superuser_url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def test_a_deployment_that_is_well(stack: LocalStack) -> None:
    code, found = doctor(stack)
    wrong = {p: f for p, f in found.items() if f["grade"] not in ("ok", "skip")}
    assert code == 0 and wrong.keys() == {"backup"}, wrong
    assert {p for p, f in found.items() if f["grade"] == "ok"} >= {
        "the pseudonym key", "the administrator's key", "the services' key", "clock", "durability",
        "PostgreSQL of activities", "PostgreSQL of metrics", "PostgreSQL of registry", "Kafka",
        "registry", "activities", "metrics", "relay", "worker", "tables", "disk of the home",
        "pseudonym key's fingerprint",
    }  # fmt: skip
    folder = stack.home.path / "backups" / "one"
    folder.mkdir(parents=True)
    (folder / "hocvuso.dump").write_text("x")
    assert doctor(stack)[1]["backup"]["grade"] == "ok"
    old = time.time() - 30 * 3600
    os.utime(folder / "hocvuso.dump", (old, old))
    assert doctor(stack)[1]["backup"]["grade"] == "warn"


def test_each_broken_part_is_named_with_what_to_do(stack: LocalStack, tmp_path: Path) -> None:
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
    )
    try:
        code, found = doctor(
            stack,
            HOCVUSO_PSEUDONYM_KEY_FILE=str(other),
            HOCVUSO_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
            HOCVUSO_METRICS_URL="http://127.0.0.1:1",
        )
    finally:
        stack.home.admin_key.chmod(0o600)
        stack.home.path.chmod(0o700)
        sql(stack, "COMMENT ON SCHEMA metrics IS 'hocvuso:metrics'")
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
    }
    for part, (grade, fix) in expected.items():
        assert found[part]["grade"] == grade and fix in found[part]["fix"], found.get(part)
    assert found["registry"]["grade"] == found["activities"]["grade"] == "ok"


def test_a_database_that_is_gone(stack: LocalStack) -> None:
    gone = "postgresql://hocvuso_activities:x@127.0.0.1:1/hocvuso"
    code, found = doctor(stack, HOCVUSO_ACTIVITIES_DATABASE_URL=gone)
    assert code == 1
    assert found["PostgreSQL of activities"]["grade"] == "fail"
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
            {"HOCVUSO_ADMIN_KEY_FILE": str(key), "HOCVUSO_SERVICE_KEY_FILE": str(tmp_path / "no")}
        )
    }
    assert found["the administrator's key"].grade is Grade.OK
    assert found["the services' key"].grade is Grade.FAIL


def test_text_names_what_to_do_and_warnings_do_not_fail() -> None:
    findings = [model.ok("a", "well"), model.warn("b", "so so", "look")]
    assert model.exit_code(findings) == 0
    assert model.lines(findings)[-1] == "1 warn"
    assert "      -> look" in model.lines(findings)
    wrong: list[Any] = [*findings, Finding("c", Grade.FAIL, "no", "do")]
    assert model.exit_code(wrong) == 1 and model.lines(wrong)[-1] == "1 fail, 1 warn"
    assert model.lines([model.ok("a", "well")])[-1] == "all is well"
