"""Compare an answer with its vector."""

from typing import Any

from tests.vectors.ways import Answer


def check(step: dict[str, Any], answer: Answer, positions: dict[str, int | None]) -> None:
    expected, problem = step["expected"], answer.problem or {}
    assert answer.status == expected["status"], (step["name"], problem)
    assert problem.get("code") == expected.get("code"), (step["name"], problem)
    assert problem.get("status") == expected.get("problem_status"), step["name"]
    assert expected.get("pointer") in (None, problem.get("pointer")), (step["name"], problem)
    assert bool(answer.warnings) == expected.get("warnings", False), step["name"]
    if "same_position_as" in expected:
        assert answer.position == positions[expected["same_position_as"]], step["name"]
