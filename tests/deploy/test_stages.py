"""Each stage of the Dockerfile, built by hand: only the files that it copies.

No Docker is needed. `HOCVUSO_IMAGE_PYTHON` names another Python than this one, for example of an
environment that holds `requirements.lock` and nothing else, as the images have.
"""

import ast
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.cli import _COMMANDS, _GROUPS
from tests.deploy.serving import ROOT

DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()
PYTHON = os.environ.get("HOCVUSO_IMAGE_PYTHON", sys.executable)
MODULES = {
    "activities": ["services.activities.app", "services.activities.relay",
                   "services.activities.intake.__main__", "deploy.docker.healthcheck"],
    "metrics": ["services.metrics.app", "services.metrics.worker", "services.metrics.cli"],
    "registry": ["services.registry.app"],
    "tools": ["deploy.docker.migrate", "deploy.docker.load", "deploy.local.cli",
              "deploy.doctor.cli", "deploy.local.backup_cli", "hocvuso_cli.send.command"],
}  # fmt: skip


def stage(name: str, into: Path) -> None:
    """Copy what a stage copies, after what the stage below it does."""
    found = re.search(rf"^FROM (\S+) AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S)
    assert found, name
    if re.search(rf"AS {found[1]}$", DOCKERFILE, re.M):
        stage(found[1], into)
    for origin, line in re.findall(r"^COPY (?:--from=(\S+) )?(.*)$", found[2], re.M):
        *sources, target = line.split()
        if target.startswith("/") or origin not in ("", "source"):
            continue
        for source in (s.removeprefix("/src/") for s in sources):
            to = into / target / Path(source).name if len(sources) > 1 else into / target
            copy(source, to)


def copy(source: str, to: Path) -> None:
    """As a builder does, which sees only what `.dockerignore` leaves."""
    files = [ROOT / source] if (ROOT / source).is_file() else (ROOT / source).rglob("*")
    for file in files:
        if file.is_file() and sent(str(file.relative_to(ROOT))):
            place = to / file.relative_to(ROOT / source) if file != ROOT / source else to
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)


def sent(path: str) -> bool:
    """Whether `.dockerignore` lets a file into the build; the last rule that fits decides."""
    verdict = True
    for rule in (ROOT / ".dockerignore").read_text().splitlines():
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.lstrip("!").rstrip("/")
        parents = [path, *map(str, Path(path).parents)]
        if pattern == "*" or any(_fits(pattern, one) for one in parents):
            verdict = rule.startswith("!")
    return verdict


def _fits(pattern: str, path: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatchcase(Path(path).name, pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


@pytest.mark.parametrize("name", MODULES)
def test_a_stage_holds_all_that_its_programs_need(name: str, tmp_path: Path) -> None:
    app = tmp_path / "app"
    stage(name, app)
    assert not list(app.rglob("*.key")) and not (app / "tests").exists()
    paths = [app] + (
        [app / "clients/python/src", app / "clients/cli/src"] if name == "tools" else []
    )
    program = (
        "import importlib, sys\n"
        f"for name in {MODULES[name]!r}:\n"
        "    module = importlib.import_module(name)\n"
        f"    assert module.__file__.startswith({str(app)!r}), module.__file__\n"
    )
    done = subprocess.run(
        [PYTHON, "-c", program], cwd=app, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, paths)),
             "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-1500:]


def test_nothing_secret_and_nothing_useless_is_sent_to_a_builder() -> None:
    for path in (".hocvuso/pseudonym.key", "deploy/docker/secrets/pseudonym_key", "tests/conftest.py",
                 "shared/__pycache__/db.cpython-312.pyc", ".git/config", ".venv/bin/python"):  # fmt: skip
        assert not sent(path), path
    for path in ("shared/db.py", "deploy/sandbox/cli.py", "plans/dak-lak-2026.yaml"):
        assert sent(path), path
    assert not list(ROOT.rglob("Dockerfile.dockerignore")), "builders before Docker 23 overlook it"


def test_every_module_of_the_tools_image_finds_what_it_imports(tmp_path: Path) -> None:
    """Also what is imported only when a command runs."""
    app = tmp_path / "app"
    stage("tools", app)
    roots = {"services", "shared", "deploy", "bench", "tests", "examples"}
    missing = []
    for file in app.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                place = app / name.replace(".", "/")
                if name.split(".")[0] in roots and not (
                    place.with_suffix(".py").exists() or (place / "__init__.py").exists()
                    or place.is_dir()
                ):  # fmt: skip
                    missing.append(f"{file.relative_to(app)}: {name}")
    assert missing == []


def test_every_command_runs_in_the_tools_image(tmp_path: Path) -> None:
    app = tmp_path / "app"
    stage("tools", app)
    for command in (*_GROUPS, *_COMMANDS, "backup", "restore", "drill", "migrate"):
        done = subprocess.run(
            [PYTHON, "-m", "deploy.local", command, "--help"], cwd=app, capture_output=True,
            text=True, check=False,
            env={"PATH": os.environ["PATH"], "HOCVUSO_HOME": str(tmp_path / "home"),
                 "PYTHONPATH": f"{app}:{app / 'clients/python/src'}"},
        )  # fmt: skip
        assert done.returncode == 0 and "Usage" in done.stdout, done.stderr[-1500:]


def test_the_bench_has_a_help() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith("usage: python -m bench"), done.stderr
