"""Every old version of every event type: still valid as it was posted, and known in the newest."""

from typing import Any

import jsonschema_rs
import pytest

from shared.contracts.definitions import Catalogue
from shared.contracts.upcast import upcast
from tests.vectors.read import load

CASES = load("old-versions")["cases"]
CATALOGUE = Catalogue.load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['type']} {case['name']}")
def test_becomes_the_newest(case: dict[str, Any]) -> None:
    name, version = case["type"], case["version"]
    for data, of in ((case["posted"], version), (case["newest"], CATALOGUE[name].latest)):
        jsonschema_rs.validate(CATALOGUE.data_schema(name, of), data)
    assert upcast(CATALOGUE, name, version, case["posted"]) == case["newest"]


def test_no_old_version_is_left_out() -> None:
    old = {(name, v) for name, kind in CATALOGUE.items() for v in kind.versions[:-1]}
    assert {(case["type"], case["version"]) for case in CASES} == old
