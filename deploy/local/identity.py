"""Chooses the user PostgreSQL runs as, since it refuses to run as root."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.spawn import RunAs, run

_ACCOUNTS = ("hocvuso", "postgres", "daemon", "nobody")


def for_data_in(directory: Path) -> RunAs | None:
    """Return how to run a program that owns `directory` and must not be root.

    For an ordinary user: as that user. For root, in this order: as the owner of existing data;
    as a number in a user namespace (nothing on the machine is changed); as an existing account
    without a login (the data is given to it).
    """
    if os.geteuid() != 0:
        return None
    if directory.exists() and (owner := directory.stat()).st_uid != 0:
        return RunAs("account", owner.st_uid, owner.st_gid)
    account = _unprivileged_account()
    namespace = RunAs("namespace", account.pw_uid, account.pw_gid)
    if run([], run_as=namespace).returncode == 0:
        return namespace
    return RunAs("account", account.pw_uid, account.pw_gid)


def give(path: Path, to: RunAs | None) -> None:
    """Give one file or directory to the account that has to own it."""
    if to is not None and to.kind == "account":
        os.chown(path, to.uid, to.gid)


def _unprivileged_account() -> pwd.struct_passwd:
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    for account in pwd.getpwall():
        if account.pw_uid != 0:
            return account
    raise StackError(
        "PostgreSQL refuses to run as root and this machine has no other account",
        where="the list of accounts (/etc/passwd)",
        fix="run as an ordinary user, or add an account named hocvuso",
    )
