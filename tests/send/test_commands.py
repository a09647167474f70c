"""`hocvuso` of senders against the real service: sample, listen, reconcile, trace."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from hocvuso_cli.app import app
from hocvuso_cli.sample import make
from tests.activities.fake import event
from tests.activities.posting import send as post
from tests.send.conftest import SOURCE
from tests.send.values import CATALOGUE

FOLLOWING = ("event.", "person.linked", "unit.", "plan.", "population.")
"""Types whose example speaks of something that is not here, so that the log may refuse it."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, admin: str, port: int) -> Any:
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HOCVUSO_KEY_FILE", str(tmp_path / "admin.key"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    async def call(*words: object) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, list(map(str, words)))

    return call


async def test_a_sample_of_every_type_is_valid(run: Any, service: Any, admin: str) -> None:
    names = json.loads((await run("sample", "--json")).stdout)
    assert set(names) == set(CATALOGUE)
    shown = json.loads((await run("sample", "class.held", "--subject", "24133")).stdout)
    assert shown["subject"] == "24133" and shown["source"].startswith("https://")
    # The clock of this service stands still, in the past of samples.
    samples = [{**make(name, SOURCE), "time": "2026-06-30T08:00:00+07:00"} for name in CATALOGUE]
    for name, sample in zip(CATALOGUE, samples, strict=True):
        answer = await post(service[1], admin, sample, dry_run="true")
        if answer.get("status") != "accepted":
            # Well formed all the same: what it names is not in this log.
            assert name.startswith(FOLLOWING) or "unknown" in answer["code"], (name, answer)
    wrong = await run("sample", "class.hold")
    assert wrong.exit_code == 1 and "class.held" in wrong.output


async def test_listening_shows_what_is_accepted_and_refused(
    run: Any, service: Any, admin: str
) -> None:
    listening = asyncio.create_task(run("listen", "--seconds", "6", "--json"))
    heard: list[Any] = []
    for n in range(200):
        await asyncio.sleep(0.1)
        await post(service[1], admin, [event(id=f"l{n}"), event(id=f"r{n}", subject="99999")])
        if listening.done():
            break
    heard = [json.loads(line) for line in (await listening).stdout.splitlines()]
    good = [e for e in heard if e["status"] == "accepted"]
    assert good and len({e["position"] for e in good}) == len(good)
    assert [e["position"] for e in good] == sorted(e["position"] for e in good)
    # The clock of this service stands still, so refusals come once: those after the beginning.
    feed = (await ask(service, admin)).json()
    again = (await ask(service, admin, cursor=feed["cursor"])).json()
    assert again["entries"] == [] and again["cursor"] == feed["cursor"]


async def ask(service: Any, key: str, **params: str) -> httpx.Response:
    return await service[1].get(
        "/v1/feed", params=params, headers={"Authorization": f"Bearer {key}"}
    )


async def test_the_feed_is_a_partners_own(run: Any, service: Any, admin: str) -> None:
    from tests.activities.granting import make_key

    client = service[1]
    mine = await make_key(client, admin, name="cong-an", roles=["police"])
    other = await make_key(client, admin, name="other", roles=["police"])
    before = "0.2026-01-01T00:00:00+00:00"
    await post(client, mine, [event(id="a"), event(id="b", subject="99999")])
    seen = (await ask(service, mine, cursor=before)).json()
    assert [(e["id"], e["status"]) for e in seen["entries"]] == [
        ("a", "accepted"), ("b", "rejected"),
    ]  # fmt: skip
    assert seen["entries"][1]["code"] == "unit-unknown"
    assert (await ask(service, other, cursor=before)).json()["entries"] == []
    everybody = (await ask(service, admin, cursor=before)).json()["entries"]
    assert {"a", "b"} <= {e["id"] for e in everybody} and len(everybody) > 2
    assert (await ask(service, mine, cursor=before, source="urn:x")).json()["entries"] == []
    for wrong in ("x", "1.yesterday", "-1.2026-01-01T00:00:00+00:00", "1.2026-01-01T00:00:00"):
        answer = await ask(service, mine, cursor=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")


async def test_a_day_is_reconciled(run: Any, service: Any, admin: str, tmp_path: Path) -> None:
    one = event(id="a")
    await post(service[1], admin, [one, event(id="b", subject="99999")])
    words = ("reconcile", "2026-07-01", "--source", one["source"])
    shown = await run(*words, "--json")
    found = json.loads(shown.stdout)
    assert (shown.exit_code, found["accepted"], found["refused_codes"]) == (
        0,
        1,
        {"unit-unknown": 1},
    )
    ids = tmp_path / "ids.txt"
    ids.write_text("a\r\n", encoding="utf-16")
    agree = await run(*words, "--ids", ids)
    assert agree.exit_code == 0 and "they agree" in agree.output
    ids.write_text("a\nb\n")
    differ = await run(*words, "--ids", ids)
    assert differ.exit_code == 2 and "missing b (unit-unknown, #1)" in differ.output
    nobody = await run(*words[:-1], one["source"] + "x")
    assert nobody.exit_code == 2 and "Nothing was ever received" in nobody.output


async def test_a_trace_as_json(run: Any, service: Any, admin: str) -> None:
    await post(service[1], admin, event(id="a"))
    told = json.loads((await run("trace", event()["source"], "a", "--json")).stdout)
    assert told["receipt"]["accepted"]["reached"] is True
    missing = await run("trace", event()["source"], "zzz")
    assert missing.exit_code == 1 and "event-unknown" in missing.output
