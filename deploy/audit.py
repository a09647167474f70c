"""`make audit`: what the system is made of, and what is known against it.

Bill of materials (CycloneDX) and licences from the lock, secrets in the tree, regular expressions that
may take for ever, known vulnerabilities. Writes into `build/audit/`; ends with 1 when anything is wrong.
A source that cannot be asked is said, and is not taken for good news.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".audit" / "bin"
OUT = ROOT / "build" / "audit"
BOM = OUT / "sbom.cdx.json"
LOCK = ROOT / "requirements.lock"
BASELINE = ROOT / "deploy" / "secrets.baseline"

ALLOWED = re.compile(
    r"apache|mit|bsd|isc|psf|python software|mpl|mozilla|unlicense|zlib|cc0|lgpl|0bsd",
    re.IGNORECASE,
)
"""Licences under which a component may be used and passed on unchanged."""

NOISY = ("HexHighEntropyString", "Base64HighEntropyString")
CODE = ("shared", "services", "deploy", "clients/python/src", "clients/cli/src", "examples")
TEXTS = {
    "regexploit-yaml": "shared/contracts/types/*.yaml",
    "regexploit-json": "plans/*.schema.json",
}
"""Where else patterns stand that are matched with what others send."""

READ_BY_HAND = {"protobuf": "BSD-3-Clause"}
"""Licences that packages name in words no tool knows: read in the files that they ship."""


def locked(lock: str) -> dict[str, str]:
    """Name -> version of every package that a lock file pins."""
    return dict(
        re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE)
    )


def components(bom: dict[str, Any]) -> dict[str, tuple[str, list[str]]]:
    """Name -> version and licences of each component of a bill of materials."""
    found = {}
    for one in bom.get("components", []):
        licences = [
            entry.get("expression")
            or entry["license"].get("id")
            or entry["license"].get("name", "")
            for entry in one.get("licenses", [])
        ]
        name = re.sub(r"[-_.]+", "-", one["name"]).lower()
        found[name] = (str(one.get("version")), [text for text in licences if text])
    return found


def wrong_components(lock: str, bom: dict[str, Any]) -> list[str]:
    """What the bill of materials lacks of the lock, and licences that are unknown or not allowed.

    A package that the lock pins for other systems only is none of this one's.
    """
    there = components(bom)
    elsewhere = set(re.findall(r"^([a-z0-9._-]+)==[^\n]*;[^\n]*(?:win32|nt)'", lock, re.MULTILINE))
    wrong = []
    for name, version in locked(lock).items():
        if name in elsewhere and name not in there:
            continue
        found, licences = there.get(name, (None, []))
        if not licences and name in READ_BY_HAND:
            licences = [READ_BY_HAND[name]]
        if found != version:
            wrong.append(f"{name} {version} is in the lock, the bill of materials has {found}")
        elif not any(ALLOWED.search(text) for text in licences):
            wrong.append(f"{name}: licence {', '.join(licences) or 'unknown'}")
    return wrong


def vulnerabilities(report: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What is known against packages, and the packages that the source could not be asked about."""
    known, unasked = [], []
    for one in report.get("dependencies", []):
        if "skip_reason" in one:
            unasked.append(one["name"])
        known += [f"{one['name']} {one['version']}: {v['id']}" for v in one.get("vulns", [])]
    return known, unasked


def _run(*command: str | Path, fine: Iterable[int] = (0,)) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode not in fine:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def materials() -> list[str]:
    """Bill of materials and licences."""
    application = ROOT / ".audit" / "application" / "bin" / "python"
    _run(
        TOOLS / "cyclonedx-py", "environment", application, "--pyproject", "pyproject.toml",
        "--output-reproducible", "--of", "JSON", "-o", BOM,
    )  # fmt: skip
    bom = json.loads(BOM.read_text())
    rows = [f"{n} {v}: {', '.join(texts)}" for n, (v, texts) in sorted(components(bom).items())]
    (OUT / "licences.txt").write_text("\n".join(rows) + "\n")
    print(f"  {len(rows)} components: {BOM.relative_to(ROOT)}, licences.txt beside it")
    return wrong_components(LOCK.read_text(), bom)


def secrets() -> list[str]:
    """Secrets in files under version control that the baseline does not know."""
    files = _run("git", "ls-files").split()
    looked = [f for f in files if not f.endswith((".lock", ".csv", ".baseline"))]
    # Plain entropy finds digests, of which the tests are full.
    off = [part for name in NOISY for part in ("--disable-plugin", name)]
    report = json.loads(_run(TOOLS / "detect-secrets", "scan", *off, *looked))
    known = set()
    if BASELINE.exists():
        for path, lines in json.loads(BASELINE.read_text())["results"].items():
            known |= {(path, one["hashed_secret"]) for one in lines}
    return [
        f"{path}:{one['line_number']}: {one['type']}"
        for path, lines in report["results"].items()
        for one in lines
        if (path, one["hashed_secret"]) not in known
    ]


def expressions() -> list[str]:
    """Regular expressions that may take more than linear time."""
    asked = {"regexploit-py": [p for f in CODE for p in sorted((ROOT / f).rglob("*.py"))]}
    asked |= {tool: sorted(ROOT.glob(pattern)) for tool, pattern in TEXTS.items()}
    found = []
    for tool, files in asked.items():
        told = _run(TOOLS / tool, *files, fine=(0, 1))
        if not re.search(r"Processed [1-9]\d* regexes", told):
            raise ValueError(f"{tool} has looked at nothing")
        found += [line for line in told.splitlines() if line.startswith("Vulnerable regex")]
    return found


def known() -> list[str]:
    """Known vulnerabilities of what the lock pins."""
    told = _run(
        TOOLS / "pip-audit", "-r", LOCK, "--disable-pip", "--require-hashes", "-f", "json",
        "--progress-spinner", "off", fine=(0, 1),
    )  # fmt: skip
    found, unasked = vulnerabilities(json.loads(told))
    if unasked:
        said = (
            f"the source of vulnerabilities could not be asked about {len(unasked)} of"
            f" {len(locked(LOCK.read_text()))} packages. Run this where it can be reached."
        )
        if not found:
            raise RuntimeError(said)
        print(f"  NOT CHECKED: {said}")
    return found


STEPS: dict[str, Callable[[], list[str]]] = {
    "bill of materials and licences": materials,
    "secrets in the tree": secrets,
    "regular expressions": expressions,
    "known vulnerabilities": known,
}


def main() -> int:
    """Run every step, whatever the others found."""
    OUT.mkdir(parents=True, exist_ok=True)
    bad = 0
    for name, step in STEPS.items():
        print(f"{name} ...")
        try:
            wrong = step()
        except (RuntimeError, ValueError, OSError) as error:
            print(f"  NOT CHECKED: {error}")
            bad += name != "known vulnerabilities"
            continue
        for line in wrong:
            print(f"  {line}")
        bad += bool(wrong)
        if not wrong:
            print("  nothing found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
