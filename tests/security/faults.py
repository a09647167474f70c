"""Seeded faults: with each of them, the tests that promise its lines of the standards must fail.

python -m tests.security.faults [WORD ...]     all, or those whose words or tests hold a word

Each fault is put into a copy of the tree; the tests named must pass without it and fail with it, by
an assertion of their own and not because nothing could be imported. The exit code is 1 when a
fault stays unseen.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.security.table import ROOT, marked

FAULTS = Path(__file__).with_name("faults.yaml")
COPIED = ("clients", "deploy", "docs", "examples", "plans", "services", "shared", "tests", "units")
LONGEST_S = 600
FAILED = 1
"""pytest's exit code where tests ran and some failed; others mean that none could run."""


@dataclass(frozen=True)
class Fault:
    """One safeguard that is taken away: `old` becomes `new` in `file`."""

    says: str
    file: str
    old: str
    new: str
    tests: list[str]

    @property
    def lines(self) -> list[str]:
        """The lines of the standards that its tests carry."""
        carried = marked()
        return sorted({line for line, by in carried.items() if set(by) & set(self.tests)})


def faults() -> list[Fault]:
    """All of them."""
    return [Fault(**one) for one in yaml.safe_load(FAULTS.read_text(encoding="utf-8"))]


def copy(into: Path) -> None:
    """The tree without what git does not hold."""
    for name in COPIED:
        shutil.copytree(
            ROOT / name, into / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy2(file, into / file.name)


def run(tree: Path, tests: list[str]) -> tuple[int, str]:
    """The exit code of pytest over tests in a tree, and its last words."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=line", *tests],
        cwd=tree, capture_output=True, text=True, timeout=LONGEST_S, check=False,
        env={**_environment(), "PYTHONPATH": ":".join(
            str(tree / part) for part in (".", "clients/python/src", "clients/cli/src"))},
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr)[-600:]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}


def main() -> int:
    """Seed each fault, one after the other."""
    words = sys.argv[1:]
    chosen = [
        fault
        for fault in faults()
        if not words or any(word in f"{fault.says} {fault.tests}" for word in words)
    ]
    unseen = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy(tree)
        sound = sorted({test for fault in chosen for test in fault.tests})
        code, said = run(tree, sound)
        if code:
            print(f"the tests do not pass without any fault:\n{said}")
            return 1
        for fault in chosen:
            file = tree / fault.file
            before = file.read_text(encoding="utf-8")
            file.write_text(before.replace(fault.old, fault.new), encoding="utf-8")
            found = [run(tree, [test]) for test in fault.tests]
            file.write_text(before, encoding="utf-8")
            seen = all(code == FAILED and " failed" in said for code, said in found)
            unseen += not seen
            print(f"{'seen  ' if seen else 'UNSEEN'}  {fault.says}: {', '.join(fault.lines)}")
            if not seen:
                print("\n".join(said for _, said in found))
    lines = sorted({line for fault in chosen for line in fault.lines})
    print(f"{len(chosen) - unseen} of {len(chosen)} faults seen, for {len(lines)} lines")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
