"""After an upgrade doctor names the keys that send and read every unit's tables, until they are narrowed."""

from typing import Any

from deploy.doctor.keys import check_keys, judge
from tests.keys.conftest import Api
from tests.keys.orders import ORDER


async def test_a_writer_that_reads_everything_is_named_until_it_is_narrowed(
    settings: Any, api: Api
) -> None:
    env = {"HOCVUSO_ACTIVITIES_DATABASE_URL": settings.activities_database_url}

    async def said() -> tuple[str, str]:
        (found,) = await check_keys(env)
        return found.grade.value, found.detail

    assert (await said())[0] == "ok"  # the administrator's reads everything, as it must
    both = ["events:write", "tables:read"]
    free = {k: v for k, v in ORDER.items() if k not in ("subtree", "era", "expires_at")}
    wide = await api("POST", "/v1/keys", {**free, "name": "wide", "scopes": both})
    for name, order in {
        "bound": {**ORDER, "scopes": both},
        "sender": {**free, "scopes": ["events:write"]},
        "reader": {**free, "scopes": ["tables:read"]},
        "ended": {**free, "scopes": both},
    }.items():
        made = await api("POST", "/v1/keys", {**order, "name": name})
        if name == "ended":
            await api.ask("DELETE", f"/v1/keys/{made['prefix']}")
    grade, text = await said()
    assert grade == "warn" and f"{wide['prefix']} (wide)" in text
    assert not any(f"({name})" in text for name in ("bound", "sender", "reader", "ended"))
    await api("PATCH", f"/v1/keys/{wide['prefix']}", {"without": ["tables:read"]})
    assert (await said())[0] == "ok"


async def test_a_database_that_is_away_is_no_verdict_about_keys() -> None:
    (found,) = await check_keys({})
    assert found.grade.value == "skip"
    away = "postgresql://hocvuso_activities@127.0.0.1:1/hocvuso"
    (found,) = await check_keys({"HOCVUSO_ACTIVITIES_DATABASE_URL": away})
    assert found.grade.value == "skip"


def test_many_are_counted_and_some_named() -> None:
    found = judge([(f"hv{n}", f"p{n}") for n in range(9)])
    assert found.detail.startswith("9 that send") and found.detail.endswith("and 4 more")
