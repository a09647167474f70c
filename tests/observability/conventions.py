"""OpenTelemetry's semantic conventions as the package `opentelemetry-semantic-conventions` has them.

Nothing is copied here: names, values, units and kinds are read from the installed package, which is
pinned by the lock file and generated from one version of the conventions.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import opentelemetry.semconv._incubating.attributes as newer_attributes
import opentelemetry.semconv._incubating.metrics as newer_metrics
import opentelemetry.semconv.attributes as stable_attributes
import opentelemetry.semconv.metrics as stable_metrics
from opentelemetry.semconv.schemas import Schemas

from tests.e2e.collector import Span


def newest_schema() -> str:
    """The version from which the installed package was made."""
    return max(Schemas, key=lambda s: tuple(map(int, s.value.rpartition("/")[2].split(".")))).value


def _modules(*packages: ModuleType) -> Iterator[ModuleType]:
    for package in packages:
        if getattr(package, "__file__", None):  # else only a folder
            yield package
        for module in pkgutil.iter_modules(package.__path__):
            yield importlib.import_module(f"{package.__name__}.{module.name}")


@cache
def attributes() -> dict[str, frozenset[str] | None]:
    """All attributes that are not deprecated, with their values where those are listed."""
    found: dict[str, frozenset[str] | None] = {}
    for module in _modules(newer_attributes, stable_attributes):
        members = vars(module)
        gone = _deprecated(module)
        for constant, name in members.items():
            if constant.isupper() and isinstance(name, str) and constant not in gone:
                listed = members.get(constant.title().replace("_", "") + "Values")
                found[name] = _values(listed)
    return found


def _values(listed: object) -> frozenset[str] | None:
    if isinstance(listed, type) and issubclass(listed, Enum):
        return frozenset(str(one.value) for one in listed)
    return None


def _deprecated(module: ModuleType) -> set[str]:
    """Constants whose text begins with "Deprecated" (a string below the assignment)."""
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    body = ast.parse(source).body
    found = set()
    for said, text in pairwise(body):
        if isinstance(said, ast.AnnAssign | ast.Assign) and isinstance(text, ast.Expr):
            target = said.target if isinstance(said, ast.AnnAssign) else said.targets[0]
            words = text.value.value if isinstance(text.value, ast.Constant) else ""
            if isinstance(target, ast.Name) and str(words).strip().startswith("Deprecated"):
                found.add(target.id)
    return found


class _Meter:
    """Notes what the package would create."""

    def __init__(self) -> None:
        self.made: tuple[str, str, str] | None = None

    def __getattr__(self, method: str) -> Any:
        def create(name: str, *_: Any, unit: str = "", **__: Any) -> None:
            self.made = (name, unit, method.removeprefix("create_").removeprefix("observable_"))

        return create


@cache
def metrics() -> dict[str, tuple[str, str]]:
    """All metrics: unit, and kind (counter, up_down_counter, gauge, histogram)."""
    found = {}
    for module in _modules(newer_metrics, stable_metrics):
        for name, function in vars(module).items():
            if name.startswith("create_") and inspect.isfunction(function):
                meter = _Meter()
                function(meter, *[[]] * (len(inspect.signature(function).parameters) - 1))
                assert meter.made
                found[meter.made[0]] = meter.made[1:]
    return found


REQUIRED = {
    "http": {"http.request.method", "url.scheme"},
    "messaging": {"messaging.system", "messaging.operation.name", "messaging.destination.name"},
    "db": {
        *("db.system.name", "db.operation.name", "db.collection.name"),
        *("db.namespace", "server.address"),  # recommended
    },
}
KINDS = {"http": {"server"}, "messaging": {"client", "producer", "consumer"}, "db": {"client"}}


def faults(span: Span) -> list[str]:
    """What a span does not say as the conventions want it."""
    known = attributes()
    found = []
    for name, value in span.texts.items():
        if name.startswith("hocvuso."):
            continue
        if name not in known:
            found.append(f"{name} is not published, or deprecated")
        listed = known.get(name)
        if listed is not None and name != "error.type" and value not in listed:
            found.append(f"{value} is no value of {name}")
    for area, wanted in REQUIRED.items():
        if any(name.startswith(f"{area}.") for name in span.texts):
            found += [f"{name} is missing" for name in sorted(wanted - span.texts.keys())]
            if span.kind not in KINDS[area]:
                found.append(f"{area} spans are no {span.kind}")
    return found + _name_faults(span)


def _name_faults(span: Span) -> list[str]:
    said = span.texts
    if "http.request.method" in said:
        method = said["http.request.method"]
        method = "HTTP" if method == "_OTHER" else method
        expected = f"{method} {said['http.route']}" if "http.route" in said else method
    elif "messaging.system" in said:
        expected = f"{said['messaging.operation.name']} {said['messaging.destination.name']}"
    elif "db.system.name" in said:
        expected = f"{said['db.operation.name']} {said['db.collection.name']}"
    else:
        return []
    return [] if span.name == expected else [f"named {span.name}, not {expected}"]
