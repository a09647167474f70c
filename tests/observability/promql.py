"""What a PromQL expression asks for: enough of the language to find the metrics it names."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
import yaml

from shared.exposition import series
from shared.instruments import MEASUREMENTS

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules"
# Recorded by Prometheus itself, and by the collector from spans (deploy/otel/collector.yaml).
OTHERS = {
    "up", "traces_span_metrics_calls_total", "traces_span_metrics_duration_seconds_bucket",
    "traces_span_metrics_duration_seconds_count", "traces_span_metrics_duration_seconds_sum",
}  # fmt: skip
_WORDS = {
    "sum", "by", "on", "max", "min", "avg", "count", "rate", "increase", "histogram_quantile", "and",
    "or", "unless", "without", "topk", "clamp_min", "time", "sort_desc", "label_replace", "group_left",
}  # fmt: skip


def metrics_of(expression: str) -> set[str]:
    """The metrics that an expression names."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|on|without|group_left)\s*\([^)]*\)", "", bare)
    bare = re.sub(r"\b\d+(\.\d+)?\w?\b", "", bare)
    return {w for w in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare) if w not in _WORDS}


def labels_of(expression: str) -> set[str]:
    """The labels by which an expression selects or groups."""
    found = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"", expression))
    for inner in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expression):
        found |= {name.strip() for name in inner.split(",")}
    return found


def rules(file: str) -> list[dict[str, str]]:
    """The rules of a file, all groups."""
    groups = yaml.safe_load((RULES / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def known_metrics() -> set[str]:
    """All that exists: instruments, recording rules, and what others record."""
    own = {name for one in MEASUREMENTS.instruments.values() for name in series(one)}
    return own | {rule["record"] for rule in rules("recording.yaml")} | OTHERS


def known_labels() -> set[str]:
    """Labels that a series may have."""
    own = {a.replace(".", "_") for i in MEASUREMENTS.instruments.values() for a in i.attributes}
    return own | {"job", "instance", "le", "service_name", "span_name", "status_code"}


@cache
def _tools() -> tuple[Path | None, str]:
    script = ROOT / "deploy" / "prometheus" / "get.sh"
    try:
        found = subprocess.run([script], capture_output=True, text=True, timeout=240, check=False)
    except subprocess.TimeoutExpired:
        return None, "Debian's package could not be downloaded in time"
    return (Path(found.stdout.strip()), "") if found.returncode == 0 else (None, found.stderr)


def tool(name: str) -> Path:
    """`promtool` or `prometheus`; skips the test with the reason where there is none."""
    folder, reason = _tools()
    if folder is None:
        pytest.skip(f"no {name}: {reason.strip()}")
    return folder / name
