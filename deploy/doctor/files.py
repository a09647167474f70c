"""Files of this machine: keys and who may read them, disk space, the newest backup."""

import os
import shutil
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from deploy.doctor.model import Finding, fail, ok, skip, warn
from services.activities.privacy import PseudonymKeyError, read_key
from shared.auth.service import SERVICES, service_key

_LOW_BYTES = 1024**3
_EMPTY_BYTES = 200 * 1024**2
_BACKUP_HOURS = 26

SECRETS = {
    "HOCVUSO_PSEUDONYM_KEY_FILE": "the pseudonym key",
    "HOCVUSO_ADMIN_KEY_FILE": "the administrator's key",
}


def check_files(env: Mapping[str, str]) -> list[Finding]:
    """Keys, disk, backup."""
    found = [_secret(env.get(variable), what) for variable, what in SECRETS.items()]
    folder = env.get("HOCVUSO_SERVICE_KEY_FOLDER")
    found += [
        _secret(folder and str(service_key(Path(folder), service)), f"the key of {service}")
        for service in SERVICES
    ]
    key = env.get("HOCVUSO_PSEUDONYM_KEY_FILE")
    if key and Path(key).exists():
        try:
            read_key(Path(key))
        except PseudonymKeyError as error:
            found.append(fail("the pseudonym key", str(error), "restore the original file"))
    home = env.get("HOCVUSO_HOME")
    if home:
        found.append(_disk("disk of the home", Path(home)))
    backups = env.get("HOCVUSO_BACKUP_DIR") or (f"{home}/backups" if home else None)
    found.append(_backup(Path(backups)) if backups else skip("backup", "no directory is named"))
    return found


def _secret(name: str | None, what: str) -> Finding:
    if not name:
        return skip(what, "no file is named to this command")
    path = Path(name)
    if not path.exists():
        return fail(
            what,
            f"{path} does not exist",
            "restore it from its backup; without the pseudonym key nobody can be counted, the"
            " other keys are made anew by `hocvuso migrate`",
        )
    if not os.access(path, os.R_OK):
        return skip(what, f"{path} cannot be read by this user")
    open_to = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    # A directory that only its owner may enter protects what lies in it (containers' secrets).
    shut = not path.parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    if open_to and not shut:
        return fail(
            what, f"others may read {path} (mode {path.stat().st_mode & 0o777:o})",
            f"chmod 600 {path}; if anybody else had access, make a new key where that is possible",
        )  # fmt: skip
    return ok(what, f"{path} is there, and only for its owner")


def _disk(part: str, path: Path) -> Finding:
    if not path.exists():
        return fail(part, f"{path} does not exist", "name the home in HOCVUSO_HOME")
    usage = shutil.disk_usage(path)
    said = f"{usage.free // 1024**2} MB of {usage.total // 1024**2} MB are free at {path}"
    fix = "make room: PostgreSQL stops when the disk is full (old files in logs/ and backups first)"
    if usage.free < _EMPTY_BYTES:
        return fail(part, said, fix)
    return warn(part, said, fix) if usage.free < _LOW_BYTES else ok(part, said)


def _backup(folder: Path) -> Finding:
    made = sorted(folder.glob("*/hocvuso.dump")) if folder.exists() else []
    if not made:
        return warn(
            "backup", f"none in {folder}",
            "`hocvuso backup DIR`, daily; keep the pseudonym key apart; HOCVUSO_BACKUP_DIR names"
            " the directory to this command",
        )  # fmt: skip
    hours = (time.time() - max(path.stat().st_mtime for path in made)) / 3600
    said = f"the newest in {folder} is {hours:.0f} hours old"
    if hours > _BACKUP_HOURS:
        return warn("backup", said, "look why the daily backup was not made, then make one")
    return ok("backup", said)
