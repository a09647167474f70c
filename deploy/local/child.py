"""Run as a script: ties the new process to its supervisor, gives up root, becomes the program.

It is a wrapper that execs, not a `preexec_fn`: Python code between fork and exec can deadlock in
a threaded supervisor. It uses the standard library only and no module of ours, because it runs
with `-I -S` to start within some 20 ms.

Its first argument is a JSON object, `{"parent": PID, "signal": N, "run_as": null | [KIND, UID,
GID]}`; the rest is the command. Without a command it exits with 0 after everything has worked,
which is how the supervisor probes what this machine permits.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CLONE_NEWUSER = 0x10000000
_CAP_DAC_OVERRIDE = 1
_LINUX_CAPABILITY_VERSION_3 = 0x20080522


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def enter_namespace(uid: int, gid: int) -> None:
    """Appear as `uid` without changing it: the files stay root's, no account or chown is needed.

    PostgreSQL only refuses an effective user id of 0. In a user namespace of its own the same
    user has another number, and loses every capability at the exec that follows.
    """
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _check(_libc().unshare(_CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {outer_uid} 1")
    _write("/proc/self/gid_map", f"{gid} {outer_gid} 1")


def become_account(uid: int, gid: int) -> None:
    """Become another account that may still enter the directories of root.

    Where user namespaces are forbidden (many containers). One ambient capability is kept, since
    home and installation often lie below directories that only root may enter.
    """
    libc = _libc()
    keeps = sys.platform == "linux" and libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if not keeps:
        return
    header = (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    bit = 1 << _CAP_DAC_OVERRIDE
    # Two sets of (effective, permitted, inheritable), for capabilities 0-31 and 32-63.
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref(sets)) == 0:
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Have the kernel signal this process when its supervisor dies, even by kill -9.

    Must come after every change of user, each of which clears the setting.
    """
    if sys.platform == "linux":
        _check(_libc().prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl(PDEATHSIG)")
    if os.getppid() != parent:  # it died before the setting took effect
        raise SystemExit(1)


def main(arguments: list[str]) -> None:
    """Apply the options, then become the command."""
    options = json.loads(arguments[0])
    command = arguments[1:]
    try:
        if options["run_as"] is not None:
            kind, uid, gid = options["run_as"]
            (enter_namespace if kind == "namespace" else become_account)(uid, gid)
        die_with_parent(options["parent"], options["signal"])
        if command:
            os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"cannot start {command[:1]}: {error}\n")
        raise SystemExit(127) from error


if __name__ == "__main__":
    main(sys.argv[1:])
