"""activities as a process of its own, and somebody who posts to it all the time."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from deploy.local.ports import free_port
from tests.activities.fake import event

ROOT = Path(__file__).parents[2]


@dataclass
class Poster:
    """Posts new events on many connections until stopped; remembers every answer."""

    url: str
    key: str
    answered: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    cut: int = 0
    stopping: bool = False
    _next: int = 0

    async def run(self, connections: int) -> None:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            await asyncio.gather(*(self._post(client) for _ in range(connections)))

    async def _post(self, client: httpx.AsyncClient) -> None:
        while not self.stopping:
            self._next += 1
            id = f"e-{self._next}"
            person = {"scheme": "account", "value": id}
            data = {"person": person, "target_groups": ["adult"], "platform": "vneid"}
            try:
                answer = await client.post(
                    f"{self.url}/v1/events",
                    json=event(id=id, data=data),
                    headers={
                        "Authorization": f"Bearer {self.key}",
                        "Content-Type": "application/cloudevents+json",
                    },
                )
            except httpx.TransportError:
                # The address is gone, or an idle connection was closed just then.
                self.cut += 1
                await asyncio.sleep(0.02)
                continue
            self.answered[id] = answer.status_code
            if answer.status_code >= 400:
                self.problems.append(answer.json())


@contextlib.asynccontextmanager
async def activities(
    folder: Path, env: dict[str, str]
) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    """`services.activities` of a checkout, ready; its process and address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "uvicorn", "services.activities.app:create_app", "--factory",
            "--host", "127.0.0.1", "--port", str(port),
        ],
        cwd=folder, env={**os.environ, **env, "PYTHONPATH": str(folder)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(600):
                assert process.poll() is None, f"activities ended with {process.returncode}"
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{url}/health/ready")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield process, url
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)


async def in_log(url: str) -> set[str]:
    """The ids of the poster's events that are in the log."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    rows = await connection.fetch("SELECT id FROM log WHERE id LIKE 'e-%' AND ordinal = 0")
    await connection.close()
    return {row["id"] for row in rows}
