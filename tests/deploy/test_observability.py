"""Collector, Prometheus and Grafana fit together: every name used somewhere is made somewhere."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OTEL = ROOT / "deploy" / "otel"
GRAFANA = ROOT / "deploy" / "grafana"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


COMPOSE = read(ROOT / "docker-compose.yml")["services"]
COLLECTOR = read(OTEL / "collector.yaml")
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))


def span_metrics() -> set[str]:
    """The Prometheus names that the span metrics connector's settings lead to."""
    connector = COLLECTOR["connectors"]["spanmetrics"]
    prefix = connector["namespace"].replace(".", "_")
    unit = {"s": "seconds", "ms": "milliseconds"}[connector["histogram"]["unit"]]
    duration = f"{prefix}_duration_{unit}"
    return {f"{prefix}_calls_total", *(f"{duration}_{x}" for x in ("bucket", "count", "sum"))}


def endpoint_metrics() -> set[str]:
    """The names that GET /metrics of the service metrics gives."""
    source = (ROOT / "services" / "metrics" / "app.py").read_text()
    names = source[source.index("        names = {") : source.index("        lines = []")]
    return {f"hocvuso_metrics_{name}" for name in re.findall(r'^ +"([a-z_]+)":', names, re.M)}


def test_pipelines_use_what_is_declared() -> None:
    declared = {
        "receivers": {*COLLECTOR["receivers"], *COLLECTOR["connectors"]},
        "processors": set(COLLECTOR["processors"]),
        "exporters": {*COLLECTOR["exporters"], *COLLECTOR["connectors"]},
    }
    used: dict[str, set[str]] = {kind: set() for kind in declared}
    for pipeline in COLLECTOR["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            used[kind] |= set(names)
    for kind, names in used.items():
        assert names == declared[kind], kind
    assert COLLECTOR["service"]["extensions"] == list(COLLECTOR["extensions"])


def test_services_export_to_the_collector_when_the_profile_is_on() -> None:
    lines = (ROOT / "deploy/docker/observability.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    assert settings["COMPOSE_PROFILES"] == "observability"
    port = COLLECTOR["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"http://otel-collector:{port}"
    # Off unless asked for.
    variable = COMPOSE["activities"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert variable == "${OTEL_EXPORTER_OTLP_ENDPOINT:-}"


def test_the_profile_is_opt_in() -> None:
    for name in ("otel-collector", "tempo", "prometheus", "grafana"):
        assert COMPOSE[name]["profiles"] == ["observability"]
    for name, service in COMPOSE.items():
        if "profiles" not in service:
            assert all("profiles" not in COMPOSE[need] for need in service.get("depends_on", {})), (
                name
            )


def test_prometheus_scrapes_what_listens() -> None:
    targets = {
        target
        for job in read(OTEL / "prometheus.yaml")["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    reader = COLLECTOR["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    spans = COLLECTOR["exporters"]["prometheus"]["endpoint"].rpartition(":")[2]
    tempo = read(OTEL / "tempo.yaml")["server"]["http_listen_port"]
    assert targets == {
        f"otel-collector:{spans}",
        f"otel-collector:{reader['prometheus']['port']}",
        f"tempo:{tempo}",
        COMPOSE["metrics"]["environment"]["HOCVUSO_METRICS_URL"].removeprefix("http://"),
        "127.0.0.1:9090",
    }


def test_dashboards_ask_only_for_metrics_that_exist() -> None:
    known = span_metrics() | endpoint_metrics() | {"up"}
    assert DASHBOARDS
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\([a-z_, ]*\)", "", target["expr"])
                names = {n for n in re.findall(r"[a-z_]{2,}", bare) if n not in FUNCTIONS}
                assert names and names <= known, (path.name, panel["title"], names - known)


FUNCTIONS = {"sum", "by", "rate", "histogram_quantile"}


def test_dashboards_use_the_data_sources_that_are_set_up() -> None:
    sources = read(GRAFANA / "provisioning/datasources/hocvuso.yaml")["datasources"]
    uids = {source["uid"] for source in sources}
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        assert {panel["datasource"]["uid"] for panel in board["panels"]} <= uids
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for source in sources:
        host = re.fullmatch(r"http://([a-z]+):\d+", source["url"])
        assert host and host[1] in COMPOSE
    boards = read(GRAFANA / "provisioning/dashboards/hocvuso.yaml")["providers"][0]["options"]
    assert any(v.split(":")[1] == boards["path"] for v in COMPOSE["grafana"]["volumes"])


def test_span_names_on_the_dashboards_are_those_of_the_code() -> None:
    code = "".join(p.read_text() for p in (ROOT / "services").rglob("*.py"))
    for path in DASHBOARDS:
        text = path.read_text()
        for name in re.findall(r'span_name=\\"([^\\]+)\\"', text):
            assert f'"{name}"' in code, name
        for name in re.findall(r'service_name=\\"([^\\]+)\\"', text):
            assert f'"{name}"' in code, name
