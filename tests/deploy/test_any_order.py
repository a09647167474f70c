"""Real processes in the worst order, and with servers that hang."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.stack import LocalStack, infrastructure_only
from tests.activities.posting import UNITS, unit
from tests.deploy.backups import ask, certified
from tests.deploy.servers import PROCESSES, Services, database, on
from tests.observability.watched import freeze

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]
HTTP = ("registry", "activities", "metrics")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Their ports stay the same from start to start. They are stopped to begin with."""
    made = LocalStack(tmp_path_factory.mktemp("servers") / "home", stages=infrastructure_only)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def services(servers: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("services")
    (folder / "pseudonym.key").write_text("ab" * 32)
    with servers:
        there = database(servers, restarted=True)
        settings = {
            f"HOCVUSO_{service.upper()}_DATABASE_URL": url for service, url in there.roles.items()
        }
        settings["KAFKA_BOOTSTRAP_SERVERS"] = servers.bootstrap_servers
        (folder / "superuser").write_text(there.superuser)
    with on(settings, folder) as made:
        yield made


def test_everything_starts_before_what_it_needs(servers: LocalStack, services: Services) -> None:
    services.start(reversed(PROCESSES))
    for name in PROCESSES:
        services.until(lambda n=name: "PostgreSQL is not there yet" in services.log(n))  # type: ignore[misc]
    servers.start()
    for name in PROCESSES:
        services.until(lambda n=name: "`hocvuso migrate` makes it" in services.log(n))  # type: ignore[misc]
    assert all(process.poll() is None for process in services.running.values())
    migrated = services.migrate()
    assert migrated.returncode == 0, migrated.stderr[-800:]
    services.until_ready()
    answer = httpx.post(
        f"{services.url('activities')}/v1/events",
        json=[*(unit(*u) for u in UNITS), *(certified(n) for n in range(10))],
        headers={"Content-Type": "application/cloudevents-batch+json", **key(services)},
        timeout=60, trust_env=False,
    )  # fmt: skip
    assert answer.json()["accepted"] == len(UNITS) + 10
    last = answer.json()["results"][-1]["position"]
    services.until(lambda: through(services) >= last)


def key(services: Services) -> dict[str, str]:
    return {"Authorization": f"Bearer {(services.logs / 'admin.key').read_text().strip()}"}


def superuser(services: Services) -> str:
    return (services.logs / "superuser").read_text()


def through(services: Services) -> int:
    [(counted,)] = ask(superuser(services), "SELECT min(through) FROM metrics.progress")
    return int(counted)


def test_a_database_that_hangs_is_told_and_got_over(
    servers: LocalStack, services: Services
) -> None:
    """All answers come, in bounded time; nothing that was answered is lost."""

    async def everybody() -> list[httpx.Response]:
        # The time-out is that of a patient caller: whoever is not answered by then fails here.
        async with httpx.AsyncClient(timeout=90, trust_env=False, headers=key(services)) as client:
            return await asyncio.gather(
                *(client.get(f"{services.url(name)}/health/ready") for name in HTTP),
                *(client.get(f"{services.url(name)}/health/live") for name in HTTP),
                client.post(
                    f"{services.url('activities')}/v1/events", json=certified(77),
                    headers={"Content-Type": "application/cloudevents+json"},
                ),
                client.get(f"{services.url('registry')}/v1/changes"),
            )  # fmt: skip

    freeze(servers.pid("postgres"))
    try:
        answers = asyncio.run(everybody())
    finally:
        freeze(servers.pid("postgres"), thaw=True)
    *ready, _, _, _, posted, read = answers
    assert [a.status_code for a in answers[3:6]] == [200, 200, 200], "alive all the same"
    for answer in (*ready[:3], posted, read):
        assert answer.status_code == 503 and answer.json()["retryable"], answer.text
        assert answer.headers["Retry-After"]
    assert all("does not answer" in answer.json()["detail"] for answer in ready[:3])
    services.until_ready()
    again = httpx.post(
        f"{services.url('activities')}/v1/events", json=certified(77), timeout=60, trust_env=False,
        headers={"Content-Type": "application/cloudevents+json", **key(services)},
    )  # fmt: skip
    assert again.status_code in (200, 201)
    services.until(lambda: through(services) >= again.json()["position"])


def test_a_broker_that_hangs_stops_neither_taking_nor_counting(
    servers: LocalStack, services: Services
) -> None:
    freeze(servers.pid("broker"))
    try:
        answer = httpx.post(
            f"{services.url('activities')}/v1/events", json=certified(78), timeout=60,
            headers={"Content-Type": "application/cloudevents+json", **key(services)},
            trust_env=False,
        )  # fmt: skip
        assert answer.status_code == 201
        services.until(lambda: through(services) >= answer.json()["position"])
        services.until_ready()
    finally:
        freeze(servers.pid("broker"), thaw=True)
