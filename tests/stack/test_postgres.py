"""Nothing that PostgreSQL has answered is lost, however the stack ends."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.local import identity, postmaster
from deploy.local.processes import alive
from deploy.local.spawn import RunAs
from deploy.local.stack import LocalStack
from tests.stack.conftest import READ, WRITE, answers, eventually, query

MakeStack = Callable[..., LocalStack]


def test_a_row_outlives_a_stop_and_the_address_stays(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    url = stack.database_urls["activities"]
    query(url, *WRITE)
    stack.stop()
    assert not answers(url)
    stack.start()
    assert stack.database_urls["activities"] == url
    assert query(url, READ) == [("kept",)]
    assert query(url, "SHOW fsync") == query(url, "SHOW synchronous_commit") == [("on",)]


def test_a_row_outlives_kill_of_everything(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    query(stack.database_urls["activities"], *WRITE)
    before = psutil.Process(stack.pid("postgres")).children(recursive=True)
    stack.kill_all()
    assert before and not any(alive(process) for process in before)
    stack.start()
    assert query(stack.database_urls["activities"], READ) == [("kept",)]


def test_a_killed_postmaster_is_started_again(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.start()
    url, pid = stack.database_urls["activities"], stack.pid("postgres")
    query(url, *WRITE)
    stack.kill("postgres")
    eventually(lambda: stack.pid("postgres") not in (None, pid), "a new postmaster")
    eventually(lambda: answers(url), "PostgreSQL answers")
    assert query(url, READ) == [("kept",)]


def test_a_pid_file_that_names_another_program_does_not_stop_the_start(
    make_stack: MakeStack, home: Path
) -> None:
    stack = make_stack()
    stack.start()
    query(stack.database_urls["activities"], *WRITE)
    pid_file = home / "postgres" / "postmaster.pid"
    left_behind = pid_file.read_text().splitlines()
    stack.kill_all()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        pid_file.write_text("\n".join([str(other.pid), *left_behind[1:]]) + "\n")
        assert postmaster.running(home / "postgres") is None
        stack.start()
        assert query(stack.database_urls["activities"], READ) == [("kept",)]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_that_is_still_alive_is_stopped_cleanly(make_stack: MakeStack, home: Path) -> None:
    stack = make_stack()
    stack.start()
    query(stack.database_urls["activities"], *WRITE)
    old = postmaster.running(home / "postgres")
    assert old is not None and old.pid == stack.pid("postgres")
    postmaster.clear(home / "postgres")
    assert not alive(old)
    eventually(lambda: answers(stack.database_urls["activities"]), "the supervisor's new server")
    assert query(stack.database_urls["activities"], READ) == [("kept",)]


def test_each_service_has_a_role_that_can_make_its_schema_and_no_more(
    make_stack: MakeStack,
) -> None:
    stack = make_stack()
    stack.start()
    for service, url in stack.database_urls.items():
        query(url, f"CREATE SCHEMA {service}", f"CREATE TABLE {service}.t ()", "SELECT 1")
    assert query(
        stack.superuser_url,
        "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname ~ '^hocvuso' ORDER BY 1",
    ) == [(f"hocvuso_{s}", False, False) for s in ("activities", "metrics", "registry")]
    with pytest.raises(Exception, match="permission denied"):
        query(stack.database_urls["registry"], "SELECT * FROM activities.t")


def test_secrets_are_for_their_owner_only(make_stack: MakeStack, home: Path) -> None:
    make_stack().start()
    secrets = [home / "pseudonym.key", *(home / "secrets").iterdir()]
    assert len(secrets) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_lost_password_file_is_replaced(make_stack: MakeStack, home: Path) -> None:
    stack = make_stack()
    stack.start()
    query(stack.database_urls["activities"], *WRITE)
    stack.stop()
    for path in (home / "secrets").iterdir():
        path.unlink()
    stack.start()
    assert query(stack.database_urls["activities"], READ) == [("kept",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up root")
def test_root_without_user_namespaces_uses_an_account(
    make_stack: MakeStack, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_namespaces(_directory: Path) -> RunAs:
        account = identity._unprivileged_account()
        return RunAs("account", account.pw_uid, account.pw_gid)

    stack = make_stack()
    with monkeypatch.context() as patched:
        patched.setattr(identity, "for_data_in", no_namespaces)
        stack.start()
    query(stack.database_urls["activities"], *WRITE)
    assert psutil.Process(stack.pid("postgres")).uids().effective != 0
    stack.kill_all()
    stack.start()  # as the owner of the data, although namespaces would be possible
    assert psutil.Process(stack.pid("postgres")).uids().effective != 0
    assert query(stack.database_urls["activities"], READ) == [("kept",)]
