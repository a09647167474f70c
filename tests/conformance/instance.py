"""An instance of our own for foreign suites: fresh, on ports of its own, gone afterwards."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_S = 900


@dataclass(frozen=True)
class Instance:
    """Where its services are, and its administrator's key."""

    registry: str
    activities: str
    metrics: str
    key: str

    def services(self) -> dict[str, str]:
        """The addresses by name."""
        return {"activities": self.activities, "registry": self.registry, "metrics": self.metrics}

    def alive(self) -> bool:
        """Whether all three still answer."""
        return all(
            httpx.get(f"{url}/health/live", timeout=20, trust_env=False).status_code == 200
            for url in self.services().values()
        )


@contextmanager
def running(port: int) -> Iterator[Instance]:
    """Start the whole system, as `make up` does; stop it and forget its data at the end."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-conformance-") as folder:
        home = Path(folder) / "home"
        command = [sys.executable, "-m", "deploy.local"]
        subprocess.run(
            [*command, "up", "--home", str(home), "--port", str(port), "--detach"],
            check=True, timeout=START_S, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            yield Instance(
                url, f"http://127.0.0.1:{port + 1}", f"http://127.0.0.1:{port + 2}",
                (home / "admin.key").read_text().strip(),
            )  # fmt: skip
        finally:
            subprocess.run([*command, "down", "--home", str(home)], check=False, timeout=120)
