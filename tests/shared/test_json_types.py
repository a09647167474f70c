"""No body of any service takes `true` for a number, or "1" and 1 for a truth value."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.activities.app import create_app as activities
from services.metrics.app import create_app as metrics
from services.registry.app import create_app as registry


def routes(app: FastAPI) -> Iterator[APIRoute]:
    for found in app.router.routes:
        below = getattr(found, "original_router", None)
        for route in below.routes if below is not None else [found]:
            if isinstance(route, APIRoute):
                yield route


def models(kind: Any) -> Iterator[type[BaseModel]]:
    for part in get_args(kind):
        yield from models(part)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation)


def bodies(create: Callable[[], FastAPI]) -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()
    for route in routes(create()):
        if route.body_field is not None:
            found.update(models(route.body_field.field_info.annotation))
    return found


def names(kind: Any) -> set[str]:
    return {kind.__name__} if isinstance(kind, type) else set().union(*map(names, get_args(kind)))


@pytest.mark.parametrize("create", [activities, metrics, registry])
def test_numbers_and_truth_values(create: Callable[[], FastAPI]) -> None:
    seen = bodies(create)
    assert seen
    for model in seen:
        for name, field in model.model_fields.items():
            kinds = names(field.annotation)
            adapter: TypeAdapter[Any] = TypeAdapter(
                Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            )
            wrong: list[Any] = []
            if kinds & {"int", "float"}:
                wrong += [True, [True], {"a": True}]
            if kinds == {"int"} or kinds == {"int", "NoneType"}:
                wrong += ["1", 1.5]
            if "bool" in kinds:
                wrong += [1, 0, "true", "on"]
            for value in wrong:
                with pytest.raises(ValidationError):
                    adapter.validate_python(value)
                    print(model, name, value)
