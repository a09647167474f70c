"""The message catalogues of the pages: `python -m deploy.messages` brings them up to date.

Messages are the Vietnamese sentences of templates and code. What is new gets an empty place in each
catalogue for its translator; what is no longer said goes.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from services.registry.documents import docx_template
from services.registry.tasks import words as task_words
from services.registry.web import language, words

WEB = Path(language.__file__).parent
OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
NAMES: Iterable[object] = (
    words.STATUS, words.FLAGS, words.LEVEL, words.REPORT, words.STATE, words.SCHEME,
    words.REASON, words.STAFF_ROLE, words.INVITATION, words.STAGE, words.NOT_COUNTED, words.PERIOD,
    words.HOW, words.WHAT,
    task_words.TASK, task_words.STATUS, task_words.LENGTH, docx_template.FIELDS,
)  # fmt: skip
"""Words of values: they are shown through the filter `said`."""


def messages() -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """File, line and message of everything that pages say."""
    for file in sorted(WEB.rglob("*.html")):
        yield from _of_file("jinja2.ext:babel_extract", file)
    for file in sorted(WEB.rglob("*.py")):
        yield from _of_file("python", file)
    for table in NAMES:
        assert isinstance(table, dict)  # noqa: S101 - a list of tables of this repository
        for value in table.values():
            yield "words", 0, value if isinstance(value, str) else value[1]


def _of_file(method: str, file: Path) -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    found = extract_from_file(method, str(file), KEYWORDS, options=OPTIONS)
    for line, message, _, _ in found:
        yield file.relative_to(WEB).as_posix(), line, message


def template() -> Catalog:
    """A catalogue without translations."""
    catalogue = Catalog(domain=language.DOMAIN)
    for file, _, message in messages():
        catalogue.add(message, locations=[(file, None)])  # type: ignore[list-item]
    return catalogue


def updated(name: str) -> bytes:
    """The file of a language as it should be."""
    file = language.catalogue_file(name)
    known = Catalog(locale=name, domain=language.DOMAIN)
    if file.exists():
        with file.open("rb") as text:
            known = read_po(text, locale=name, domain=language.DOMAIN)
    known.update(template(), no_fuzzy_matching=True, keep_user_comments=False)
    known.obsolete.clear()
    out = BytesIO()
    write_po(out, known, omit_header=True, sort_output=True, ignore_obsolete=True, width=100)
    return out.getvalue()


def main() -> None:
    """Write the catalogue of every language but the source's."""
    for name in language.LANGUAGES:
        if name != language.SOURCE:
            language.catalogue_file(name).write_bytes(updated(name))


if __name__ == "__main__":
    main()
