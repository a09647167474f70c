"""The services as commands: the one place that lists what the system consists of."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.local.component import Component
from deploy.local.ports import LOOPBACK
from shared.serving import KEEP_ALIVE_SECONDS

REPOSITORY = Path(__file__).resolve().parents[2]
# A migration waits for a lock, or loading for an answer, without doing anything meanwhile.
_ONE_SHOT_SECONDS = 900.0


@dataclass(frozen=True)
class Addresses:
    """The ports of the three services: N, N + 1 and N + 2."""

    port: int

    @property
    def ports(self) -> dict[str, int]:
        """Return the port of each service by name."""
        names = ("registry", "activities", "metrics")
        return {name: self.port + i for i, name in enumerate(names)}

    @property
    def urls(self) -> dict[str, str]:
        """Return the address of each service by name."""
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self.ports.items()}


def stages(env: Mapping[str, str], addresses: Addresses) -> Sequence[Sequence[Component]]:
    """Return what runs on top of PostgreSQL and the broker, in the order of its start."""

    def python(name: str, *arguments: str, one_shot: bool = False) -> Component:
        return Component(
            name=name,
            argv=[sys.executable, "-m", *arguments],
            env=env,
            cwd=REPOSITORY,
            one_shot=one_shot,
            stalls_after=_ONE_SHOT_SECONDS if one_shot else 120.0,
        )

    return [
        [python("migrate", "deploy.local", "migrate", one_shot=True)],
        [
            *(http_service(name, env, addresses) for name in addresses.ports),
            python("relay", "services.activities.relay"),
            python("intake", "services.activities.intake"),
            python("worker", "services.metrics.worker"),
        ],
        [python("load", "deploy.local", "load", one_shot=True)],
    ]


def http_service(name: str, env: Mapping[str, str], addresses: Addresses) -> Component:
    """Return one of the three services, ready when it says so itself."""
    port, url = addresses.ports[name], addresses.urls[name]
    return Component(
        name=name,
        argv=[
            *(sys.executable, "-m", "uvicorn", f"services.{name}.app:create_app", "--factory"),
            *("--host", LOOPBACK, "--port", str(port)),
            *("--http", "shared.server_protocol:BoundedHttp"),
            *("--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)),
            # Below what the supervisor waits for: answers that hang are cut, the rest is written.
            *("--timeout-graceful-shutdown", "6"),
        ],
        env=env,
        cwd=REPOSITORY,
        address=url,
        ready=lambda: ask_ready(port)[0] == HTTPStatus.OK,
        says=lambda: why_not_ready(ask_ready(port)[1]),
    )


def ask_ready(port: int) -> tuple[int, bytes]:
    """A service's answer to whether it is ready, status and body; (0, b"") when there is none.

    By the standard library: it is asked many times a second, from a process that needs nothing else.
    """
    connection = HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def why_not_ready(body: bytes) -> str:
    """What a service says it waits for; empty when it says nothing."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return ""
