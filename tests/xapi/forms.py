"""Statements sent as forms, as old browsers must."""

from typing import Any
from urllib.parse import urlencode

from tests.xapi.conftest import Platform


async def form(mooc: Platform, method: str, **fields: str) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await mooc.client.post(
        f"/xapi/statements?method={method}", content=urlencode(fields), headers=headers
    )
