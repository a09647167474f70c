"""Pseudonyms: equal for one person however written, different otherwise, bound to one key."""

import base64
import copy
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.activities.ingest.openapi import example
from services.activities.ingest.validate import Validator
from services.activities.privacy import (
    Noticed,
    PseudonymKeyError,
    Pseudonyms,
    _base32,
    bind_key,
    read_key,
)
from shared.contracts.definitions import Catalogue
from shared.problems import Problem

CATALOGUE = Catalogue.load()
ONE = Pseudonyms(bytes(32))
TWO = Pseudonyms(bytes(31) + b"\1")


@pytest.mark.parametrize(
    ("scheme", "spellings"),
    [
        (
            "cccd",
            ["066099001234", "066 099 001 234", "０６６０９９００１２３４", "066.099.001.234"],
        ),
        ("cmnd", ["123456789", "123 456 789"]),
        ("phone", ["0912345678", "+84912345678", "84912345678", "0912 345 678", "(0912)345.678"]),
        ("account", ["Nguyễn.A@x.vn", "nguyễn.a@X.VN", "Nguye\u0302\u0303n.A@x.vn"]),
        ("tax", ["6000123456", "6000 123 456"]),
    ],
)
def test_spellings_of_one_value_are_one_reference(scheme: str, spellings: list[str]) -> None:
    references = {ONE.reference(scheme, text) for text in spellings}
    assert len(references) == 1
    reference = references.pop()
    assert reference is not None and reference.startswith(f"{scheme}:")
    assert len(reference) == len(scheme) + 1 + 32
    assert not any(text in reference for text in spellings)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("cccd", "66099001234"), ("cccd", "0660990012345"), ("cccd", "06609900123x"),
        ("cmnd", "12345678"), ("phone", "912345678"), ("phone", "0912"), ("phone", "+1 212 555 0100"),
        ("tax", "123"), ("imei", "1"), ("account", "  "), ("learner", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_of_the_scheme_is_refused(scheme: str, value: str) -> None:
    assert ONE.reference(scheme, value) is None


@pytest.mark.security("V11.4.3")
def test_schemes_and_keys_keep_apart() -> None:
    assert ONE.reference("cccd", "066099001234") != TWO.reference("cccd", "066099001234")
    digest = {(ONE.reference(s, "066099001234") or "").split(":")[1] for s in ("cccd", "account")}
    assert len(digest) == 2
    assert ONE.content_mac(b"x") != TWO.content_mac(b"x")


def test_the_reference_never_changes() -> None:
    """Known answer: another value here would count everybody again."""
    assert ONE.reference("cccd", "066099001234") == "cccd:JCHQFHFOHFFFGJGJC74ZH6T3TYRMVS3L"


def test_key_file_faults(tmp_path: Path) -> None:
    for content in ("zz", "00" * 31, "00" * 33):
        path = tmp_path / "key"
        path.write_text(content)
        with pytest.raises(PseudonymKeyError) as error:
            read_key(path)
        assert content not in str(error.value)
    with pytest.raises(PseudonymKeyError, match="does not exist"):
        read_key(tmp_path / "none")
    with pytest.raises(PseudonymKeyError, match="not set"):
        read_key(None)


async def test_another_key_is_refused(database: str) -> None:
    connection = await asyncpg.connect(database, server_settings={"search_path": "activities"})
    try:
        await bind_key(connection, ONE)
        await bind_key(connection, ONE)
        with pytest.raises(PseudonymKeyError, match="another pseudonym key"):
            await bind_key(connection, TWO)
        assert await connection.fetchval("SELECT key_fingerprint FROM privacy") == ONE.fingerprint
    finally:
        await connection.close()


@given(st.binary(min_size=20, max_size=20))
def test_base32_is_that_of_the_standard(mac: bytes) -> None:
    assert _base32(mac) == base64.b32encode(mac).decode()


@pytest.mark.parametrize("number", [66099001234, 912345678])
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("population.declared", ("number",)), ("plan.published", ("document", "issuer")),
        ("plan.published", ("document", "budget_total_million_vnd")),
        ("plan.amended", ("changes", "note")),
    ],
)  # fmt: skip
def test_a_number_of_a_person_is_refused_in_definitions_too_and_never_echoed(
    name: str, place: tuple[str, ...], number: int
) -> None:
    kind = CATALOGUE[name]
    data = copy.deepcopy(example(CATALOGUE, name, 0)["data"])
    node = data
    for member in place[:-1]:
        node = node[member]
    node[place[-1]] = number
    validator = Validator(CATALOGUE, Pseudonyms(bytes(range(32))))
    with pytest.raises(Problem) as refused:
        validator.stored(kind, kind.latest, data, Noticed())
    assert refused.value.code == "personal-data-in-clear"
    assert str(number) not in str(refused.value.body())
