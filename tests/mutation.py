"""`make mutation`: small faults are put into counting, evaluating and the domain, one at a time; which
of them do pure tests find?

A seeded sample of the mutants that mutmut makes, run in a copy of the tree under build/mutation. The
pure tests alone: what only a running system would notice survives here (docs/mutation.md).
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutation"
TREE = BUILD / "tree"
MUTATED = [
    "services/metrics/counting/*.py",
    "services/metrics/evaluating/*.py",
    "shared/domain/*.py",
]
METRICS = [
    "amendments", "cell_details", "cells_say", "checking", "evaluator", "exact", "joined",
    "named_reports", "places", "states", "versions",
]  # fmt: skip
TESTS = ["tests/plans", "tests/contracts", *(f"tests/metrics/test_{name}.py" for name in METRICS)]
NOT_PURE = "both_times"
COPIED = ["deploy", "plans", "units", "docs", "clients", "examples", "bench"]
SEED = 12
KILLED, SURVIVED, UNTESTED = {1, 3}, {0}, {33}
"""Exit codes that mutmut notes; any other one is a mutant that never came to an end."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=1500)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    _prepare()
    # Makes all mutants and learns which tests call which function; it tests none of this name.
    _mutmut(["no.such.mutant"], None)
    names = sorted(_results())
    if not names:
        print("no mutants were made: see build/mutation/mutmut.log")
        return 1
    chosen = sorted(random.Random(asked.seed).sample(names, min(asked.sample, len(names))))
    print(f"{len(chosen)} of {len(names)} mutants, seed {asked.seed}", flush=True)
    _mutmut(chosen, asked.minutes * 60)
    found = _results()
    _report({name: found[name] for name in chosen})
    return 0


def _prepare() -> None:
    """A copy of what git knows, without the mutants of an earlier run."""
    shutil.rmtree(TREE, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)
    options = {
        "source_paths": ["services", "shared"],
        "only_mutate": MUTATED,
        "also_copy": COPIED,
        "use_git_change_detection": False,
        "track_dependencies": False,
        "pytest_add_cli_args": ["-x", "--timeout=60", "-m", "not stack", "-k", f"not {NOT_PURE}"],
        "pytest_add_cli_args_test_selection": TESTS,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    config = TREE / "pyproject.toml"
    config.write_text(f"{config.read_text()}\n[tool.mutmut]\n" + "\n".join(lines) + "\n")


def _mutmut(names: list[str], seconds: float | None) -> None:
    """One run; when the time is over, what was found so far stands."""
    command = [sys.executable, "-m", "mutmut", "run", *names]
    with (BUILD / "mutmut.log").open("a") as log:
        try:
            subprocess.run(command, cwd=TREE, stdout=log, stderr=log, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            print("the time is over: the rest of the sample was not tried", flush=True)


def _results() -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for path in sorted((TREE / "mutants").rglob("*.py.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def _report(results: dict[str, int | None]) -> None:
    count: Counter[str] = Counter()
    survivors = []
    for name, code in sorted(results.items()):
        kind = "not tried" if code is None else "found" if code in KILLED else "ended by time"
        kind = (
            "survived"
            if code in SURVIVED
            else "called by no pure test"
            if code in UNTESTED
            else kind
        )
        count[kind] += 1
        if kind == "survived":
            survivors.append(name)
    called = count["found"] + count["ended by time"] + count["survived"]
    for kind, number in count.most_common():
        print(f"{number:6} {kind}")
    if called:
        caught = called - count["survived"]
        print(f"found {caught} of {called} that pure tests call: {caught / called:.0%}")
    report = BUILD / "survivors.txt"
    report.write_text("\n".join(survivors) + "\n")
    print(
        f"survivors: {report.relative_to(ROOT)}; what one is: cd {TREE.relative_to(ROOT)} && mutmut show NAME"
    )


if __name__ == "__main__":
    sys.exit(main())
