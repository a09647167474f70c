"""The wheels: built the same twice, and enough for the command in an environment of its own."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECTS = (ROOT / "clients" / "python", ROOT / "clients" / "cli")
EPOCH = "1767225600"


def build(target: Path) -> dict[str, str]:
    """Both wheels, by name with their digests."""
    for project in PROJECTS:
        # A copy: nothing of a build stays in the tree.
        copy = target.parent / f"{target.name}-{project.name}"
        shutil.copytree(
            project, copy, ignore=shutil.ignore_patterns("__pycache__", "tests", "dist")
        )
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
            cwd=copy, check=True, capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        )  # fmt: skip
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in target.glob("*.whl")}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    one, two = build(folder / "one"), build(folder / "two")
    assert one == two and len(one) == 2
    return folder / "one"


def test_the_wheels_run_in_a_fresh_environment(wheels: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         *map(str, wheels.glob("*.whl"))],
        check=True,
    )  # fmt: skip
    # What the wheels require comes from the locked environment, so that no network is needed;
    # this tree does not: paths named in there are not followed.
    purelib = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    Path(purelib, "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH",)}
    environment["HOCVUSO_LANG"] = "en"

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(scripts / "hocvuso"), *words], cwd=tmp_path, env=environment,
            capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("--version").strip() == "hocvuso 0.1.0"
    event = json.loads(run("sample", "class.held"))
    assert event["type"] == "vn.hocvuso.class.held"
    assert "template" in run("send", "--template", "class.held")
    assert (tmp_path / "class.held.xlsx").stat().st_size > 5_000
    program = (
        "import hocvuso_cli, hocvuso_client, importlib.metadata as m, sys\n"
        "from packaging.requirements import Requirement\n"
        "for name in ('hocvuso-cli', 'hocvuso-client'):\n"
        "    for text in m.requires(name):\n"
        "        need = Requirement(text)\n"
        "        if need.marker is None or need.marker.evaluate():\n"
        "            assert need.specifier.contains(m.version(need.name)), text\n"
        "assert hocvuso_cli.__file__.startswith(sys.prefix)\n"
        "try:\n    import services\nexcept ImportError:\n    pass\nelse:\n    raise SystemExit(1)\n"
    )
    subprocess.run([str(python), "-c", program], cwd=tmp_path, env=environment, check=True)


def test_the_wheel_of_the_command_holds_its_data_and_no_tests(wheels: Path) -> None:
    import zipfile

    (wheel,) = wheels.glob("hocvuso_cli-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "hocvuso_cli/data/types.json" in names and "hocvuso_cli/data/problems_vi.json" in names
    assert not [name for name in names if "test" in name or name.endswith(".sh")]
