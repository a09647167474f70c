"""An answer that is made again, because cells moved on meanwhile, has the whole request again."""

import httpx
from fastapi import APIRouter, FastAPI, Request

from services.registry.state import TRIES, JoinedRoute, Moved
from shared.bodies import read_form

router = APIRouter(route_class=JoinedRoute)
seen: list[tuple[dict[str, list[str]], int | None]] = []


@router.post("/again/{times}")
async def again(request: Request, times: int) -> dict[str, int]:
    """Answers at the attempt after `times`."""
    seen.append((await read_form(request), getattr(request.state, "limit", None)))
    if len(seen) <= times:
        raise Moved(40 + len(seen))
    return {"attempts": len(seen)}


async def posted(times: int) -> httpx.Response:
    seen.clear()
    app = FastAPI()
    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        return await client.post(f"/again/{times}", data={"text": "Buôn Ma Thuột"})


async def test_a_form_is_read_again_whole() -> None:
    answer = await posted(2)
    assert answer.json() == {"attempts": 3}
    form = {"text": ["Buôn Ma Thuột"]}
    assert seen == [(form, None), (form, 41), (form, 42)]


async def test_it_is_not_tried_for_ever() -> None:
    answer = await posted(TRIES)
    assert len(seen) == TRIES and answer.status_code == 500  # a 503 where problems are installed
