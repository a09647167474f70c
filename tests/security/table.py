"""docs/security-lines.md: each line of the standards with the tests that carry it, or the reason why none.

python -m tests.security.table      writes the page
"""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security-lines.md"
LINES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "lines.yaml").read_text())
API: dict[str, str] = LINES["owasp_api"]
ASVS = [f"{section}.{n}" for section, last in LINES["asvs"].items() for n in range(1, last + 1)]
REASONS: dict[str, str] = {line: why for why, lines in LINES["reasons"].items() for line in lines}


@cache
def marked() -> dict[str, list[str]]:
    """Line -> tests that carry it, as `path::name`, by the markers in their source."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.security":
                    for line in mark.args:
                        name = f"{file.relative_to(ROOT)}::{node.name}"
                        found[ast.literal_eval(line)].append(name)
    return dict(found)


@cache
def seeded() -> set[str]:
    """Tests that `make faults` sees fail, as `path::name`."""
    file = Path(__file__).with_name("faults.yaml")
    return {test for one in yaml.safe_load(file.read_text()) for test in one["tests"]}


def page() -> str:
    """The page."""
    tests = marked()
    proven = {line for line, held in tests.items() if seeded().intersection(held)}
    covered = [line for line in ASVS if line in tests]
    absent = [line for line in ASVS if REASONS.get(line, "").startswith("Not met")]
    lines = [
        "# Lines of the standards\n",
        "Made from the markers of the tests and `tests/security/lines.yaml` by `make generate`; the"
        " threat model is [security.md](security.md).\n",
        f"OWASP API Security Top 10 (2023): {sum(a in tests for a in API)} of {len(API)} held by tests."
        f" ASVS 5.0.0, levels 1 and 2: of {len(ASVS)} lines {len(covered)} are held by tests,"
        f" {len(ASVS) - len(covered) - len(absent)} have a reason why no test holds them,"
        f" {len(absent)} are not met or not wholly.\n",
        f"`make faults` takes one safeguard after the other away (`tests/security/faults.yaml`) and"
        f" fails where its test does not; a star marks those tests. So {len(proven.intersection(API))} of"
        f" {len(API)} and {len(proven.intersection(ASVS))} of {len(covered)} lines have a"
        " seeded fault.\n",
        "| line | tests, or the reason why none |",
        "|---|---|",
    ]
    for line in [*API, *ASVS]:
        stars = ((name, " *" * (name in seeded())) for name in tests.get(line, ()))
        held = "<br>".join(f"`{name}`{star}" for name, star in stars)
        title = f"{line} {API[line]}" if line in API else line
        lines.append(f"| {title} | {held or REASONS[line]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
