"""What `make audit` makes of what its tools say."""

import json
from typing import Any

import pytest

from deploy import audit

LOCK = """\
httpx==0.28.1 \\
    --hash=sha256:aa
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:bb
psycopg[binary]==3.2.1 \\
    --hash=sha256:cc
"""


def bom(**licences: str) -> dict[str, Any]:
    versions = {"httpx": "0.28.1", "psycopg": "3.2.1"}
    return {
        "components": [
            {"name": n, "version": versions[n], "licenses": [{"license": {"id": licence}}]}
            for n, licence in licences.items()
        ]
    }


@pytest.mark.security("V15.1.2")
def test_the_bill_of_materials_names_every_locked_package() -> None:
    assert audit.locked(LOCK) == {"httpx": "0.28.1", "colorama": "0.4.6", "psycopg": "3.2.1"}
    whole = bom(httpx="BSD-3-Clause", psycopg="LGPL-3.0-only")
    assert audit.wrong_components(LOCK, whole) == []
    (told,) = audit.wrong_components(LOCK, bom(httpx="BSD-3-Clause"))
    assert told.startswith("psycopg 3.2.1 is in the lock")
    (told,) = audit.wrong_components(LOCK, bom(httpx="Proprietary", psycopg="MIT"))
    assert told == "httpx: licence Proprietary"


def test_a_licence_that_no_tool_knows_was_read_by_hand() -> None:
    nameless = bom(httpx="BSD-3-Clause")
    nameless["components"].append({"name": "protobuf", "version": "3.2.1"})
    nameless["components"].append({"name": "other", "version": "1"})
    lock = "httpx==0.28.1\nprotobuf==3.2.1\nother==1\n"
    assert audit.wrong_components(lock, nameless) == ["other: licence unknown"]


def test_what_the_baseline_passes_is_still_there() -> None:
    """A finding that is gone leaves the baseline, else a new secret could hide behind it."""
    kept = json.loads(audit.BASELINE.read_text())["results"]
    assert kept and all((audit.ROOT / path).exists() for path in kept)


def test_the_real_lock_is_read_whole() -> None:
    names = audit.locked(audit.LOCK.read_text())
    assert {"fastapi", "asyncpg", "segno"} <= set(names) and len(names) > 40


def test_a_source_that_cannot_be_asked_is_no_good_news() -> None:
    report = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]},
            {"name": "b", "skip_reason": "not found"},
            {"name": "c", "version": "2", "vulns": []},
        ]
    }
    assert audit.vulnerabilities(report) == (["a 1: CVE-1"], ["b"])
