"""A real system, watched by a real Prometheus with our own rules, only quicker."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from deploy.local.ports import free_port
from deploy.local.stack import LocalStack
from tests.observability.promql import ROOT, RULES, tool

PATIENCE = 90.0


def quicker(rules: str) -> str:
    """The rules with minutes as seconds. Thresholds on seconds become a tenth: what is looked up
    every five seconds cannot be younger."""
    rules = re.sub(r"for: (\d+)[mh]", r"for: \1s", rules)
    rules = re.sub(r"\[(\d+)m\]", lambda m: f"[{max(int(m[1]), 15)}s]", rules)
    return re.sub(r"> (6|30)0$", r"> \1", rules, flags=re.M)


class Prometheus:
    """Scrapes every process of a local stack once a second."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        binary = tool("prometheus")
        folder.mkdir()
        for path in RULES.glob("*.yaml"):
            (folder / path.name).write_text(quicker(path.read_text()))
        config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
        targets = {name: url.removeprefix("http://") for name, url in stack.urls.items()}
        for name in ("relay", "worker", "intake"):
            listens = stack.added_env[f"HOCVUSO_{name.upper()}_METRICS_PORT"]
            targets[name] = f"127.0.0.1:{listens}"
        config["global"] = {
            "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s",
        }  # fmt: skip
        config["rule_files"] = [str(folder / "*.yaml")]
        config["scrape_configs"] = [
            {
                "job_name": job["job_name"],
                "static_configs": [{"targets": [targets[job["job_name"]]]}],
            }
            for job in config["scrape_configs"]
            if job["job_name"] in targets
        ]
        (folder / "config.yml").write_text(yaml.safe_dump(config))
        port = free_port()
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False
        )
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                binary, f"--config.file={folder / 'config.yml'}", f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage",
            ],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()
        self._client.close()

    def get(self, path: str, **params: str) -> Any:
        try:
            answer = self._client.get(f"/api/v1/{path}", params=params)
        except httpx.TransportError:
            return None
        return answer.json().get("data") if answer.status_code == 200 else None

    def firing(self) -> set[str]:
        """Names of the alerts that fire now; a process that is down stands with its job."""
        found = set()
        for alert in (self.get("alerts") or {"alerts": []})["alerts"]:
            if alert["state"] == "firing":
                labels = alert["labels"]
                found.add(
                    f"ProcessDown {labels['job']}"
                    if labels["alertname"] == "ProcessDown"
                    else labels["alertname"]
                )
        return found

    def values(self, query: str) -> list[float]:
        """What an expression says now."""
        data = self.get("query", query=query) or {"result": []}
        return [float(series["value"][1]) for series in data["result"]]

    def wait_for(self, wanted: set[str], what: str) -> None:
        """Until all of these fire."""
        deadline = time.monotonic() + PATIENCE
        seen: set[str] = set()
        while not wanted <= seen:
            assert time.monotonic() < deadline, f"{what}: {wanted - seen} did not fire, {seen} did"
            time.sleep(0.5)
            seen |= self.firing()

    def wait_for_quiet(self, what: str, but: frozenset[str] = frozenset()) -> None:
        """Until nothing fires and every process has been scraped."""
        deadline = time.monotonic() + PATIENCE
        while self.firing() - but or self.values("up") != [1.0] * 6:
            assert time.monotonic() < deadline, f"{what}: {self.firing()}, up {self.values('up')}"
            time.sleep(0.5)


def freeze(pid: int | None, *, thaw: bool = False) -> None:
    """Stop a process as a hanging one would: it is there and does nothing."""
    assert pid is not None
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        # A backend that goes on may be at its end, while the next is told to.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT if thaw else signal.SIGSTOP)
