"""Each stage of the Dockerfile, built by hand: only the files that it copies.

No Docker is needed. `HOCVUSO_IMAGE_PYTHON` names another Python than this one, for example of an
environment that holds `requirements.lock` and nothing else, as the images have.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.serving import ROOT

DOCKERFILE = (ROOT / "deploy/docker/Dockerfile").read_text()
PYTHON = os.environ.get("HOCVUSO_IMAGE_PYTHON", sys.executable)
MODULES = {
    "activities": ["services.activities.app", "services.activities.relay",
                   "services.activities.intake.__main__", "deploy.docker.healthcheck"],
    "metrics": ["services.metrics.app", "services.metrics.worker", "services.metrics.cli"],
    "registry": ["services.registry.app"],
    "tools": ["deploy.docker.migrate", "deploy.docker.load", "deploy.local.cli",
              "deploy.doctor.cli", "deploy.local.backup_cli", "services.activities.send.cli"],
}  # fmt: skip


def stage(name: str, into: Path) -> None:
    """Copy what a stage copies, after what the stage below it does."""
    found = re.search(rf"^FROM (\S+) AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S)
    assert found, name
    if re.search(rf"AS {found[1]}$", DOCKERFILE, re.M):
        stage(found[1], into)
    for line in re.findall(r"^COPY (?!--from)(.*)$", found[2], re.M):
        *sources, target = line.split()
        if target.startswith("/"):
            continue
        for source in sources:
            to = into / target / Path(source).name if len(sources) > 1 else into / target
            if (ROOT / source).is_dir():
                shutil.copytree(
                    ROOT / source, to, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"),
                )  # fmt: skip
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / source, to)


@pytest.mark.parametrize("name", MODULES)
def test_a_stage_holds_all_that_its_programs_need(name: str, tmp_path: Path) -> None:
    app = tmp_path / "app"
    stage(name, app)
    assert not list(app.rglob("*.key")) and not (app / "tests").exists()
    paths = [app] + ([app / "clients/python/src"] if name == "tools" else [])
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
