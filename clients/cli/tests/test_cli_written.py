"""Which result files are as they were written, and what is done where nothing can be remembered."""

from pathlib import Path

import pytest

from hocvuso_cli.send import written
from hocvuso_cli.send.written import Written


def test_only_what_was_written_and_not_touched_is_written_over(tmp_path: Path) -> None:
    kept, out = Written(tmp_path / "config" / "results.json"), tmp_path / "a.results.csv"
    assert kept.free(out) == out
    out.write_text("own")
    assert kept.free(out).name == "a.results2.csv"  # nobody remembers having written it
    kept.keep(out)
    assert Written(tmp_path / "config" / "results.json").free(out) == out
    out.write_text("mended")
    second = kept.free(out)
    assert second.name == "a.results2.csv"
    second.write_text("own")
    kept.keep(second)
    assert kept.free(out) == second
    second.write_text("mended too")
    assert kept.free(out).name == "a.results3.csv"


@pytest.mark.parametrize("state", ["", "[1]", "null", "{", '{"a": 1}'])
def test_a_memory_that_is_cut_or_cannot_be_written_stops_nothing(
    tmp_path: Path, state: str
) -> None:
    out = tmp_path / "a.results.csv"
    out.write_text("own")
    memory = tmp_path / "results.json"
    memory.write_text(state)
    kept = Written(memory)
    assert kept.free(out).name == "a.results2.csv"
    kept.keep(out)
    assert kept.free(out) == out
    Written(out / "below" / "results.json").keep(out)  # no folder can be made there


def test_the_oldest_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST", 2)
    kept = Written(tmp_path / "results.json")
    files = [tmp_path / f"{n}.csv" for n in range(3)]
    for file in files:
        file.write_text("own")
        kept.keep(file)
    assert [kept.free(file) == file for file in files] == [False, True, True]
