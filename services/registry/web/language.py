"""The language of a page: Vietnamese as it is written, others by message catalogues (gettext).

The messages are the Vietnamese sentences themselves. `locale/LANGUAGE/LC_MESSAGES/pages.po` holds
each other language; it is compiled when it is first read, so there is no build step to forget.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from services.registry.web import words

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "pages"
SOURCE = "vi"
LANGUAGES: Mapping[str, str] = {"vi": "Tiếng Việt", "en": "English"}
"""Language -> what it calls itself."""
COOKIE = "hocvuso_language"

language: ContextVar[str] = ContextVar("language", default=SOURCE)
"""Of the page that is being made."""


def catalogue_file(name: str) -> Path:
    """Where a language has its messages."""
    return LOCALE / name / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def _translations(name: str) -> Translations:
    with catalogue_file(name).open("rb") as file:
        catalogue = read_po(file, locale=name, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain=DOMAIN)


def known(name: str | None) -> str:
    """A language that there is; Vietnamese for any other text."""
    return name if name is not None and name in LANGUAGES else SOURCE


def gettext(message: str) -> str:
    """The message in the language of the page; the Vietnamese one where the catalogue has none."""
    name = language.get()
    if name == SOURCE or not message:
        return message
    return str(_translations(name).gettext(message))


def ngettext(singular: str, plural: str, n: int) -> str:
    """The same for a number of things. Vietnamese has one form, so both messages are alike."""
    name = language.get()
    if name == SOURCE:
        return singular
    return str(_translations(name).ngettext(singular, plural, n))


def title(entry: object) -> str:
    """The name that a contract gives a type or field: contracts are written in both languages."""
    name = "title_vi" if language.get() == SOURCE else "title"
    return str(getattr(entry, name))


def number(value: float | int | None) -> str:
    """`1.234` and `8,5` in Vietnamese, `1,234` and `8.5` in English."""
    text = words.number(value)
    if language.get() == SOURCE:
        return text
    return text.translate(str.maketrans(".,", ",."))


def percent(ratio: float | None) -> str:
    """As `words.percent`, with the decimal sign of the language."""
    text = words.percent(ratio)
    return text if language.get() == SOURCE else text.replace(",", ".")


def period(name: str) -> str:
    """As `words.period`, in the language of the page."""
    return words.period(name, gettext)


def N_(message: str) -> str:
    """Marks a message that is translated where it is shown."""
    return message
