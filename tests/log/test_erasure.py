"""An erased person: nobody finds its events by the number again, and no total changes."""

import pytest

from services.activities.erasure import erase, references_of
from services.activities.log.model import Status
from services.activities.privacy import Pseudonyms
from shared.contracts.record import lane_of
from tests.log.conftest import Bench, amended, attended, candidate

KEY = Pseudonyms(bytes(32))


def ref(scheme: str, value: str) -> str:
    found = KEY.reference(scheme, value)
    assert found is not None
    return found


CCCD, PHONE = ref("cccd", "066099001234"), ref("phone", "0381234567")
OLD, OTHER = KEY.of("phone", "+841681234567"), ref("cccd", "066099001235")


async def subjects(bench: Bench) -> list[int]:
    """How many events each subject has, as a consumer counts them."""
    keys = [key for _, key in await bench.counted("training.attended")]
    return sorted(keys.count(key) for key in set(keys))


async def test_a_person_is_erased_and_totals_stay(bench: Bench) -> None:
    await bench.pool.execute("UPDATE counter SET respelling = true")
    posted = [
        attended("a", CCCD), attended("b", OLD), attended("c", OTHER),
        attended("d", PHONE, former={PHONE: (OLD,)}),
        candidate("person.linked", "l", {"person_ref": CCCD, "same_as_ref": PHONE}),
        amended("event.corrected", "k", "c", changes={"data": {"person_ref": PHONE}}),
        attended("e", OTHER),
    ]  # fmt: skip
    outcomes = await bench.post(*posted)
    assert {o.status for o in outcomes} == {Status.ACCEPTED}
    before, lanes = await subjects(bench), {r.lane for r in (await bench.read())[0]}
    async with bench.pool.acquire() as connection:
        refs = await references_of(connection, KEY, "phone", "0168 1234567", 2026)
        assert refs == {CCCD, PHONE, OLD}
        tried = await erase(connection, refs, dry_run=True)
        assert await bench.pool.fetchval("SELECT count(*) FROM audit") == 0
        done = await erase(connection, refs, dry_run=False)
    assert done == tried
    assert (done.events, done.references) == (5, 3)
    assert await subjects(bench) == before
    rows, marker = await bench.read()
    assert {r.lane for r in rows} == lanes
    assert [r.position for r in rows] == list(range(1, marker.through + 1))
    # Nothing anywhere names the person, nor a key that could be made of its references.
    dump = []
    for (table,) in await bench.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'activities'"
    ):
        dump += [row[0] for row in await bench.pool.fetch(f"SELECT t::text FROM {table} t")]
    text = "\n".join(dump)
    for gone in refs:
        assert gone not in text
        for kind in ("person", "mentor"):
            assert lane_of(kind, [gone])[0].hex() not in text
    assert OTHER in text
    # The log is append-only again, and says what was done, not to whom.
    with pytest.raises(Exception, match="append-only"):
        await bench.pool.execute("DELETE FROM log")
    row = await bench.pool.fetchrow("SELECT action, about FROM audit")
    assert tuple(row) == ("person.erased", None)


async def test_what_is_sent_again_does_not_bring_the_person_back(bench: Bench) -> None:
    await bench.post(attended("a", CCCD), attended("b", CCCD))
    epoch = await bench.pool.fetchval("SELECT epoch FROM counter")
    async with bench.pool.acquire() as connection:
        await erase(connection, {CCCD}, dry_run=False)
    assert await bench.pool.fetchval("SELECT epoch FROM counter") != epoch
    (again,) = await bench.post(attended("a", CCCD))
    assert again.problem is not None
    assert again.problem.code == "event-conflict"
    # A new event is somebody new; a correction still finds the erased one.
    await bench.post(attended("n", CCCD))
    assert await subjects(bench) == [1, 2]
    await bench.post(amended("event.corrected", "k", "a", changes={"data": {"age": 40}}))
    assert await subjects(bench) == [1, 2]
    await bench.post(amended("event.revoked", "r", "b"))
    assert await subjects(bench) == [1, 1]
