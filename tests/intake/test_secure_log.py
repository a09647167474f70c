"""The log's own topics over SASL_SSL with the rules of docs/intake.md: relay, worker, receipts.

Whoever has lost a password or a rule says which, goes on without the broker, and comes back alone.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from deploy.doctor.broker import check_broker
from deploy.doctor.model import Grade
from deploy.local.stack import LocalStack
from services.activities.intake.kafka import Kafka
from shared.contracts import topics
from shared.settings import CommonSettings
from tests.activities.fake import event
from tests.activities.posting import UNITS, unit
from tests.deploy.servers import ROLES, Services, on
from tests.intake.cluster import OURS, WRITE, cluster
from tests.intake.conftest import apache_only
from tests.intake.rules import take_away
from tests.intake.secure import Cluster

__all__ = ["cluster"]
pytestmark = [pytest.mark.stack, apache_only, pytest.mark.timeout(300)]
PARTS = ("activities", "relay", "worker")
TO_WRITE = next(rule for rule in OURS if rule[5] == WRITE)


@pytest_asyncio.fixture
async def services(
    infrastructure: LocalStack, cluster: Cluster, tmp_path: Path
) -> AsyncIterator[Services]:
    """activities, relay and worker on a database of their own, told of the cluster by settings."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(infrastructure.superuser_url)
    await admin.execute(f'CREATE DATABASE "{name}"')
    owners = ", ".join(f"hocvuso_{service}" for service in ROLES)
    await admin.execute(f'GRANT CONNECT, TEMPORARY, CREATE ON DATABASE "{name}" TO {owners}')
    await admin.close()
    (tmp_path / "pseudonym.key").write_text("5a" * 32)
    # The password is not the right one yet.
    (tmp_path / "given").write_text("guess\n")
    user = cluster.user("hocvuso")
    settings = {
        f"HOCVUSO_{s.upper()}_DATABASE_URL": url.rsplit("/", 1)[0] + f"/{name}"
        for s, url in infrastructure.database_urls.items()
    } | {
        "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS": user.servers,
        "HOCVUSO_KAFKA_SECURITY_PROTOCOL": user.protocol,
        "HOCVUSO_KAFKA_SASL_MECHANISM": user.mechanism,
        "HOCVUSO_KAFKA_USERNAME": "hocvuso",
        "HOCVUSO_KAFKA_PASSWORD_FILE": str(tmp_path / "given"),
        "HOCVUSO_KAFKA_CA_FILE": str(user.ca_file),
    }
    with on(settings, tmp_path) as made:
        migrated = await asyncio.to_thread(made.migrate)
        assert migrated.returncode == 0, migrated.stderr[-800:]
        made.start(PARTS)
        yield made


def post(services: Services, *events: dict[str, Any]) -> None:
    key = Path(services.env["HOCVUSO_ADMIN_KEY_FILE"]).read_text().strip()
    answer = httpx.post(
        f"{services.url('activities')}/v1/events", json=list(events), timeout=60, trust_env=False,
        headers={"Authorization": f"Bearer {key}",
                 "Content-Type": "application/cloudevents-batch+json"},
    )  # fmt: skip
    assert answer.json()["accepted"] == len(events), answer.text


def certified(id: str) -> dict[str, Any]:
    person = {"scheme": "account", "value": id}
    data = {"person": person, "target_groups": ["adult"], "platform": "vneid"}
    return event(id=id, data=data)


def receipt(services: Services, id: str) -> dict[str, Any]:
    key = Path(services.env["HOCVUSO_ADMIN_KEY_FILE"]).read_text().strip()
    answer = httpx.get(
        f"{services.url('activities')}/v1/events",
        params={"source": certified(id)["source"], "id": id},
        headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False,
    )  # fmt: skip
    return dict(answer.json())


async def until(services: Services, what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 90
    while not await asyncio.to_thread(what):
        ended = {n: p.poll() for n, p in services.running.items() if p.poll() is not None}
        assert not ended and time.monotonic() < deadline, {
            n: services.log(n)[-900:] for n in services.running
        }
        await asyncio.sleep(0.2)


def says(services: Services, part: str, text: str, after: int = 0) -> Callable[[], bool]:
    return lambda: text in services.log(part)[after:]


def gauge(services: Services, name: str) -> float:
    page = httpx.get(f"{services.url('activities')}/metrics", timeout=30, trust_env=False).text
    return max(float(x.rpartition(" ")[2]) for x in page.splitlines() if x.startswith(name))


def heals(services: Services, id: str) -> Callable[[], bool]:
    """The whole way over the topics: published by the relay, counted as the worker reports."""
    return lambda: all(
        receipt(services, id)[n]["reached"] for n in ("published", "counted", "visible")
    )


async def counted(services: Services) -> int:
    connection = await asyncpg.connect(services.env["HOCVUSO_METRICS_DATABASE_URL"])
    try:
        return int(await connection.fetchval("SELECT max(last) FROM metrics.progress"))
    finally:
        await connection.close()


async def test_a_wrong_password_and_a_missing_rule_are_said_and_got_over(
    services: Services, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(services, lambda: (a := services.ready("activities")) and a.status_code == 200)
    await asyncio.to_thread(post, services, *[unit(*u) for u in UNITS], certified("first"))
    for part in ("relay", "worker"):
        await until(services, says(services, part, "SaslAuthenticationFailed"))
        assert (tmp_path / "given").read_text().strip() not in services.log(part)
    # Taken and counted all the same, from the log itself; the alerts RelayBehind and BrokerSilent.
    async with asyncio.timeout(60):
        while await counted(services) < len(UNITS) + 1:
            await asyncio.sleep(0.2)
    await until(services, lambda: gauge(services, "hocvuso_relay_lag") >= len(UNITS) + 1)
    assert not receipt(services, "first")["published"]["reached"]
    for name in (n for n in services.env if n.startswith("HOCVUSO_")):
        monkeypatch.setenv(name, services.env[name])
    [found] = await check_broker(CommonSettings())
    assert found.grade is Grade.FAIL and "SaslAuthenticationFailed" in found.detail
    assert "HOCVUSO_KAFKA_PASSWORD_FILE" in found.fix

    (tmp_path / "given").write_text(cluster.passwords["hocvuso"] + "\n")
    await until(services, heals(services, "first"))
    await until(services, lambda: gauge(services, "hocvuso_relay_lag") == 0)

    before = len(services.log("relay"))
    async with Kafka(cluster.user("broker")) as kafka:
        assert await take_away(kafka, TO_WRITE) == 1
    await asyncio.to_thread(post, services, certified("second"))
    await until(
        services, says(services, "relay", f"TopicAuthorizationFailedError: {topics.LOG}", before)
    )
    async with asyncio.timeout(60):
        while await counted(services) < len(UNITS) + 2:
            await asyncio.sleep(0.2)
    async with Kafka(cluster.user("broker")) as kafka:
        assert await kafka.allow([TO_WRITE]) is None
    await until(services, heals(services, "second"))
    assert set(services.stop().values()) <= {0, -15}
