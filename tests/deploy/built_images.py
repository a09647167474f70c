"""`make images`: builds the images of docker-compose.yml and looks into each.

By buildah or docker, whichever there is. HOCVUSO_PYTHON_IMAGE names another base than the
Dockerfile's where that cannot be fetched (any Debian with Python 3.11 and pip). Each image must run as
10001, write nowhere in /app, hold its own service only, and import it; `tools` holds the programs of
restore. The exit code is 1 when one does not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("activities", "metrics", "registry")
LOOK = """
import importlib, os, shutil
assert os.getuid() == 10001, os.getuid()
assert not os.access("/app", os.W_OK), "/app can be written"
assert not any(n.endswith(("_password", "_key")) for _, _, names in os.walk("/app") for n in names)
here = {n for n in os.listdir("/app/services") if not n.startswith("__")}
assert here == set(WANTED), here
for name in WANTED:
    importlib.import_module(f"services.{name}.app")
assert all(map(shutil.which, PROGRAMS)), PROGRAMS
print("whole")
"""


def main() -> int:
    """Build and look."""
    builder = shutil.which("buildah") or shutil.which("docker")
    if builder is None:
        print("there is neither buildah nor docker on this machine: nothing was built")
        return 1
    failed = 0
    for target in (*SERVICES, "tools"):
        said = _build(builder, target) or _look(builder, target)
        failed += said is not None
        print(f"{target}: {'built, whole' if said is None else said}", flush=True)
    return 1 if failed else 0


def _build(builder: str, target: str) -> str | None:
    buildah = builder.endswith("buildah")
    base = os.environ.get("HOCVUSO_PYTHON_IMAGE")
    command = [
        builder, *(["bud", "--layers", "--isolation", "chroot"] if buildah else ["build"]),
        "--network", "host", *(["--build-arg", f"PYTHON_IMAGE={base}"] if base else []),
        "-f", "deploy/docker/Dockerfile", "--target", target, "-t", _name(target), ".",
    ]  # fmt: skip
    return _failed(command, "cannot be built")


def _look(builder: str, target: str) -> str | None:
    wanted = SERVICES if target == "tools" else (target,)
    programs = ("pg_dump", "pg_restore", "psql") if target == "tools" else ("uvicorn",)
    python = ["python", "-c", f"WANTED = {wanted}\nPROGRAMS = {programs}\n{LOOK}"]
    if not builder.endswith("buildah"):
        return _failed([builder, "run", "--rm", _name(target), *python], "is not whole")
    made = subprocess.run(
        [builder, "from", "--pull-never", _name(target)], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        entry = ["python", "-m", "deploy.docker.entrypoint", *python]
        return _failed(
            [builder, "run", "--isolation", "chroot", made, "--", *entry], "is not whole"
        )
    finally:
        subprocess.run([builder, "rm", made], capture_output=True, check=False)


def _name(target: str) -> str:
    return f"localhost/hocvuso-{target}"


def _failed(command: list[str], what: str) -> str | None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{what}:\n{(done.stdout + done.stderr)[-1500:]}"


if __name__ == "__main__":
    sys.exit(main())
