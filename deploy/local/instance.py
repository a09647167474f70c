"""What is decided once, when an instance is created: its pseudonym key, and whether it is a
sandbox."""

from __future__ import annotations

import json
import secrets

from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.secrets import write_secret
from deploy.local.state_files import read_object, write_whole


def open_instance(home: Home, *, sandbox: bool, own_key: bool, restoring: bool = False) -> bool:
    """Create the instance or check that it is the one asked for; return whether it is a sandbox.

    With `own_key` the pseudonym key lies in the home; it is made only together with the
    instance, since with another key every person would count again.
    """
    if home.restoring.exists() and not restoring:
        raise StackError(
            "a restore into this home was begun and never finished: it holds part of a backup, or"
            " nothing",
            where=str(home.path),
            fix="run the same `hocvuso restore DIR` again: it throws away what is there and begins"
            " anew; or start in another HOCVUSO_HOME",
        )
    created = home.instance.exists()
    holds_data = created or (home.postgres / "PG_VERSION").exists()
    if own_key and not home.pseudonym_key.exists():
        if holds_data:
            raise StackError(
                "the pseudonym key is missing, but this instance already holds data; a new key "
                "would count every person a second time, so none is made",
                where=str(home.pseudonym_key),
                fix="restore the file from the backup of the key",
            )
        write_secret(home.pseudonym_key, secrets.token_hex(32))
    if not created:
        # Data without instance.json can only be an instance that was never declared a sandbox.
        is_sandbox = sandbox and not holds_data
        write_whole(home.instance, json.dumps({"sandbox": is_sandbox}) + "\n")
    is_sandbox = _read_sandbox(home)
    if sandbox and not is_sandbox:
        raise StackError(
            "this instance was not created as a sandbox and cannot become one: simulated events "
            "would mix with real ones",
            where=str(home.path),
            fix="start it without --sandbox, or create a sandbox in another HOCVUSO_HOME",
        )
    return is_sandbox


def _read_sandbox(home: Home) -> bool:
    try:
        sandbox = read_object(home.instance)["sandbox"]
        if not isinstance(sandbox, bool):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(
            "the description of the instance cannot be read",
            where=str(home.instance),
            fix='restore it; a real instance reads {"sandbox": false}',
        ) from error
    return sandbox
