"""PostgreSQL and Kafka as docker-compose.yml runs them: TLS by an authority that make-secrets.sh made.

Real servers, with the arguments, files and certificates of the containers; only ports and folders
are others. Where this machine has no PostgreSQL with TLS, or no Apache Kafka, that part is skipped.
"""

import asyncio
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from aiokafka.errors import KafkaConnectionError

from deploy.docker import entrypoint
from deploy.local.apache_kafka import _classpath, java
from deploy.local.ports import free_port
from services.activities.intake.kafka import Kafka
from shared.broker import Broker
from tests.intake.conftest import apache_only

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PATIENCE = 90


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make-secrets.sh makes, and the authority of a stranger beside it."""
    # Not below a folder of pytest's own: the server's user must get there.
    folder = tmp_path_factory.mktemp("inside")
    (folder / "deploy" / "docker").mkdir(parents=True)
    script = shutil.copy(DOCKER / "make-secrets.sh", folder / "deploy" / "docker")
    for name in ("secrets", "stranger"):
        subprocess.run(
            ["sh", script], check=True, capture_output=True,
            env={**os.environ, "HOCVUSO_SECRETS": str(folder.parent / f"{folder.name}-{name}")},
        )  # fmt: skip
    return folder.parent / f"{folder.name}-secrets"


def stranger(secrets: Path) -> Path:
    return secrets.with_name(secrets.name.removesuffix("secrets") + "stranger")


def test_the_authority_signs_two_servers_and_then_nobody(secrets: Path) -> None:
    def said(*arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=secrets, check=True, capture_output=True, text=True
        )
        return done.stdout

    for name in ("postgres_certificate", "kafka_identity"):
        assert "OK" in said("verify", "-CAfile", "internal_authority", name)
        text = said("x509", "-noout", "-text", "-in", name)
        assert f"DNS:{name.partition('_')[0]}, DNS:localhost" in text and "CA:FALSE" in text
    keys = {p.name for p in secrets.iterdir() if "PRIVATE KEY" in p.read_text()}
    assert keys == {"origin_key", "postgres_key", "kafka_identity"}  # none of the authority


@pytest.mark.security("V12.3.1", "V12.3.2")
def test_every_client_inside_asks_over_tls() -> None:
    for name, service in SERVICES.items():
        environment = service.get("environment", {})
        if "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS" in environment:
            assert environment["HOCVUSO_KAFKA_SECURITY_PROTOCOL"] == "SSL", name
            assert environment["HOCVUSO_KAFKA_CA_FILE"] == "/run/secrets/internal_authority", name
            assert entrypoint.AUTHORITY in service["secrets"], name


# -- PostgreSQL ----------------------------------------------------------------------------------


def with_tls() -> Path | None:
    """The programs of a PostgreSQL on this machine that was built with TLS."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            said = subprocess.run(
                [folder / "pg_config", "--configure"], capture_output=True, text=True, check=False
            )
            if "openssl" in said.stdout:
                return folder
    return None


@pytest.fixture(scope="module")
def postgres(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The server as the container starts it: its script, its arguments, its rules; the port."""
    programs = with_tls()
    if programs is None or os.geteuid() != 0:
        pytest.skip("needs a PostgreSQL with TLS on this machine, and root")
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("needs the user postgres")
    port = free_port()
    home = Path("/tmp") / f"hocvuso-tls-{port}"
    home.mkdir(mode=0o755)
    os.chown(home, user.pw_uid, user.pw_gid)
    data, tls = home / "data", home / "tls"
    superuser = (secrets / "postgres_password").read_text()
    (home / "password").write_text(superuser)
    shutil.copy(DOCKER / "pg_hba.conf", home / "pg_hba.conf")
    (home / "as-postgres").write_text(
        f'#!/bin/sh\ncd {home}\nPATH={programs}:$PATH exec setpriv --reuid postgres --regid postgres --clear-groups "$@"\n'
    )
    (home / "as-postgres").chmod(0o755)
    for file in ("password", "pg_hba.conf"):
        (home / file).chmod(0o644)
    init = ["initdb", "-D", str(data), "-U", "postgres", f"--pwfile={home / 'password'}",
            "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C"]  # fmt: skip
    subprocess.run([home / "as-postgres", *init], check=True, capture_output=True)
    places = {"/var/run/postgresql-tls": str(tls), "/etc/hocvuso": str(home)}
    asked = [a for a in SERVICES["postgres"]["command"] if re.match("-c(ssl|hba)", a)]
    assert len(asked) == 5
    for there, here in places.items():
        asked = [a.replace(there, here) for a in asked]
    env = {"SECRETS_DIR": str(secrets), "TLS_DIR": str(tls), "PATH": os.environ["PATH"],
           "NEXT_ENTRYPOINT": str(home / "as-postgres")}  # fmt: skip
    script = SERVICES["postgres"]["entrypoint"][-1].rpartition("/")[2]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            ["bash", str(DOCKER / script), "postgres", *asked, "-D", str(data), f"-cport={port}",
             "-clisten_addresses=127.0.0.1,127.0.0.2", f"-cunix_socket_directories={home}"],
            env=env, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(
            [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
        ).returncode:
            assert server.poll() is None and time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.1)
        role = (secrets / "activities_database_password").read_text()
        subprocess.run(
            [programs / "psql", "-q", "-h", str(home), "-p", str(port), "-U", "postgres",
             "-c", f"CREATE ROLE hocvuso_activities LOGIN PASSWORD '{role}'"],
            check=True, capture_output=True,
        )  # fmt: skip
        yield port
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(home)


def url(secrets: Path, port: int, host: str = "127.0.0.1") -> str:
    """The address that a container of activities makes for itself."""
    named = entrypoint.settings({"HOCVUSO_DATABASE": f"{host}:{port}/postgres"}, secrets)
    return named["HOCVUSO_ACTIVITIES_DATABASE_URL"]


@pytest.mark.stack
@pytest.mark.security("V12.3.1")
async def test_a_service_reaches_postgresql_over_tls_only(secrets: Path, postgres: int) -> None:
    connection = await asyncpg.connect(url(secrets, postgres))
    row = await connection.fetchrow(
        "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    )
    await connection.close()
    assert row is not None and dict(row) == {"ssl": True, "version": "TLSv1.3"}
    bare = url(secrets, postgres).partition("?")[0]
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="no encryption"):
        await asyncpg.connect(f"{bare}?sslmode=disable")
    assert (Path(f"/tmp/hocvuso-tls-{postgres}/tls/key").stat().st_mode & 0o777) == 0o600


@pytest.mark.stack
@pytest.mark.security("V12.3.2")
async def test_a_service_believes_no_other_server(secrets: Path, postgres: int) -> None:
    """Neither who shows a certificate of somebody else's, nor who shows it under another name."""
    with pytest.raises(
        ssl.SSLCertVerificationError, match=r"self-signed|unable to get local issuer"
    ):
        mine = url(secrets, postgres)
        await asyncpg.connect(mine.replace(str(secrets), str(stranger(secrets))))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await asyncpg.connect(url(secrets, postgres, "127.0.0.2"))


@pytest.mark.stack
async def test_who_makes_backups_gets_in_by_password(secrets: Path, postgres: int) -> None:
    """Its programs know no TLS; with a wrong password they are refused as everybody is."""
    named = entrypoint.settings({"HOCVUSO_DATABASE": f"127.0.0.1:{postgres}/postgres"}, secrets)
    address = named["HOCVUSO_SUPERUSER_DATABASE_URL"]
    connection = await asyncpg.connect(f"{address}?sslmode=disable")
    assert await connection.fetchval("SELECT current_user") == "postgres"
    await connection.close()
    wrong = re.sub(r":[0-9a-f]{64}@", ":wrong@", address)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


# -- Kafka ---------------------------------------------------------------------------------------


def properties(environment: Mapping[str, str], ports: Mapping[str, int], secrets: Path) -> str:
    """server.properties as the image makes them of KAFKA_...: lower case, dots for underscores."""
    found = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }
    text = "".join(f"{name}={value}\n" for name, value in found.items())
    for old, new in ports.items():
        text = text.replace(f":{old}", f":{new}")
    text = text.replace("kafka:", "localhost:").replace("://:", "://localhost:")
    return text.replace("/run/secrets", str(secrets))


@pytest.fixture(scope="module")
async def kafka(
    secrets: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, int]]:
    """The broker with what compose tells it; ports by what they are in the container."""
    folder = tmp_path_factory.mktemp("kafka")
    ports = {old: free_port() for old in ("9092", "9093", "9094")}
    file = folder / "server.properties"
    environment = SERVICES["kafka"]["environment"]
    text = properties(environment, ports, secrets)
    file.write_text(text.replace(environment["KAFKA_LOG_DIRS"], str(folder / "data")))
    classpath = _classpath(Path(os.environ["HOCVUSO_KAFKA_HOME"]))
    subprocess.run(
        [java(), "-Xmx128m", "-cp", classpath, "kafka.tools.StorageTool", "format",
         "-t", environment["CLUSTER_ID"], "-c", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [java(), "-Xmx512m", "-XX:+UseSerialGC", "-cp", classpath, "kafka.Kafka", str(file)],
            stdout=log, stderr=log,
        )  # fmt: skip
    health = ["bash", str(DOCKER / "kafka-health.sh"), "localhost", str(ports["9094"])]
    try:
        async with asyncio.timeout(PATIENCE):
            while (await asyncio.to_thread(subprocess.run, health, capture_output=True)).returncode:
                assert process.poll() is None, (folder / "log").read_text()[-3000:]
                await asyncio.sleep(0.5)
        yield ports
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


def broker(secrets: Path, port: int, **more: Any) -> Broker:
    values = {"protocol": "SSL", "ca_file": secrets / "internal_authority", **more}
    return Broker(f"localhost:{port}", **values)


@apache_only
@pytest.mark.stack
@pytest.mark.security("V12.3.1", "V12.3.2")
async def test_kafka_is_reached_over_tls_only(secrets: Path, kafka: dict[str, int]) -> None:
    port = kafka["9092"]
    async with Kafka(broker(secrets, port)) as client:
        assert await client.topic("none") is None
    for wrong in ({"ca_file": stranger(secrets) / "internal_authority"}, {"protocol": "PLAINTEXT"}):
        with pytest.raises(KafkaConnectionError):
            async with asyncio.timeout(30), Kafka(broker(secrets, port, **wrong)):
                pass
    # What is in the clear listens to nobody beyond the container.
    listening = subprocess.run(
        ["ss", "-Hltn", f"sport = :{kafka['9094']}"], capture_output=True, text=True, check=False
    ).stdout
    if listening:
        assert re.search(r"(127\.0\.0\.1|\[::(ffff:127\.0\.0\.)?1\]):", listening), listening
    with socket.create_connection(("localhost", kafka["9093"])) as plain:
        context = ssl.create_default_context(cafile=str(secrets / "internal_authority"))
        with context.wrap_socket(plain, server_hostname="localhost") as controller:
            assert controller.version() == "TLSv1.3"
