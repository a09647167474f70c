"""The page of error codes tells every code that this service can answer, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("services/activities", "shared")
# Codes made elsewhere: by a table, by the log, by the tree of units.
CALLS = re.compile(
    r'(?:Problem|_bad|_limit|UnknownUnit)\(\s*"([a-z0-9-]+)"|"([a-z]+-[a-z0-9-]+)", "must be'
)
NOT_HERE = {"http-error"}


def test_every_code_is_told() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for match in CALLS.finditer(path.read_text()):
                found.add(match[1] or match[2])
    missing = sorted(code for code in found - NOT_HERE if f"`{code}`" not in page)
    assert not missing
    assert len(found) > 50


def test_no_code_is_told_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    source = "".join(
        path.read_text() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")
    )
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = [code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row)]
    assert len(told) == len(set(told))
    assert not [code for code in told if f'"{code}"' not in source]
