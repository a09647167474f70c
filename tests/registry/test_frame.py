"""The frame of all pages: navigation by role, two languages, what travels and how much of it."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from deploy import messages
from services.registry.web import language
from services.registry.web.assets import STATIC
from tests.registry.conftest import Running
from tests.registry.frame import readers as readers

WEB = Path(language.__file__).parent
TEMPLATES = WEB / "templates"
ONLY_VIETNAMESE = {
    "completeness", "hamlets", "populations",
    "unit", "unit_about", "unit_changes", "unit_import",
}  # fmt: skip
"""Templates whose sentences are not in the catalogue yet. Nothing may be added here."""
BROWSER = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


async def links(readers: Running, session: str | None) -> list[str]:
    readers.client.cookies.clear()
    if session:
        readers.client.cookies.set("hocvuso_session", session)
    text = (await readers.client.get("/units" if session else "/login", headers=BROWSER)).text
    header = text[text.index("<header") : text.index("</header>")]
    return re.findall(r'<a href="([^"]+)"', header)


async def test_everybody_sees_their_own_pages(readers: Running) -> None:
    chair = await links(readers, "hvs_chair_x")
    assert "/enter" in chair and "/plans/dak-lak-2026/units/24133%402025" in chair
    assert "/plans/dak-lak-2026/calendar?unit=24133%402025" in chair and "/staff" in chair
    province = await links(readers, "hvs_province_x")
    assert "/plans/dak-lak-2026/cold-spots" in province and "/staff" not in province
    reader = await links(readers, "hvs_reader_x")
    assert "/enter" not in reader and "/devices" in reader
    assert await links(readers, None) == []


def test_every_sentence_of_a_page_is_in_the_catalogue() -> None:
    """Whatever letters stand between tags go through gettext, and so do labels."""
    wrong = {}
    for file in sorted(TEMPLATES.rglob("*.html")):
        if file.stem in ONLY_VIETNAMESE:
            continue
        text = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.S)
        text = re.sub(r"\{% trans\b.*?%\}.*?\{% endtrans %\}", "", text, flags=re.S)
        # What is left to translate by hand: the Vietnamese branch of an `if` on the language.
        text = re.sub(r'\{% if frame.language == "vi" %\}.*?\{% else %\}', "", text, flags=re.S)
        text = re.sub(r"<code>[^<]*</code>|<code class[^>]*>[^<]*</code>", "", text)
        bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.S)
        bare = re.sub(r'<span lang="vi">[^<]*</span>', "><", bare)
        said = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*[^\W\d_][^"]*)"', bare)
        bare = re.sub(r'[\w-]+="[^"]*"', "", bare)
        said += re.findall(r">([^<>]*[^\W\d_][^<>]*)<", bare)
        said = [one for one in said if one.strip() != "hvi_…"]
        if said:
            wrong[file.name] = said
    assert not wrong


@pytest.mark.parametrize("name", [n for n in language.LANGUAGES if n != language.SOURCE])
def test_no_sentence_lacks_its_translation(name: str) -> None:
    file = language.catalogue_file(name)
    assert file.read_bytes() == messages.updated(name), "run make generate"
    text = file.read_text("utf-8")
    assert not re.findall(r'msgstr(?:\[\d\])? ""\n\n', text + "\n"), "a sentence has no translation"
    holes = re.compile(r"%\(\w+\)s")
    for message in messages.template():
        if isinstance(message.id, str) and message.id:
            told = language._translations(name).gettext(message.id)
            assert sorted(holes.findall(told)) == sorted(holes.findall(message.id)), message.id


async def test_a_reader_chooses_the_language(registry: Running) -> None:
    client = registry.client
    form = {"language": "en", "next": "/plans?x=1"}
    try:
        answer = await client.post("/language", data=form, headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, "/plans?x=1")
        text = (await client.get("/plans", headers=BROWSER)).text
        assert '<html lang="en">' in text and "Choose a plan" in text
        assert "Chọn một kế hoạch" not in text
        problem = (await client.get("/plans/none", headers=BROWSER)).text
        assert "No plan has this id." in problem
        elsewhere = {"language": "xx", "next": "//evil.example"}
        answer = await client.post("/language", data=elsewhere, headers=BROWSER)
        assert answer.headers["location"] == "/"
        assert '<html lang="vi">' in (await client.get("/plans", headers=BROWSER)).text
    finally:
        client.cookies.clear()


async def test_pages_travel_compressed_and_only_once(registry: Running) -> None:
    address = "/plans/dak-lak-2026"
    first = await registry.client.get(address, headers=BROWSER | {"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["etag"].startswith('W/"') and "Cookie" in first.headers["vary"]
    known = BROWSER | {"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]}
    again = await registry.client.get(address, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    plain = await registry.client.get(address, headers=BROWSER | {"Accept-Encoding": "identity"})
    assert plain.text == first.text and "content-encoding" not in plain.headers
    program = await registry.client.get(f"/v1{address}/table", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in program.headers


async def test_styles_and_fonts_are_kept_for_ever(registry: Running) -> None:
    text = (await registry.client.get("/plans")).text
    styles = re.findall(r'href="(/static/hocvuso.css\?v=\w+)"', text)
    answer = await registry.client.get(styles[0])
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in (await registry.client.get("/static/hocvuso.css")).headers.get(
        "cache-control", ""
    )
    assert len(gzip.compress((STATIC / "hocvuso.css").read_bytes())) < 10_000
    fonts = set(re.findall(r"url\(([^)]+)\)", answer.text))
    assert fonts == set(json.loads((STATIC / "vendored.json").read_text())["files"])


def test_vendored_files_are_those_that_are_locked() -> None:
    lock = json.loads((STATIC / "vendored.json").read_text("utf-8"))
    size = 0
    for name, digest in lock["files"].items():
        content = (STATIC / name).read_bytes()
        size += len(content)
        assert hashlib.sha256(content).hexdigest() == digest, name
    assert size < 60_000
    assert "SIL Open Font License" in (STATIC / "fonts" / "LICENSE.txt").read_text("utf-8")


async def test_a_stranger_is_shown_the_way_in(registry: Running) -> None:
    registry.app.state.registry.settings.registry_open = False
    try:
        answer: httpx.Response = await registry.client.get("/plans", headers=BROWSER)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/plans")
    finally:
        registry.app.state.registry.settings.registry_open = True
