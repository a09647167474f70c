"""The quick path reads and writes exactly what the slow and certain one does."""

import json
import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from services.activities.ingest import batches
from shared import strict_json
from shared.problems import Problem

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def _nfc(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_nfc(item) for item in value]
    if isinstance(value, dict):
        return {_nfc(name): _nfc(item) for name, item in value.items()}
    return value


@settings(max_examples=400, deadline=None)
@given(values, st.booleans())
def test_canonical_form_is_rfc_8785(value: Any, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    try:
        read, text, floats = strict_json.read(raw)
    except Problem as problem:
        # Keys that become one under NFC, and floats beyond what an integer may be.
        assert problem.code in ("json-duplicate-key", "json-number-out-of-range")
        return
    assert strict_json.canonical(read, text, floats) == rfc8785.dumps(_nfc(value))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(texts, values), max_size=5))
def test_a_repeated_member_is_always_seen(members: list[tuple[str, Any]]) -> None:
    body = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members)
    names = [unicodedata.normalize("NFC", name) for name, _ in members]
    try:
        strict_json.read(f"{{{body}}}".encode())
    except Problem as problem:
        assert problem.code in ("json-duplicate-key", "json-number-out-of-range")
        if problem.code == "json-duplicate-key" and len(set(names)) == len(names):
            nested = [v for _, v in members if isinstance(v, dict | list)]
            assert nested  # two spellings of a name inside
    else:
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("raw", "same"),
    [
        (b'{"a":"\\u003a","a":1}', "json-duplicate-key"),
        (b'{"a":"x:y","b":{"c":1,"c":2}}', "json-duplicate-key"),
        (b'{"a":":::","b":":"}', None),
        (b'{"a\\u003ab":"\\u003A"}', None),
        (b'{"a":"\\\\u0000"}', None),
    ],
)
def test_colons_do_not_mislead(raw: bytes, same: str | None) -> None:
    if same is None:
        assert strict_json.read(raw)[0] == json.loads(raw)
    else:
        with pytest.raises(Problem) as error:
            strict_json.read(raw)
        assert error.value.code == same


# Bytes at random hardly ever begin an array, and then nothing would be split.
BEGUN = st.builds(
    lambda begin, rest, end: begin + rest + end,
    st.sampled_from([b"", b"[", b"{", b'[{"a":', b'["']),
    st.binary(max_size=40),
    st.sampled_from([b"", b"]", b"}", b'"]', b"}]"]),
)


@pytest.mark.security("V1.1.1", "V1.5.2")
@settings(max_examples=100, deadline=None)
@given(BEGUN)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        strict_json.read(raw)
    except Problem as problem:
        assert problem.status == 400
    try:
        batches.split(raw, 1000)
    except Problem as problem:
        assert problem.status == 400
