"""The pages of invitations: made by a form, shown once, accepted into a cookie, withdrawn."""

from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest

from services.registry.web.problem_words import explain
from tests.registry import fakes
from tests.registry.conftest import Running

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OURS = FORM | {"Sec-Fetch-Site": "same-origin"}
ORDER = {"role": "editor", "unit": "24133", "label": "Một cửa", "expires_on": "2027-06-30"}


@pytest.fixture
def signed_in(registry: Running) -> Iterator[Running]:
    registry.client.cookies.set("hocvuso_session", fakes.SESSION)
    yield registry
    registry.client.cookies.clear()
    registry.activities.invitations.clear()


async def send(
    registry: Running, path: str, headers: dict[str, str], **form: str
) -> httpx.Response:
    return await registry.client.post(path, content=urlencode(form), headers=headers)


@pytest.mark.security("V6.4.1", "V6.5.1", "V6.5.3")
async def test_a_code_is_shown_once_and_lets_in_once(signed_in: Running) -> None:
    made = await send(signed_in, "/staff", OURS, **ORDER)
    assert made.status_code == 200 and "hvi_1" in made.text
    (kept,) = signed_in.activities.invitations
    assert kept["expires_at"] == "2027-06-30T23:59:59+07:00"
    page = (await signed_in.client.get("/staff")).text
    assert "hvi_1" not in page and "Một cửa" in page and "Chưa dùng mã" in page
    assert "Buôn Ma Thuột" in page
    signed_in.client.cookies.clear()
    assert "Mã mời" in (await signed_in.client.get("/accept")).text
    answer = await send(signed_in, "/accept", OURS, code=" hvi_1 ")
    assert answer.status_code == 200 and "hv_00000001_made" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert "hvs_" in cookie and "hv_00000001" not in cookie
    for part in ("HttpOnly", "SameSite=strict", "Max-Age=2592000"):
        assert part in cookie
    signed_in.client.cookies.clear()
    again = await send(signed_in, "/accept", OURS, code="hvi_1")
    assert again.status_code == 404 and "Mã mời không đúng" in again.text
    assert "set-cookie" not in again.headers


async def test_withdrawing(signed_in: Running) -> None:
    await send(signed_in, "/staff", OURS, **ORDER)
    foreign = FORM | {"Sec-Fetch-Site": "cross-site"}
    refused = await send(signed_in, "/staff/00000001/revoke", foreign)
    assert refused.status_code == 403
    assert signed_in.activities.invitations[0]["state"] == "open"
    answer = await send(signed_in, "/staff/00000001/revoke", OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
    assert "Đã thu hồi" in (await signed_in.client.get("/staff")).text


@pytest.mark.security("V7.6.2")
@pytest.mark.parametrize("path", ["/staff", "/login", "/accept", "/logout"])
async def test_no_form_is_taken_from_elsewhere(signed_in: Running, path: str) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        answer = await send(signed_in, path, FORM | headers, key=fakes.KEY, code="hvi_1", **ORDER)
        assert answer.status_code == 403 and "foreign-page" in answer.text
        assert "set-cookie" not in answer.headers
    assert signed_in.activities.invitations == []


async def test_what_is_wrong_is_said_in_vietnamese_and_the_form_keeps_what_was_typed(
    signed_in: Running,
) -> None:
    answer = await send(signed_in, "/staff", OURS, **ORDER | {"unit": "99999"})
    assert answer.status_code == 422
    assert explain("unit-unknown", "") in answer.text and 'value="Một cửa"' in answer.text
    answer = await send(signed_in, "/staff", OURS, **ORDER | {"expires_on": ""})
    assert explain("form-incomplete", "") in answer.text
    assert signed_in.activities.invitations == []


async def test_the_page_needs_a_key_even_where_reading_is_open(registry: Running) -> None:
    registry.client.cookies.clear()
    answer = await registry.client.get("/staff")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/staff")
