"""Every address that takes a unit, a day, a level, a format, a cursor, a plan: walked through the
OpenAPI document, so that a new one is not forgotten. What is wrong is named, with rule and fix."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.registry.bad_input import AUTH, VALUES, operations
from tests.registry.conftest import Running

DAYS = {"on", "as_of", "known_at", "since", "until", "from", "to", "day"}
PLAN = "/v1/plans/{plan}"
FUTURE_IS_FINE = {
    ("/v1/units", "on"), ("/v1/units/{code}", "on"), ("/v1/units/{code}/children", "on"),
    ("/v1/units/{code}/hamlets", "on"), (f"{PLAN}/populations", "on"), (f"{PLAN}/calendar", "on"),
    (f"{PLAN}/reports", "on"), (f"{PLAN}/reports/{{obligation}}/{{period}}", "on"),
    (f"{PLAN}/completeness", "to"), ("/v1/calendar", "on"),
}  # fmt: skip
"""Units that are decided for a day to come; what will be due; a period that is not over."""
ALSO = {f"{PLAN}/ranking": "ranking-not-published", f"{PLAN}/units/{{code}}": "unit-ambiguous"}
"""What is said first there: no ranking is published; in 2020 the code was another commune."""
Case = tuple[str, str, str, str, tuple[str, ...]]


def cases(path: str, parameters: list[dict[str, Any]]) -> Iterator[Case]:
    """(where, name, value, status, codes) of everything wrong that can be asked there."""
    for parameter in parameters:
        name, where = parameter["name"], parameter["in"]
        if where == "header":
            continue
        if name in ("unit", "code", "parent"):
            yield where, name, "99999", "404", ("unit-unknown",)
            yield where, name, "nowhere", "404", ("unit-unknown",)
            yield where, name, "24133@1999", "404", ("unit-unknown",)
        if name == "plan" and where == "path":
            yield where, name, "no-such-plan", "404", ("plan-unknown",)
        if name == "objective":
            yield where, name, "no-such-objective", "404", ("objective-unknown",)
        if name in ("organisation", "lead"):
            yield where, name, "nobody", "404", ("organisation-unknown",)
        if name in DAYS or parameter["schema"].get("format") == "date":
            for text in ("yesterday", "2026-02-30", "30/11/2026"):
                yield where, name, text, "422", ("invalid-parameter",)
            if (path, name) not in FUTURE_IS_FINE:
                yield where, name, "2099-01-01", "422", (f"{name}-in-future".replace("_", "-"),)
        if name == "as_of":
            yield where, name, "2020-01-01", "422", ("as-of-before-plan",)
        if name == "level":
            yield where, name, "continent", "422", ("level-unknown",)
        if name == "format":
            yield where, name, "pdf", "422", ("format-unknown",)
        if name == "tree":
            yield where, name, "maple", "422", ("tree-unknown",)
        if name == "cursor":
            yield where, name, "xxx", "422", ("cursor-malformed",)
        if name == "limit":
            yield where, name, "0", "422", ("invalid-parameter",)
            yield where, name, "many", "422", ("invalid-parameter",)


async def ask(registry: Running, path: str, parameters: list[dict[str, Any]], case: Case) -> Any:
    where, name, value, _, _ = case
    values = VALUES | ({name: value} if where == "path" else {})
    required = {
        p["name"]: VALUES[p["name"]]
        for p in parameters
        if p["in"] == "query" and p.get("required") and p["name"] in VALUES
    }
    params = required | ({name: value} if where == "query" else {})
    return await registry.client.get(path.format(**values), params=params, headers=AUTH)


@pytest.mark.security("V15.3.7")
async def test_every_wrong_value_is_named(registry: Running) -> None:
    wrong, seen = [], set()
    for path, parameters in operations(registry):
        for case in cases(path, parameters):
            _, name, value, status, codes = case
            seen.add(name)
            answer = await ask(registry, path, parameters, case)
            place = f"GET {path} {name}={value}"
            if answer.status_code == 503:
                continue  # asks metrics, which is away here, and judges there
            said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            if said.get("code") == ALSO.get(path, "-"):
                continue
            if str(answer.status_code) != status or said.get("code") not in codes:
                wrong.append(f"{place}: {answer.status_code} {said.get('code')}")
            elif not (said["detail"] and said.get("hint") and said.get("pointer")):
                wrong.append(f"{place}: names no {'pointer' if said.get('hint') else 'hint'}")
    assert not wrong, "\n".join(wrong)
    assert {"unit", "code", "as_of", "known_at", "level", "format", "tree", "cursor"} <= seen


@pytest.mark.parametrize(
    ("address", "code", "pointer"),
    [
        ("/v1/units/15?on=2025-06-30", "unit-ambiguous", "/unit"),
        ("/v1/units?parent=15&on=2025-06-30", "unit-ambiguous", "/unit"),
        ("/v1/plans/dak-lak-2026/table?level=nation", "level-above-unit", "/level"),
        ("/v1/plans/dak-lak-2026/table?unit=24133&level=province", "level-above-unit", "/level"),
        ("/v1/plans/dak-lak-2026/populations?level=nation", "level-above-unit", "/level"),
        ("/v1/plans/dak-lak-2026/table?unit=26368", "unit-outside-plan", "/unit"),
        ("/v1/plans/dak-lak-2026/units/26368", "unit-outside-plan", "/unit"),
        ("/v1/plans/dak-lak-2026/populations?unit=26368", "unit-outside-plan", "/unit"),
        ("/v1/plans/tan-lap-100-days-2025/table?as_of=2025-07-14", "as-of-before-plan", "/as_of"),
        ("/v1/plans/yen-bai-2025-2026/table?unit=24133&as_of=2025-06-30", "unit-ambiguous", "/unit"),
    ],
)  # fmt: skip
async def test_what_only_the_whole_question_makes_wrong(
    registry: Running, address: str, code: str, pointer: str
) -> None:
    answer = await registry.client.get(address, headers=AUTH)
    said = answer.json()
    assert (answer.status_code, said["code"], said["pointer"]) == (422, code, pointer)
    assert said["hint"]
    if code == "unit-ambiguous":
        assert len(said["candidates"]) == 2
