"""Every parser of what others send, for a bounded time, with bytes made of valid ones and of none:
each reads or refuses with a reason of its own, and never fails.

Ten seconds each (HOCVUSO_FUZZ_SECONDS), in `make test-slow`. What it finds is printed with the input
and becomes a test beside the parser's others.
"""

import copy
import io
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from hocvuso_cli.send import cells
from hocvuso_cli.send.columns import Column, layout
from hocvuso_cli.send.lines import read_lines
from hocvuso_cli.send.sniff import TableError
from hocvuso_cli.send.tables import open_table
from services.activities.ingest.lines import LineSplitter
from services.activities.intake.messages import event_of
from services.activities.intake.model import Message
from services.activities.xapi import rules
from services.registry.populations import sheet
from services.registry.units.import_file import read_units
from shared import oidc, strict_json
from shared.domain.plan_files.document import why_plan_refused
from shared.identity.leaks import leaks
from shared.problems import Problem
from shared.request_guard import check_target
from tests.every_type import CATALOGUE, INTAKE, KEY, KINDS, posted
from tests.xapi.samples import statement as sample

SECONDS = float(os.environ.get("HOCVUSO_FUZZ_SECONDS", "10"))
ROUND = 200
"""Inputs between two looks at the clock."""

PLANS = Path(__file__).parents[2] / "plans"
ODD = [b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xc2\xb2", b"\xd9\xa3", b'"', b"[" * 70, b"9" * 400, b"1e999",
       b"\r", b"\n", b"\t", b"'", b"=", b"{}", b"null", "\u0130".encode(), "\ud55c\u200d".encode()]  # fmt: skip
"""What parsers stumble over: marks, digits that are none, depth, numbers too large."""


def mutated(valid: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Valid bytes with pieces cut, doubled, swapped for odd ones; or any bytes at all."""

    def change(base: bytes, steps: list[tuple[int, int, int, bytes]]) -> bytes:
        for kind, at, length, odd in steps:
            at %= len(base) + 1
            piece = base[at : at + length]
            base = base[:at] + (b"", piece * 2, odd, odd + piece)[kind] + base[at + length :]
        return base

    step = st.tuples(
        st.integers(0, 3), st.integers(0, 10_000), st.integers(0, 12), st.sampled_from(ODD)
    )
    return st.one_of(
        st.builds(change, st.sampled_from(list(valid)), st.lists(step, max_size=6)),
        st.binary(max_size=300),
    )


Json = Any
ODD_VALUES: list[Json] = [None, True, -1, 0, 1e300, 2**60, "", " ", "²", "\u0663", "x" * 5_000, [], {}, [[]],
                          {"a": None}, "2026-02-30", "24133@2025", "066099001234"]  # fmt: skip


def changed(document: Json, dice: random.Random) -> Json:
    """A document with one to four values replaced, dropped or put where none belongs."""
    found = msgspec.json.decode(msgspec.json.encode(document))
    for _ in range(dice.randrange(1, 5)):
        holder, at = found, None
        while isinstance(holder, dict | list) and holder:
            at = dice.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            inner = holder[at]
            if not isinstance(inner, dict | list) or not inner or dice.random() < 0.15:
                break
            holder = inner
        if at is None or not isinstance(holder, dict | list) or not holder:
            continue
        if dice.random() < 0.3:
            del holder[at]
        elif isinstance(holder, dict) and dice.random() < 0.2:
            holder[dice.choice(["", "~1", "$ref", "x" * 300])] = copy.deepcopy(
                dice.choice(ODD_VALUES)
            )
        else:
            holder[at] = copy.deepcopy(dice.choice(ODD_VALUES))
    return found


def for_a_while(strategy: st.SearchStrategy[Any], parse: Callable[[Any], None]) -> int:
    """Feed a parser until the time is over; how many inputs it got."""
    until, dice, fed = time.monotonic() + SECONDS, random.Random(), 0
    while time.monotonic() < until:

        @seed(dice.randrange(2**32))
        @settings(
            max_examples=ROUND, deadline=None, database=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def one_round(given_value: Any) -> None:
            parse(given_value)

        one_round()
        fed += ROUND
    return fed


@cache
def events() -> list[bytes]:
    return [msgspec.json.encode(posted(name, kind)) for name in CATALOGUE for kind in KINDS]


def json(raw: bytes) -> None:
    try:
        value, text, _ = strict_json.read(raw)
    except Problem as problem:
        assert 400 <= problem.status < 500
        return
    assert strict_json.read(text)[0] == value


def event(raw: bytes) -> None:
    problem = INTAKE.judge(raw, KEY, None).problem
    assert problem is None or 400 <= problem.status < 500, problem


def odd_event(number: int) -> None:
    dice = random.Random(number)
    kind = dice.choice(KINDS)
    event(msgspec.json.encode(changed(posted(dice.choice(list(CATALOGUE)), kind), dice)))


def message(given_value: tuple[bytes, list[tuple[str, bytes]]]) -> None:
    value, headers = given_value
    found = event_of(Message(0, 0, 0, value, tuple(headers)))
    if isinstance(found, bytes):
        event(found)


def lines(chunks: list[bytes]) -> None:
    """However it is cut, the same lines; never more kept than a line may have."""

    def cut(pieces: list[bytes]) -> list[Any]:
        splitter, found = LineSplitter(1, 64), []
        for piece in pieces:
            found += [(line.number, line.raw) for line in splitter.feed(piece)]
            assert splitter.kept <= 64 + 1
        return found + [(line.number, line.raw) for line in splitter.end()]

    assert cut(chunks) == cut([b"".join(chunks)])


def statement(number: int) -> None:
    try:
        rules.check(changed(sample(), random.Random(number)))
    except Problem as problem:
        assert problem.status == 400


def token(text: str) -> None:
    try:
        oidc._peek(text)
    except Problem as problem:
        assert problem.status == 401


def target(raw: tuple[bytes, bytes]) -> None:
    try:
        check_target({"raw_path": b"/" + raw[0], "path": "/", "query_string": raw[1]})
    except Problem as problem:
        assert 400 <= problem.status < 500


def units(raw: bytes) -> None:
    try:
        read_units(raw)
    except Problem as problem:
        assert problem.code == "file-invalid"


GROUPS = {"adults": "Người lớn", "residents": "Dân số"}


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def populations(raw: bytes) -> None:
    try:
        sheet.read(raw, GROUPS)
    except Problem as problem:
        assert problem.code == "workbook-invalid"


TEXTS = st.sampled_from(["# plan", "# position", "# as_of", "# authority", "unit_id", "name_vi", "adults", "x",
                         "24133@2025", "²", "9" * 5_000, "30/2/2026", "1.234", "-1", "=1+1", "'07"])  # fmt: skip
SHEETS = st.lists(
    st.lists(st.one_of(TEXTS, st.integers(-5, 10**15), st.floats(-1e9, 1e9), st.none(), st.dates()),
             max_size=4),
    max_size=6,
)  # fmt: skip


def plan(number: int) -> None:
    dice = random.Random(number)
    document = changed(dice.choice(plans()), dice)
    name = document.get("id") if isinstance(document, dict) else None
    refused = why_plan_refused(name, document, CATALOGUE)
    assert refused is None or refused.message


@cache
def plans() -> list[Json]:
    return [yaml.safe_load(file.read_text()) for file in sorted(PLANS.glob("*.yaml"))]


@cache
def columns() -> list[Column]:
    return [column for name in CATALOGUE for column in layout(name).columns.values()]


def cell(given_value: tuple[int, Any]) -> None:
    number, value = given_value
    try:
        cells.read(columns()[number % len(columns())], value)
    except cells.CellError as error:
        assert str(error)


CELLS = st.one_of(
    st.text(max_size=40), st.floats(), st.integers(), st.booleans(), st.dates(), st.datetimes(),
    st.from_regex(r"[0-9²\u0663]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,5}( [0-9:]{1,8})?", fullmatch=True),
    st.sampled_from(ODD_VALUES[6:12]),
)  # fmt: skip

TABLE = "Mã xã;Ngày;Số CCCD\r\n24133;30/06/2026;066099001234\r\n".encode()
PARSERS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]] = {
    "strict JSON": (mutated(events()[:20]), json),
    "events as bytes": (mutated(events()), event),
    "events as documents": (st.integers(0, 2**62), odd_event),
    "Kafka messages": (
        st.tuples(
            mutated(events()[:20]),
            st.lists(st.tuples(
                st.sampled_from(["content-type", "ce_specversion", "ce_id", "ce_type", "ce_x", "ce_"]),
                st.sampled_from([b"application/cloudevents+json", b"application/json", b"1.0", b"\xff", b""]),
            ), max_size=5),
        ),
        message,
    ),
    "lines of streams": (st.lists(st.sampled_from([b"a", b"\n", b"\r", b" " * 40, b"\xff", b"{}\n"])), lines),
    "xAPI statements": (st.integers(0, 2**62), statement),
    "tokens": (st.one_of(st.text(max_size=80), st.from_regex(r"eyJ[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,9}", fullmatch=True)), token),
    "addresses": (st.tuples(mutated([b"v1/events", b"plans/a%2Fb"]), mutated([b"a=1&b=%C3%A9", b"&" * 250])), target),
    "units import": (mutated([b"code,name_vi,kind,parent\n24133,X,ward,66\n", TABLE]), units),
    "denominators' workbook, bytes": (mutated([workbook([["# plan", "p"], ["unit_id", "name_vi", "adults"], ["24133@2025", "x", 5]])]), populations),
    "denominators' workbook, cells": (SHEETS.map(workbook), populations),
    "plans": (st.integers(0, 2**62), plan),
    "cells of tables": (st.tuples(st.integers(0, 10_000), CELLS), cell),
    "personal data in texts": (st.one_of(st.text(), mutated([TABLE]).map(lambda b: b.decode("utf-8", "replace"))), lambda text: leaks(text) and None),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_reads_or_refuses(name: str) -> None:
    assert for_a_while(*PARSERS[name]) >= ROUND


@pytest.mark.slow
@pytest.mark.parametrize("end", ["csv", "xlsx", "ndjson"])
def test_a_file_is_read_or_refused(tmp_path: Path, end: str) -> None:
    """As `hocvuso send` opens it, whatever its name says."""
    file = tmp_path / f"a.{end}"
    sheet_ = workbook([["Mã xã", "Ngày"], ["24133", "30/06/2026"]])

    def read(raw: bytes) -> None:
        file.write_bytes(raw)
        if end == "ndjson":
            for line in read_lines(file):
                assert line.problem or line.raw is not None
            return
        try:
            for _ in open_table(file).rows():
                pass
        except TableError as error:
            assert str(error)

    for_a_while(mutated([TABLE, sheet_, b"\n".join(events()[:3]), b"sep=;\n" + TABLE]), read)
