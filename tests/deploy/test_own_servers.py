"""From the embedded stack to servers of one's own, as docs/operations.md says it."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import backup
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.stack import LocalStack, infrastructure_only
from tests.activities.fake import event
from tests.deploy.backups import (
    ask,
    certified,
    counted,
    everything_of_activities,
    hocvuso,
    load_one_plan,
    post,
    table,
    without_load,
)
from tests.deploy.servers import Services, database, on
from tests.observability.watched import freeze
from tests.xapi.samples import statement

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A backup of an embedded system, and what that system said when it was made."""
    folder = tmp_path_factory.mktemp("left")
    with LocalStack(folder / "home", stages=without_load) as stack:
        load_one_plan(stack, folder / "plans")
        assert post(stack, *(certified(n) for n in range(40)))["accepted"] == 40
        _use_everything(stack)
        said = {
            "home": stack.home,
            "key": stack.home.admin_key.read_text().strip(),
            "counted": counted(stack),
            "table": table(stack),
            "epoch": ask(stack.superuser_url, "SELECT epoch FROM activities.counter"),
            "pseudonym": stack.home.pseudonym_key.read_text(),
            "backup": folder / "backup",
        }
        # Receipts and what was looked at move by themselves: all stands still for the comparison.
        for name in ("relay", "worker", "intake", "activities", "registry", "metrics"):
            freeze(stack.pid(name))
        made = hocvuso("backup", folder / "backup", home=stack.home.path)
        assert made.returncode == 0, made.stderr
        said["rows"] = everything_of_activities(stack.superuser_url)
        said["dismissed"] = ask(stack.superuser_url, DISMISSED)
        for name in ("relay", "worker", "intake", "activities", "registry", "metrics"):
            freeze(stack.pid(name), thaw=True)
        # Lost with the machine; the partner sends them again.
        assert post(stack, *(certified(n) for n in range(40, 45)))["accepted"] == 5
    return said


DISMISSED = "SELECT position, reason, record FROM metrics.dismissed"


def _use_everything(stack: LocalStack) -> None:
    """Something in every kind of book: refused, kept statements, offsets, what was given up."""
    refused = post(stack, event(id="wrong", data={"platform": "vneid"}))
    assert refused["rejected"] == 1
    headers = {"Authorization": f"Bearer {stack.home.admin_key.read_text().strip()}"}
    stated = httpx.post(
        f"{stack.urls['activities']}/xapi/statements", json=statement(),
        headers={**headers, "X-Experience-API-Version": "1.0.3"}, timeout=60, trust_env=False,
    )  # fmt: skip
    assert stated.status_code == 200, stated.text
    ask(
        stack.superuser_url,
        "WITH a AS (INSERT INTO activities.intake (partner, roles, partitions, retention_hours,"
        " created_at, changed_at, enabled) VALUES ('vnpt', '{telecom}', 1, 1, now(), now(), false)),"
        " b AS (INSERT INTO metrics.dismissed VALUES (3, 'agreed with the partner', now(), 'x'))"
        " SELECT 1",
    )
    ask(
        stack.superuser_url,
        "WITH a AS (INSERT INTO activities.intake_position (partner, topic_id, partition, next)"
        " VALUES ('vnpt', gen_random_uuid(), 0, 4711)) SELECT 1",
    )


def test_a_system_that_moved_goes_on_where_it_was(
    left_behind: dict[str, Any], tmp_path: Path
) -> None:
    with LocalStack(tmp_path / "servers", stages=infrastructure_only) as servers:
        there = database(servers)
        (tmp_path / "address").write_text(there.superuser + "\n")
        (tmp_path / "address").chmod(0o600)
        (tmp_path / "pseudonym.key").write_text(left_behind["pseudonym"])
        restored = hocvuso(
            "restore", left_behind["backup"], "--url-file", tmp_path / "address",
            home=tmp_path / "none",
        )  # fmt: skip
        assert restored.returncode == 0, restored.stderr
        rows = everything_of_activities(there.superuser)
        assert rows == left_behind["rows"]
        kept = ("log", "key", "quarantine", "xapi_statement", "intake_position", "book")
        assert all(rows[name] for name in kept), {name: len(rows[name]) for name in kept}
        assert ask(there.superuser, DISMISSED) == left_behind["dismissed"] != []
        settings = {
            f"HOCVUSO_{service.upper()}_DATABASE_URL": url for service, url in there.roles.items()
        }
        with on(settings | {"KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap_servers}, tmp_path) as new:
            migrated = new.migrate()
            assert migrated.returncode == 0, migrated.stderr[-800:]
            new.start()
            new.until_ready()
            _goes_on(new, there.superuser, left_behind)
            assert set(new.stop().values()) <= {0, -15}


@pytest.mark.security("V12.3.1", "V12.3.2")
def test_a_server_without_tls_is_refused_by_who_asks_for_it(
    infrastructure: LocalStack, tmp_path: Path
) -> None:
    """`?sslmode=` in an address is heeded by the services, the migrations and the backup."""
    asked = f"{infrastructure.superuser_url}?sslmode=require"
    settings = {f"HOCVUSO_{s}_DATABASE_URL": asked for s in ("ACTIVITIES", "METRICS", "REGISTRY")}
    with on(settings, tmp_path) as services:
        refused = services.migrate()
        assert refused.returncode == 1 and "SSL" in refused.stderr
    (tmp_path / "address").write_text(asked)
    refused = hocvuso("backup", tmp_path / "b", "--url-file", tmp_path / "address", home=tmp_path)
    assert refused.returncode == 1 and "SSL" in refused.stderr
    with pytest.raises(StackError, match="SSL"):
        backup._run("pg_dump", asked, [])


def _goes_on(new: Services, superuser: str, before: dict[str, Any]) -> None:
    moved = Moved(new, superuser, before["home"])
    assert counted(moved) == before["counted"]
    assert table(moved) == before["table"]
    last = len(before["rows"]["log"])
    assert ask(superuser, "SELECT epoch FROM activities.counter") != before["epoch"]
    # The partner's old key works; what it sends again is known, what was lost is taken.
    events = [certified(n) for n in range(35, 50)]
    answer = httpx.post(
        f"{new.url('activities')}/v1/events", json=events, timeout=60, trust_env=False,
        headers={"Authorization": f"Bearer {before['key']}",
                 "Content-Type": "application/cloudevents-batch+json"},
    ).json()  # fmt: skip
    assert (answer["duplicates"], answer["accepted"]) == (5, 10)
    positions = sorted(r["position"] for r in answer["results"] if r["status"] == "accepted")
    assert positions == list(range(last + 1, last + 11))
    assert any(cell["value"] == 50 for row in table(moved) for cell in row["cells"].values())
    # And the way over the broker works, not only the one through the log: receipts come back.
    receipt = f"{new.url('activities')}/v1/events"
    deadline = time.monotonic() + 60
    while True:
        asked = {"source": events[-1]["source"], "id": events[-1]["id"]}
        said = httpx.get(
            receipt, params=asked, headers={"Authorization": f"Bearer {before['key']}"},
            timeout=30, trust_env=False,
        ).json()  # fmt: skip
        if said.get("visible"):
            break
        assert time.monotonic() < deadline, said
        time.sleep(0.3)


class Moved:
    """What the questions of the backup's tests need to know of a system."""

    def __init__(self, services: Services, superuser: str, home: Home) -> None:
        self.home = home  # its keys hold on both sides
        self.superuser_url = superuser
        self.urls = {name: services.url(name) for name in services.ports}
