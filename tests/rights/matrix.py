"""`tests/rights/access.yaml`: who may use which route, and docs/access.md made from it.

python -m tests.rights.matrix      writes the page
"""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ACCESS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "access.yaml").read_text())
CLASSES: dict[str, str] = ACCESS["classes"]
PRINCIPALS: dict[str, list[str]] = ACCESS["principals"]
ROUTES: dict[str, dict[str, list[str]]] = ACCESS["routes"]
TOPICS: dict[str, dict[str, Any]] = ACCESS["topics"]
PAGE = ROOT / "docs" / "access.md"

EVENT: dict[str, Any] = {
    "id": "w-1", "source": "https://way.example", "type": "vn.hocvuso.citizen.certified",
    "subject": "24133@2025", "time": "2026-06-30T09:00:00+07:00", "data": {},
}  # fmt: skip
"""An event in the log that registry and metrics have of all principals' point of view."""


def may(principal: str, service: str, kind: str) -> bool:
    """Whether a principal is let in to the routes of a class."""
    meets = PRINCIPALS[principal]
    return kind in ("proof", "closed") or kind in meets or f"{service}:{kind}" in meets


def page() -> str:
    """docs/access.md."""
    lines = [
        "# Who may use what\n",
        "Made from `tests/rights/access.yaml` by `make generate`; a test fails for a route that is not"
        " classified, and tests of each service send its principals to all of its routes.\n",
        "| class | needs |",
        "|---|---|",
        *(f"| `{name}` | {text} |" for name, text in CLASSES.items()),
        "\n## Principals and classes\n",
        "| principal | activities | metrics | registry |",
        "|---|---|---|---|",
    ]
    for principal in PRINCIPALS:
        cells = [
            ", ".join(kind for kind in ROUTES[service] if may(principal, service, kind))
            for service in ROUTES
        ]
        lines.append(f"| {principal} | {' | '.join(cells)} |")
    for service, classes in ROUTES.items():
        lines += [f"\n## Routes of {service}\n", "| route | class |", "|---|---|"]
        lines += [f"| `{route}` | {kind} |" for kind, routes in classes.items() for route in routes]
    lines += [
        "\n## Topics\n",
        "| topic | writes | reads | holds |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {', '.join(one['writes'])} | {', '.join(one['reads'])} | {one['holds']} |"
            for name, one in TOPICS.items()
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
