"""No byte sequence stops a stream: a bad line is answered alone, and only one line closes."""

import gzip
import json
from time import process_time
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.activities.fake import event

NDJSON = "application/x-ndjson"
BAD: dict[str, tuple[bytes, str]] = {
    "bytes that are no UTF-8 in the closing line": (b'{"close":"\xff"}', "json-invalid-utf8"),
    "the same in a name": (b'{"close\xff":true}', "json-invalid-utf8"),
    "one is not true": (b'{"close": 1}', "attribute-missing"),
    "1.0 is not true": (b'{"close": 1.0}', "attribute-missing"),
    "a text is not true": (b'{"close": "true"}', "attribute-missing"),
    "false": (b'{"close": false}', "attribute-missing"),
    "said twice": (b'{"close": true, "close": true}', "json-duplicate-key"),
    "more than it": (b'{"close": true, "id": "1"}', "attribute-missing"),
    "in a list": (b'[{"close": true}]', "event-not-object"),
    "half a surrogate, deep down": (b"[" * 700 + b'"\\ud800"' + b"]" * 700, "json-too-deep"),
    "a hundred thousand brackets": (b"[" * 100_000, "json-too-deep"),
    "a number of 5,000 digits": (b'{"close":' + b"9" * 5000 + b"}", "json-number-out-of-range"),
    "UTF-16": ('{"close": true}'.encode("utf-16"), "json-utf16"),
    "a lone continuation": (b"\x80", "json-invalid-utf8"),
    "NUL": (b"\x00", "json-utf16"),
}


async def put(client: httpx.AsyncClient, key: str, name: str, body: bytes, **more: str) -> Any:
    answer = await client.put(
        f"/v1/streams/{name}",
        params={"acks": "all"},
        content=body,
        headers={"Authorization": f"Bearer {key}", "Content-Type": NDJSON, **more},
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_line_is_answered_alone(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, case: str
) -> None:
    bad, code = BAD[case]
    good = [json.dumps(event(id=f"{n}")).encode() for n in range(2)]
    said = await put(service[1], admin, "bad", b"\n".join([good[0], bad, good[1]]) + b"\n")
    told = [(one["line"], one["status"]) for one in said if "line" in one]
    assert told == [(0, "accepted"), (1, "rejected"), (2, "accepted")]
    assert next(one for one in said if one.get("line") == 1)["problem"]["code"] == code
    assert (said[-1]["done"], said[-1]["closed"], said[-1]["committed"]) == (True, False, 3)


@pytest.mark.parametrize("line", [b'{"close": true}', b' {"close":true}\r', b'{"close"\t: true } '])
async def test_true_closes(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, line: bytes
) -> None:
    body = json.dumps(event()).encode() + b"\n" + line + b"\n\n"
    said = await put(service[1], admin, "closing", body)
    assert (said[-1]["accepted"], said[-1]["closed"], said[-1]["committed"]) == (1, True, 3)


async def test_millions_of_blank_lines_cost_next_to_nothing(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str
) -> None:
    """A few kB of gzip hold three million of them; each took 6 microseconds of nobody's quota.

    Processor time of this process against a split of the same bytes, so that no load matters.
    """
    blank = b"\n" * 1_500_000 + b" \r\n" * 500_000
    body = gzip.compress(blank + json.dumps(event()).encode() + b"\n")
    began = process_time()
    said = await put(service[1], admin, "blank", body, **{"Content-Encoding": "gzip"})
    took = process_time() - began
    assert (said[-1]["committed"], said[-1]["accepted"]) == (2_000_001, 1)
    began = process_time()
    for _ in range(3):
        list(enumerate(line.strip() for line in blank.split(b"\n")))
    assert took < 10 * (process_time() - began)
