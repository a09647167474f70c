"""The typed events are those of the definitions, and a type checker finds a user's mistakes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from hocvuso_client import Device, Household, Organisation, Person, typed
from hocvuso_client.events import TYPES
from shared.contracts.definitions import Catalogue
from shared.contracts.generate_client import client_code

SOURCES = Path(__file__).parents[2] / "clients/python/src"
CATALOGUE = Catalogue.load()

GOOD = """
import datetime as dt
from hocvuso_client import Client, cccd
from hocvuso_client.events import CitizenCertified
event = CitizenCertified(person=cccd("066099000001"), target_groups=["adult"], platform="vneid")
client = Client("http://x", "k")
key = client.emit(event, subject="24133", source="https://s.example/a",
                  time=dt.datetime.now(dt.UTC))
receipt = client.wait_counted(*key)
"""


def test_the_classes_are_up_to_date() -> None:
    file = SOURCES / "hocvuso_client" / "events.py"
    assert file.read_text(encoding="utf-8") == client_code(CATALOGUE), (
        "run python -m shared.contracts.generate"
    )
    assert set(TYPES) == set(CATALOGUE)


@pytest.mark.parametrize("part", [Person, Household, Device, Organisation])
def test_the_schemes_are_those_of_the_definitions(part: Any) -> None:
    schema = CATALOGUE.definitions()[part.__name__.lower()]
    assert list(get_args(get_type_hints(part)["scheme"])) == schema["properties"]["scheme"]["enum"]
    assert typed.cccd("066099000001").scheme in get_args(get_type_hints(Person)["scheme"])


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_examples_can_be_built(name: str) -> None:
    """Every field of an example is a field of the class, and comes out as it went in."""
    import keyword

    for example in CATALOGUE[name].examples:
        given = {f"{k}_" if keyword.iskeyword(k) else k: v for k, v in example.items()}
        assert TYPES[name](**given).to_data() == example


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "", ""),
        ('"vneid"', '"vnied"', "platform"),
        ('["adult"]', '"adult"', "target_groups"),
        ('cccd("066099000001")', '"066099000001"', "person"),
        ("platform=", "platfrom=", "platfrom"),
        ('person=cccd("066099000001"), ', "", "person"),
    ],
)
def test_a_type_checker_finds_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "user.py"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1) if old else GOOD)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, str(file)],
        cwd=SOURCES.parent, env={**os.environ, "MYPYPATH": str(SOURCES)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (checked.returncode == 0) is (message == ""), checked.stdout
    assert message in checked.stdout
