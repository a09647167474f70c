"""A client that a standard generator makes of a service's OpenAPI document."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

CONFIG = """
content_type_overrides:
  application/cloudevents+json: application/json
post_hooks: []
"""


@contextmanager
def generated_client(document: dict[str, Any], folder: Path, name: str) -> Iterator[ModuleType]:
    """The package `name`, made in `folder` and importable while the block runs."""
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "config.yaml").write_text(CONFIG)
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json",
         "--config", "config.yaml", "--meta", "none", "--output-path", name],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for module in [m for m in sys.modules if m.partition(".")[0] == name]:
            del sys.modules[module]


def part(package: ModuleType, path: str) -> Any:
    """A module of the generated package."""
    return importlib.import_module(f"{package.__name__}.{path}")


def signed_in(package: ModuleType, client: httpx.AsyncClient, key: str) -> Any:
    """The generated client with a key, over the transport of `client`."""
    return part(package, "client").AuthenticatedClient(
        base_url=str(client.base_url), token=key, httpx_args={"transport": client._transport}
    )
