"""Every answer that a test gets is the one that the OpenAPI document describes."""

import re
from typing import Any

import httpx
import jsonschema_rs
from fastapi import FastAPI


class AnswersAsDescribed:
    """A hook of an httpx client: judges the JSON of each success by the document's schema."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._paths: list[tuple[re.Pattern[str], str]] = []
        self._validators: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, answer: httpx.Response) -> None:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if not answer.is_success or kind != "application/json":
            return
        path = self._path(answer.request.url.path)
        if path is None:
            return
        await answer.aread()
        if answer.content:  # not of HEAD
            validator = self._validator(path, answer.request.method.lower(), answer.status_code)
            validator.validate(answer.json())

    def _path(self, asked: str) -> str | None:
        if not self._paths:
            for path in sorted(self._app.openapi()["paths"], key=lambda p: p.count("{")):
                pattern = re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(path))
                self._paths.append((re.compile(pattern), path))
        return next((path for pattern, path in self._paths if pattern.fullmatch(asked)), None)

    def _validator(self, path: str, method: str, status: int) -> Any:
        key = (path, method, status)
        if key not in self._validators:
            document = self._app.openapi()
            described = document["paths"][path][method]["responses"][str(status)]
            schema = described["content"]["application/json"]["schema"]
            assert schema, f"{method} {path} says nothing of its answer"
            self._validators[key] = jsonschema_rs.Draft202012Validator(
                {**schema, "components": document["components"]}
            )
        return self._validators[key]
