"""The containers' first backup waits until there is something to save, and until it stands still."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.serving import ROOT

PSQL = """#!/bin/sh
case "$*" in
    *"SELECT position"*)
        n=$(cat "$COUNTS/asked" 2> /dev/null || echo 0)
        echo $((n + 1)) > "$COUNTS/asked"
        sed -n "$((n + 1))p" "$COUNTS/positions" | grep . || tail -1 "$COUNTS/positions" ;;
    *) printf '{"position": %s, "sha256": "@SHA256@"}\\n' "$(tail -1 "$COUNTS/positions")" ;;
esac
"""
PG_DUMP = """#!/bin/sh
for a in "$@"; do case "$a" in --file=*) echo dump > "${a#--file=}" ;; esac; done
"""


@pytest.mark.parametrize(("positions", "asked"), [("0 0 5 900 10600 10600", 6), ("10600 10600", 2)])
def test_the_first_backup_is_of_a_loaded_log(tmp_path: Path, positions: str, asked: int) -> None:
    programs, into = tmp_path / "bin", tmp_path / "backups"
    programs.mkdir()
    for name, text in (("psql", PSQL), ("pg_dump", PG_DUMP)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (tmp_path / "positions").write_text(positions.replace(" ", "\n") + "\n")
    job = subprocess.Popen(
        ["sh", str(ROOT / "deploy/docker/backup.sh"), "daily"], stdout=subprocess.DEVNULL,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "COUNTS": str(tmp_path),
             "BACKUP_DIR": str(into), "BACKUP_SETTLE_SECONDS": "0"},
        start_new_session=True,
    )  # fmt: skip
    try:
        while not list(into.glob("*/manifest.json")):
            assert job.poll() is None
            time.sleep(0.05)
    finally:
        os.killpg(job.pid, 9)
        job.wait()
    (manifest,) = into.glob("*/manifest.json")
    assert json.loads(manifest.read_text())["position"] == 10600
    assert int((tmp_path / "asked").read_text()) == asked, "no longer than it needs to"
