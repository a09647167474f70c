"""The JSON cases at the front door, one by one, in batches and by the client's own reading."""

from typing import Any

import pytest

from tests.activities.conftest import Door, clock, door, intake
from tests.activities.fake import headers
from tests.conformance.json_cases import Case, cases, event, judge

__all__ = ["clock", "door", "intake"]

ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
async def test_a_text_is_taken_or_refused_as_the_standard_says(door: Door, case: Case) -> None:
    answer = await door.client.post(
        "/v1/events",
        content=event(case),
        headers=headers("admin"),
    )
    body: dict[str, Any] = answer.json()
    assert judge(case, answer.status_code, body.get("code")) is None, body


def test_the_corpus_has_all_three_kinds_and_no_name_twice() -> None:
    names = [case.name for case in ALL]
    assert len(set(names)) == len(names) > 110
    assert {case.verdict for case in ALL} == {"y", "n", "i"}
