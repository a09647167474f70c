"""Every form of the pages, whatever it is for: nothing typed is lost when the session has ended or the key
must be shown again, and no text that people paste breaks a page or stays without a word."""

import html
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from services.registry.web.signing_in import router as signing_in
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.hamlets import OURS
from tests.registry.routes import walk
from tests.registry.week_answers import metrics as week_metrics

SOURCE = "https://hocvuso.example/forms"
VALUES = {
    "plan": "dak-lak-2026", "code": "24133", "obligation": "final-report-2026", "period": "once",
    "type": "class.held", "id": "00000001", "task": "t-10-closing-commune",
}  # fmt: skip
QUERY = {"/plans/{plan}/tasks/{task}": "body=24133%402025"}
PAGES = {"/week/nil": "/week"}
"""Where a form stands that is sent to another address."""
NO_TEXT = {"/devices/end", "/devices/{id}/end", "/staff/{id}/revoke"}
"""Buttons alone."""
FILES = {
    "/units/import", "/plans/{plan}/populations", "/plans/{plan}/template",
    "/plans/{plan}/documents/{obligation}/{period}/signed",
}  # fmt: skip
PASTED = "“Báo cáo”\u00a0–\u2028• một…\u00ad\ufeff"
TEXTS = {
    "long": "Học vụ số. " * 1_000,
    "word": PASTED,
    "emoji": "👩🏽‍🏫🇻🇳 lớp học 🙂",
    "script": "<script>alert(1)</script>\"><img src=x onerror=alert(1)>",
    "spaces": "\t \u3000",
}  # fmt: skip


def forms(registry: Running) -> Iterator[str]:
    """Paths that a form of a page is posted to, those of signing in apart."""
    free = {route.path for route in walk(signing_in.routes)}
    for route in walk(registry.app.router.routes):
        path = getattr(route, "path", "")
        posted = "POST" in (getattr(route, "methods", None) or ())
        if posted and not path.startswith("/v1/") and path not in free:
            yield path


def address(path: str) -> str:
    query = QUERY.get(path)
    return path.format(**VALUES) + (f"?{query}" if query else "")


@pytest.fixture
async def typist(registry: Running) -> AsyncIterator[Running]:
    """Whoever may do everything, with an event of their own."""
    rights = dict(registry.activities.keys[fakes.KEY])
    session = rights | {"kind": "session", "subtree": "24133@2025", "recent": True}
    registry.activities.keys["hvs_forms_forms"] = session
    registry.client.cookies.set("hocvuso_session", "hvs_forms_forms")
    id = f"form-{uuid.uuid4()}"
    event = {
        "specversion": "1.0", "id": id, "source": SOURCE, "subject": "24133@2025",
        "type": "vn.hocvuso.class.held", "time": "2026-11-10T00:00:00+07:00",
        "data": {"participants": 9},
    }  # fmt: skip
    registry.activities.positions[SOURCE, id] = registry.activities.append(event)
    registry.activities.writers[SOURCE, id] = rights["name"]
    for path in ("/own/edit", "/own/cancel"):
        QUERY[path] = f"source={SOURCE}&id={id}"
    registry.metrics["answer"] = week_metrics
    yield registry
    registry.activities.refuse = None
    registry.metrics["answer"] = fakes.no_metrics
    registry.client.cookies.clear()


async def send(registry: Running, path: str, fields: list[tuple[str, str]]) -> httpx.Response:
    if path in FILES:
        parts: Any = [(n, (None, v.encode())) for n, v in fields if n != "file"]
        parts += [("file", ("bảng.xlsx", b"PK\x03\x04 not a workbook"))]
        headers = {"Sec-Fetch-Site": "same-origin"}
        return await registry.client.post(address(path), files=parts, headers=headers)
    return await registry.client.post(address(path), content=urlencode(fields), headers=OURS)


async def test_nothing_typed_is_lost_when_a_session_ends_in_any_form(typist: Running) -> None:
    typed = [("note", "Học\nvụ <số>"), ("units", "a"), ("units", "b"), ("data.note", "🙂")]
    seen = set()
    for path in forms(typist):
        typist.client.cookies.set("hocvuso_session", "hvs_00000000_gone")
        answer = await send(typist, path, [] if path in NO_TEXT else typed)
        if path in NO_TEXT:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/login?next="), path
            continue
        seen.add(path)
        assert answer.status_code == 401, (path, answer.status_code)
        assert f'action="{html.escape(address(path))}"' in answer.text, path
        kept = re.findall(r'<textarea name="([^"]+)" hidden>\n([^<]*)</textarea>', answer.text)
        said = [(name, html.unescape(value)) for name, value in kept if name != "file-packed"]
        assert said == typed, path
        assert ("file-packed" in dict(kept)) == (path in FILES), path
        typist.client.cookies.set("hocvuso_session", "hvs_forms_forms")
        again = await send(typist, path, said)
        assert again.status_code not in (401, 500), path
    assert FILES | {"/enter/{type}", "/own/edit", "/plans/{plan}/week", "/staff"} <= seen


async def test_nor_when_the_key_must_be_shown_again(typist: Running) -> None:
    """Whatever activities asks a confirmation for, from any form."""
    typist.activities.refuse = {"code": "confirmation-required", "detail": "no", "status": 403}
    asked = {
        "/enter/{type}": [("id", str(uuid.uuid4())), ("unit", "24133"), ("when", "today"), ("data.participants", "9")],
        "/own/cancel": [("reason", "nhầm")],
        "/plans/{plan}/week": [("act", "decide"), ("id", "x"), ("units", "24121@2025"), ("ready", "help")],
        "/units/{code}/hamlets": [("what", "list"), ("names", "Buôn Mới Alpha\nBuôn Mới Beta"), ("on", "2026-11-20"), ("complete", "no"), ("write", "1")],
        "/units/{code}/changes": [("what", "rename"), ("name", "Phường Mới"), ("kind", "ward"), ("on", "2026-11-20"), ("write", "1")],
        "/plans/{plan}/tasks/{task}": [("after", "0"), ("status", "in_progress"), ("done", "một")],
        "/plans/{plan}/reports/{obligation}/{period}": [("unit", "24133"), ("number", "12/BC")],
        "/week/nil": [("now", "class.held")],
    }  # fmt: skip
    for path, fields in asked.items():
        answer = await send(typist, path, fields)
        assert answer.status_code == 403, (path, answer.status_code, answer.text[-900:])
        assert "/confirm?next=" in answer.text and "Gửi lại" in answer.text, path
        for name, value in fields:
            assert f'name="{name}" hidden>\n{value}</textarea>' in answer.text, (path, name)


class Fields(HTMLParser):
    """The forms of a page: address, and name and kind of every field that text is typed into."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, list[str]], set[str]]] = []
        self._form: tuple[str, dict[str, list[str]], set[str]] | None = None
        self._select: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        if tag == "form" and about.get("method") == "post":
            self._form = (about.get("action", ""), {}, set())
            self.found.append(self._form)
        if self._form is None or (not (name := about.get("name", "")) and tag != "option"):
            return
        kind = about.get("type", "text")
        values = self._form[1]
        if tag == "textarea" or (tag == "input" and kind in ("text", "date", "number")):
            values[name] = [about.get("value", "")]
            if tag == "textarea" or kind == "text":
                self._form[2].add(name)
        elif tag == "input" and kind in ("hidden", "radio", "checkbox"):
            if kind == "hidden" or "checked" in about or (kind == "radio" and name not in values):
                values[name] = [about.get("value", "")]
        elif tag == "button" and name:
            values.setdefault(name, [about.get("value", "")])
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and about.get("value"):
            first = self._select not in values
            values[self._select] = (
                [about["value"]] if first or "selected" in about else values[self._select]
            )

    def handle_endtag(self, tag: str) -> None:
        self._form = None if tag == "form" else self._form
        self._select = None if tag == "select" else self._select


async def test_no_pasted_text_breaks_a_form_or_stays_without_a_word(typist: Running) -> None:
    """Each text field of each form gets each text: it is taken, or a word stands beside it or at the top
    of the page; what was typed stays, as text."""
    wrong, tried = [], set()
    for path in forms(typist):
        if path in NO_TEXT | FILES | {"/own/cancel"}:
            continue
        page = await typist.client.get(address(PAGES.get(path, path)))
        assert page.status_code == 200, (path, page.status_code)
        here = address(path).partition("?")[0]
        for action, values, texts in Fields(page.text).found:
            if html.unescape(action).partition("?")[0] not in ("", here):
                continue
            sentences = sorted(name for name in texts if name.startswith("s."))
            for name in texts - set(sentences[1:]):  # one sentence of a report stands for all
                for kind, text in TEXTS.items():
                    tried.add((path, name))
                    sent = [(n, v) for n, one in values.items() if n != name for v in one]
                    answer = await send(typist, path, [*sent, (name, text)])
                    place = f"{path} {name} {kind}: {answer.status_code}"
                    if answer.status_code >= 500 or "<script>alert" in answer.text:
                        wrong.append(place)
                    elif "<img src=x" in answer.text:
                        wrong.append(f"{place}: not escaped")
                    elif answer.status_code >= 400 and 'role="alert"' not in answer.text:
                        wrong.append(f"{place}: no word")
                    elif answer.status_code >= 400 and kind == "emoji" and text not in html.unescape(answer.text):  # fmt: skip
                        wrong.append(f"{place}: lost")
                    elif kind == "long" and answer.status_code == 303 and name != "reason":
                        wrong.append(f"{place}: taken")
    assert not wrong, "\n".join(wrong)
    assert len(tried) > 20, tried


async def test_a_unit_that_was_merged_while_the_page_was_open(typist: Running) -> None:
    """The old commune is named with the one that took it in, beside the field, and nothing is posted."""
    tree = typist.app.state.registry.tree
    today = typist.app.state.registry.clock.today()
    gone = next(u for u in tree.units() if u.valid_to and u.valid_to <= today and u.successors)
    heir = tree.unit(gone.successors[0].unit_id)
    before = len(typist.activities.posted)
    fields = [("id", str(uuid.uuid4())), ("unit", gone.unit_id), ("when", "today"), ("data.participants", "7")]  # fmt: skip
    answer = await send(typist, "/enter/{type}", fields)
    assert answer.status_code == 422 and len(typist.activities.posted) == before
    text = html.unescape(answer.text)
    assert "đã nhập vào" in text and heir.name(today) in text and 'value="7"' in text


async def test_a_week_that_another_officer_closed_keeps_the_words_of_a_decision(
    typist: Running,
) -> None:
    path, before = "/plans/{plan}/week", len(typist.activities.posted)
    closed = await send(typist, path, [("act", "close"), ("week", "2026-11-02")])
    assert closed.status_code == 303, closed.text
    late = [("act", "decide"), ("week", "2026-11-02"), ("id", "l"), ("units", "24121@2025"), ("ready", "other"), ("text", "Cử ba đội")]  # fmt: skip
    answer = await send(typist, path, late)
    assert answer.status_code == 422 and len(typist.activities.posted) == before + 1
    assert "vừa kết thúc rà soát" in answer.text and "Cử ba đội" in answer.text
