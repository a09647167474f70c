"""Refuses personal data where none may be: in every text that is kept, whoever typed it."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.identity.leaks import leaks, number_leaks
from shared.problems import Problem


def in_clear(pointer: str | None, what: str = "This text") -> Problem:
    """A number or address of a person outside the fields that become pseudonyms. Echoes nothing."""
    return Problem(
        "personal-data-in-clear",
        f"{what} holds what looks like an identity or phone number or an e-mail address.",
        pointer=pointer,
        hint="Name people only in fields like `person`, which are stored as pseudonyms; use a"
        " running number or a UUID for ids. If it is a running number that only looks like one,"
        " put letters between its digits; if it only looks like an address, write it without @.",
    )


def refuse_in_clear(value: Any, pointer: str = "", *, numbers: bool = False) -> None:
    """Raise Problem at the first text (with `numbers`: or number) of a JSON value that holds one."""
    if isinstance(value, str):
        if leaks(value):
            raise in_clear(pointer)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if leaks(name):
                raise in_clear(pointer, "The name of a member")
            escaped = name.replace("~", "~0").replace("/", "~1")
            refuse_in_clear(item, f"{pointer}/{escaped}", numbers=numbers)
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            refuse_in_clear(item, f"{pointer}/{index}", numbers=numbers)
    elif numbers and number_leaks(value):
        raise in_clear(pointer, "This number")
