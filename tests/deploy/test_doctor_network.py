"""`hocvuso doctor`: names, ports, certificates and copies, each broken on purpose."""

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from deploy.doctor import broker
from deploy.doctor.model import Finding, lines
from deploy.doctor.network import check_certificates, check_network, judge, servers
from deploy.local.ports import free_port


def certificate(folder: Path, days: int, name: str = "localhost") -> Path:
    """A self-signed one; its key lies beside it."""
    made = folder / f"{name}-{days}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-noenc", "-days", str(days), "-subj", f"/CN={name}", "-addext",
         f"subjectAltName=DNS:{name}", "-keyout", made.with_suffix(".key"), "-out", made],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server that speaks TLS, in a thread of its own."""
    file, port, ready = certificate(tmp_path, 90), free_port(), threading.Event()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, file.with_suffix(".key"))
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(lambda _, w: w.close(), "127.0.0.1", port, ssl=context)
        ready.set()
        async with server:
            await asyncio.Event().wait()

    task = loop.create_task(serve())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.wait([task])))
    thread.start()
    assert ready.wait(10)
    yield port, file
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    loop.close()


def test_each_server_of_the_settings_is_looked_at_and_no_password_is_told() -> None:
    env = {
        "HOCVUSO_ACTIVITIES_DATABASE_URL": "postgresql://a:s3cr%40t@db.example/x?sslmode=require",
        "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS": "k1.example:9093, [::1]:9094",
        "HOCVUSO_REGISTRY_URL": "http://registry:8000",
        "HOCVUSO_ORIGIN": "https://progress.example",
    }
    assert set(servers(env)) == {
        ("HOCVUSO_ACTIVITIES_DATABASE_URL", "db.example", 5432),
        ("HOCVUSO_KAFKA_BOOTSTRAP_SERVERS", "k1.example", 9093),
        ("HOCVUSO_KAFKA_BOOTSTRAP_SERVERS", "::1", 9094),
        ("HOCVUSO_REGISTRY_URL", "registry", 8000),
        ("HOCVUSO_ORIGIN", "progress.example", 443),
    }


def only(found: list[Finding]) -> tuple[str, str]:
    [one] = found
    return one.grade.value, f"{one.detail} -> {one.fix}"


async def test_an_unknown_name_and_a_closed_port_are_told_apart() -> None:
    unknown = {"HOCVUSO_ACTIVITIES_DATABASE_URL": "postgresql://u:hidden@no-such.invalid/x"}
    grade, said = only(await check_network(unknown))
    assert grade == "fail" and "no-such.invalid" in said and "getent hosts" in said
    assert "hidden" not in said
    closed = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    grade, said = only(await check_network(closed))
    assert grade == "fail" and "nobody listens" in said and "KAFKA_BOOTSTRAP_SERVERS" in said


async def test_a_certificate_that_callers_do_not_trust(
    listening: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, file = listening
    env = {"HOCVUSO_ORIGIN": f"https://localhost:{port}"}
    grade, said = only(await check_certificates(env))
    assert grade == "fail" and "not trusted" in said and "self" in said
    kafka = {
        "HOCVUSO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_BOOTSTRAP_SERVERS": f"localhost:{port}",
        "HOCVUSO_KAFKA_CA_FILE": str(file),
    }
    grade, said = only(await check_certificates(kafka))
    assert grade == "ok" and "89 more days" in said
    other = kafka | {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"}
    grade, said = only(await check_certificates(other))
    assert grade == "fail" and "127.0.0.1" in said


@pytest.mark.parametrize(("days", "grade"), [(60, "ok"), (5, "warn"), (-1, "fail")])
def test_a_certificate_that_ends(tmp_path: Path, days: int, grade: str) -> None:
    made = x509.load_pem_x509_certificate(certificate(tmp_path, 61).read_bytes())
    found = judge("that of x", made, datetime.now(UTC) + timedelta(days=61 - days, seconds=-60))
    assert found.grade.value == grade and ("renew" in found.fix) == (grade != "ok")


async def test_the_certificate_s_file(tmp_path: Path) -> None:
    file = tmp_path / "origin_certificate"
    file.write_text("nonsense")
    env = {"HOCVUSO_ORIGIN_CERTIFICATE_FILE": str(file)}
    assert only(await check_certificates(env))[0] == "fail"
    file.write_bytes(certificate(tmp_path, 2).read_bytes())
    grade, said = only(await check_certificates(env))
    assert grade == "warn" and str(file) in said


@pytest.mark.parametrize(
    ("partitions", "least", "grade", "fix"),
    [
        ([(3, 3), (3, 3)], "2", None, ""),
        ([(1, 1)], "1", None, ""),
        ([(1, 1)], "2", "fail", "more replicas"),
        ([(3, 3), (3, 1)], "2", "fail", "start the brokers"),
        ([(3, 3), (3, 2)], "2", "warn", "start the brokers"),
    ],
)
def test_copies(partitions: list[tuple[int, int]], least: str, grade: str | None, fix: str) -> None:
    name = "hocvuso.activities.v1"
    found = broker.judge_copies({name: partitions}, {name: {"min.insync.replicas": least}})
    assert [f.grade.value for f in found] == ([grade] if grade else [])
    assert not found or (fix in found[0].fix and name in lines(found)[0])
