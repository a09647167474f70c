"""Vietnamese, unless the sender asks for English: `--lang en`, or HOCVUSO_LANG=en."""

import os
from enum import StrEnum
from typing import Annotated

import typer


class Language(StrEnum):
    """The languages of messages."""

    VI = "vi"
    EN = "en"


_chosen: list[Language] = []


def _choose(given: Language | None) -> Language | None:
    if given is not None:
        choose(given)
    return given


Lang = Annotated[
    Language | None,
    typer.Option("--lang", help="language of messages: vi (default) or en", callback=_choose),
]


def choose(language: Language) -> None:
    """Speak this language from now on."""
    _chosen[:] = [language]


def chosen() -> Language:
    """What was chosen last, else what the environment says, else Vietnamese."""
    if _chosen:
        return _chosen[0]
    return Language.EN if os.environ.get("HOCVUSO_LANG", "").lower() == "en" else Language.VI


def say(*, vi: str, en: str) -> str:
    """The text in the language of this run."""
    return en if chosen() is Language.EN else vi
