"""Lines are the same however the bytes are cut."""

from hypothesis import given
from hypothesis import strategies as st

from services.activities.ingest.lines import LineSplitter


def split(chunks: list[bytes], longest: int = 100) -> list[tuple[int, bytes | None]]:
    splitter = LineSplitter(7, longest)
    found = [(x.number, x.raw) for chunk in chunks for x in splitter.feed(chunk)]
    return found + [(x.number, x.raw) for x in splitter.end()]


@given(st.lists(st.binary(max_size=9)))
def test_cuts_do_not_matter(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    lines = whole.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    bare = [x.removesuffix(b"\r") for x in lines]
    found = [(7 + n, x if len(x) <= 100 else None) for n, x in enumerate(bare) if x.strip()]
    assert split(chunks) == found


@given(st.lists(st.sampled_from([b"\n", b" ", b"\r\n", b"x", b"\t\n"]), max_size=20))
def test_every_line_has_a_number(chunks: list[bytes]) -> None:
    splitter = LineSplitter(7, 100)
    for chunk in chunks:
        list(splitter.feed(chunk))
    assert splitter.next == 7 + b"".join(chunks).count(b"\n")


def test_too_long_lines_are_told_and_do_not_grow() -> None:
    splitter = LineSplitter(0, 10)
    found = [x for _ in range(1000) for x in splitter.feed(b"x" * 50)]
    assert found == [] and splitter.kept <= 11
    found = list(splitter.feed(b"\nok\n" + b"y" * 11 + b"\n"))
    assert [(x.number, x.raw) for x in found] == [(0, None), (1, b"ok"), (2, None)]
    assert split([b"z" * 10 + b"\r\n"], 10) == [(7, b"z" * 10)]
