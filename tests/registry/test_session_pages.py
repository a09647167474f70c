"""Signing in begins a session; it ends at sign-out, on any device, and asks for the key again before
what is dangerous."""

from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from services.registry.sessions import device_of
from tests.registry import fakes
from tests.registry.conftest import Running

OURS = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; SM-A155F) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/130.0.0.0 Mobile Safari/537.36"
)


@pytest.fixture
def closed(registry: Running) -> Iterator[Running]:
    state = registry.app.state.registry
    state.settings.registry_open = False
    registry.client.cookies.clear()
    yield registry
    state.settings.registry_open = True
    registry.client.cookies.clear()
    registry.activities.sessions.clear()
    registry.activities.keys[fakes.SESSION] = registry.activities.keys[fakes.KEY]


async def send(registry: Running, path: str, **form: str) -> httpx.Response:
    return await registry.client.post(path, content=urlencode(form), headers=OURS)


@pytest.mark.security("V3.3.2", "V3.3.4", "V3.7.2")
async def test_a_key_begins_a_session_and_is_in_no_cookie(closed: Running) -> None:
    closed.client.headers["user-agent"] = PHONE
    answer = await send(closed, "/login", key=fakes.KEY, next="//evil.example")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("hocvuso_session=hvs_") and fakes.KEY not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
        assert part in cookie
    assert "Secure" not in cookie  # plain http: the pilot on the loopback address
    page = await closed.client.get("/devices")
    assert "Chrome, Android" in page.text and "Thiết bị này" in page.text
    assert (await closed.client.get("/")).status_code == 200


@pytest.mark.security("V3.3.1", "V3.3.3")
async def test_over_tls_the_cookie_belongs_to_this_host_only(closed: Running) -> None:
    body = urlencode({"key": fakes.KEY})
    answer = await closed.client.post("https://registry/login", content=body, headers=OURS)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hocvuso_session=hvs_") and "Secure" in cookie
    closed.client.cookies.clear()
    planted = {"Cookie": f"hocvuso_session={fakes.SESSION}"}
    answer = await closed.client.get("https://registry/devices", headers=planted)
    assert answer.status_code == 303, "set by another host of the domain"


@pytest.mark.security("V7.4.1", "V7.4.4", "V14.3.1")
async def test_signing_out_ends_the_session_for_whoever_holds_it(closed: Running) -> None:
    await send(closed, "/login", key=fakes.KEY)
    stolen = dict(closed.client.cookies)
    answer = await send(closed, "/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    closed.client.cookies.clear()
    for name, value in stolen.items():
        closed.client.cookies.set(name, value)
    assert (await closed.client.get("/")).status_code == 303
    assert closed.activities.sessions == []


async def test_signing_in_again_ends_the_former_session(closed: Running) -> None:
    await send(closed, "/login", key=fakes.KEY)
    (first,) = closed.activities.sessions
    await send(closed, "/login", key=fakes.KEY)
    (second,) = closed.activities.sessions
    assert first["text"] != second["text"] and first["text"] not in closed.activities.keys


@pytest.mark.security("V7.5.2", "V7.4.3")
async def test_devices_are_signed_out_one_by_one_or_all(closed: Running) -> None:
    await send(closed, "/login", key=fakes.KEY)
    closed.client.cookies.clear()
    await send(closed, "/login", key=fakes.KEY)
    other, mine = closed.activities.sessions
    answer = await send(closed, f"/devices/{other['id']}/end")
    assert (answer.status_code, answer.headers["location"]) == (303, "/devices")
    assert closed.activities.sessions == [mine]
    answer = await send(closed, "/devices/end")
    assert (answer.headers["location"], closed.activities.sessions) == ("/login", [])


async def test_a_dangerous_act_asks_for_the_key_again(closed: Running) -> None:
    await send(closed, "/login", key=fakes.KEY)
    (session,) = closed.activities.sessions
    rights = closed.activities.keys[session["text"]]
    closed.activities.keys[session["text"]] = rights | {"recent": False}
    page = (await closed.client.get("/staff")).text
    assert "xác nhận lại bằng khóa" in page and "Tạo lời mời" not in page
    closed.activities.refuse = {"code": "confirmation-required", "detail": "no", "status": 403}
    try:
        answer = await closed.client.post(
            "/units/24133/changes", content=urlencode({"op": "attribute"}),
            headers=OURS | {"Referer": "http://registry/units/24133/changes"},
        )  # fmt: skip
    finally:
        closed.activities.refuse = None
    if answer.status_code == 303:
        assert answer.headers["location"] == "/confirm?next=/units/24133/changes"
    wrong = await send(closed, "/confirm", key="hv_99999999_other", next="/staff")
    assert wrong.status_code == 403 and "không phải khóa đã dùng" in wrong.text
    answer = await send(closed, "/confirm", key=fakes.KEY, next="/staff")
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
    assert "Tạo lời mời" in (await closed.client.get("/staff")).text


@pytest.mark.security("V14.2.1")
async def test_an_invitation_is_a_link_and_a_picture_that_is_kept_nowhere(closed: Running) -> None:
    await send(closed, "/login", key=fakes.KEY)
    order = {"role": "editor", "unit": "24133", "label": "Một cửa", "expires_on": "2027-06-30"}
    made = await send(closed, "/staff", **order)
    closed.activities.invitations.clear()
    assert made.headers["cache-control"] == "no-store"
    assert "http://registry/accept#hvi_1" in made.text
    assert '<svg viewBox="0 0' in made.text and "style=" not in made.text
    accept = await closed.client.get("/accept")
    assert "script-src 'self'" in accept.headers["content-security-policy"]
    assert "accept.js" in accept.text and (await closed.client.get("/static/accept.js")).text
    other = await closed.client.get("/login")
    assert "script-src" not in other.headers["content-security-policy"]


async def test_too_many_attempts_are_told_with_their_time(closed: Running) -> None:
    closed.activities.unknown = {"code": "key-wrong"}
    answer = await send(closed, "/login", key="hv_1_2")
    assert answer.status_code == 401 and "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (PHONE, "Chrome, Android"),
        ("Mozilla/5.0 (iPhone) Zalo iOS/1 Safari/604", "Zalo, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) coc_coc_browser/120 Chrome/120", "Cốc Cốc, Windows"),
        ("Mozilla/5.0 (Macintosh) Safari/605", "Safari, macOS"),
        ("", "Trình duyệt khác, thiết bị khác"),
        ("0912345678 Nguyễn Văn A", "Trình duyệt khác, thiết bị khác"),
    ],
)
def test_a_device_is_named_by_kind_only(agent: str, name: str) -> None:
    assert device_of(agent) == name
