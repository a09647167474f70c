"""How the soak judges what it saw: memory that grows and lag that stays are found. Pure."""

from bench.soak import Samples, report

MB = 1024**2


def seen(memory: list[int], behind: list[float]) -> Samples:
    made = Samples(behind=behind, posted=1000)
    made.memory["worker"] = [m * MB for m in memory]
    return made


def test_flat_memory_and_lag_are_well() -> None:
    warm = [100, 130, 150, 160] + [161, 160, 162, 161] * 6
    text, flat = report(seen(warm, [0.0] * 28), 100.0)
    assert flat and "GREW" not in text


def test_a_leak_is_found() -> None:
    text, flat = report(seen([100 + 5 * n for n in range(40)], [0.0] * 40), 100.0)
    assert not flat and "GREW: worker" in text


def test_tables_that_stay_behind_and_refusals_are_found() -> None:
    assert not report(seen([100] * 8, [0.0] * 6 + [60.0, 90.0]), 100.0)[1]
    refused = seen([100] * 8, [0.0] * 8)
    refused.refused = 1
    assert not report(refused, 100.0)[1]
