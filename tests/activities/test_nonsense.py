"""Each bad event over each way in: the same answer, nothing written, nothing echoed.

The answers are golden files; `UPDATE_GOLDEN=1 pytest tests/activities/test_nonsense.py` rewrites
them (read the difference before you commit it: codes are a promise to partners).
"""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.activities.conftest import Door
from tests.activities.fake import BATCH, CCCD, PHONE, event, headers
from tests.activities.nonsense import BAD, NOT_JSON

GOLDEN = Path(__file__).parent / "golden"
ERRORS = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
ALL = {**NOT_JSON, **BAD}
SECRETS = (CCCD, PHONE, "０６６０９９００１２３４", "0912 345 678", "66099001234")


def golden(file: str, case: str, found: Any) -> None:
    path = GOLDEN / file
    kept = json.loads(path.read_text()) if path.exists() else {}
    if os.environ.get("UPDATE_GOLDEN"):
        kept[case] = found
        order = {name: kept[name] for name in [*ALL, *kept] if name in kept}
        path.write_text(json.dumps(order, ensure_ascii=False, indent=1) + "\n")
    assert found == kept.get(case)


def without_trace(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in ("trace_id", "index")}


def check(text: str) -> None:
    assert not any(secret in text for secret in SECRETS), "an answer repeats personal data"


@pytest.mark.security("V2.2.1", "V2.2.2", "V16.5.3")
@pytest.mark.parametrize("case", ALL)
async def test_alone(door: Door, case: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = await door.client.post("/v1/events", content=ALL[case], headers=headers())
    check(answer.text)
    check(caplog.text)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert answer.status_code == problem["status"] and 400 <= problem["status"] < 500
    assert f"`{problem['code']}`" in ERRORS, "missing in docs/errors.md"
    assert problem["hint"] and not problem["retryable"]
    assert not door.log.rows
    golden("problems.json", case, without_trace(problem))


@pytest.mark.parametrize("case", BAD)
async def test_between_neighbours(door: Door, case: str) -> None:
    if case == "an array":
        pytest.skip("several arrays in an array are several bad events")
    good = [json.dumps(event(id=str(n))).encode() for n in range(2)]
    body = b"[" + good[0] + b"," + BAD[case] + b" , " + good[1] + b"]"
    answer = await door.client.post("/v1/events", content=body, headers=headers(content_type=BATCH))
    check(answer.text)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [r["index"] for r in found["results"]] == [0, 1, 2]
    assert [r["status"] for r in found["results"]] == ["accepted", "rejected", "accepted"]
    assert (found["accepted"], found["duplicates"], found["rejected"]) == (2, 0, 1)
    assert len(door.log.rows) == 2
    alone = json.loads((GOLDEN / "problems.json").read_text())[case]
    problem = found["results"][1]["problem"]
    assert problem["index"] == 1
    assert without_trace(problem) == alone


@pytest.mark.parametrize("case", NOT_JSON)
async def test_batch_that_is_no_json(door: Door, case: str) -> None:
    body = (
        b"[" + NOT_JSON[case] + b"]" if case not in ("BOM", "UTF-16", "empty") else NOT_JSON[case]
    )
    answer = await door.client.post("/v1/events", content=body, headers=headers(content_type=BATCH))
    assert answer.status_code == 400, answer.text
    assert not door.log.rows
    golden("batch_problems.json", case, without_trace(answer.json()))


@pytest.mark.parametrize("case", BAD)
async def test_in_binary_mode(door: Door, case: str) -> None:
    """The same problem as in structured mode, where the case can be written in headers."""
    try:
        whole = json.loads(BAD[case])
        attributes = {n: v for n, v in whole.items() if n not in ("data", "datacontenttype")}
        if not all(isinstance(v, str) for v in attributes.values()):
            raise TypeError
        # A body that only JSON readers agree on travels as it was written.
        match = re.search(rb'"data": ?(.*)\}$', BAD[case], re.DOTALL)
        body = match[1] if match else b""
        if not body or "data" not in whole:
            body = b""
        elif not attributes.keys() <= {"specversion", *event()}:
            body = json.dumps(whole["data"]).encode()  # data is not the last member there
    except (ValueError, TypeError, AttributeError):
        pytest.skip("cannot be written in headers")
    if case in ("duplicate key", "too large", "data a text", "specversion 0.3", "no specversion",
                "datacontenttype XML", "data_base64"):  # fmt: skip
        pytest.skip("means something else here")
    sent = {"Authorization": "Bearer hv_police_secret", "Content-Type": "application/json"}
    sent |= {f"ce-{n}": quote(v, safe=" :/@+-._~!*'()?,;=") for n, v in attributes.items()}
    answer = await door.client.post("/v1/events", content=body, headers=sent)
    check(answer.text)
    alone = json.loads((GOLDEN / "problems.json").read_text())[case]
    found = answer.json()
    assert found["code"] == alone["code"], found
    assert not door.log.rows
