"""Foreign tools in pinned versions, in the user's cache: fetched once, by their ordinary clients."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import platformdirs

from tests.conformance.report import NotHereError

FETCH_S = 600


def _cache(name: str) -> Path:
    return platformdirs.user_cache_path("hocvuso") / "conformance" / name


def fetched(command: list[str], what: str, cwd: Path | None = None) -> None:
    """Run a command that fetches something. Raises NotHereError when it cannot."""
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=FETCH_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"{what} cannot be fetched ({type(error).__name__})") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or [""]
        raise NotHereError(f"{what} cannot be fetched: {last[0][:160]}")


def program(name: str) -> str:
    """The path of a program. Raises NotHereError where it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise NotHereError(f"there is no {name} on this machine")
    return found


def python_tool(package: str, version: str) -> Path:
    """The scripts of a Python package in an environment of its own."""
    home = _cache(f"{package}-{version}")
    scripts = home / ("Scripts" if sys.platform == "win32" else "bin")
    if not (home / ".complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        fetched(
            [str(scripts / "python"), "-m", "pip", "install", "--quiet",
             "--disable-pip-version-check", f"{package}=={version}"],
            f"{package} {version}",
        )  # fmt: skip
        (home / ".complete").touch()
    return scripts


def npm_package(package: str, version: str) -> Path:
    """A directory whose node_modules hold a package of npm."""
    program("node")
    npm = program("npm")
    home = _cache(f"{package.replace('/', '-').lstrip('@')}-{version}")
    if not (home / ".complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        fetched(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(home),
             f"{package}@{version}"],
            f"{package} {version}",
        )  # fmt: skip
        (home / ".complete").touch()
    return home
