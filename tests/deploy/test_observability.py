"""Collector, Prometheus and Grafana fit together: every name used somewhere is made somewhere."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import boards
from tests.observability.promql import known_labels, known_metrics, labels_of, metrics_of

ROOT = Path(__file__).parents[2]
OTEL = ROOT / "deploy" / "otel"
GRAFANA = ROOT / "deploy" / "grafana"
PROMETHEUS = ROOT / "deploy" / "prometheus"


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


COMPOSE = read(ROOT / "docker-compose.yml")["services"]
COLLECTOR = read(OTEL / "collector.yaml")
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))


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


def test_one_trace_in_ten_is_kept_unless_asked_otherwise() -> None:
    """What `make bench` measures as its row for one trace in ten, at most a tenth of throughput."""
    said = COMPOSE["activities"]["environment"]
    assert said["OTEL_TRACES_SAMPLER"] == "${OTEL_TRACES_SAMPLER:-parentbased_traceidratio}"
    assert said["OTEL_TRACES_SAMPLER_ARG"] == "${OTEL_TRACES_SAMPLER_ARG:-0.1}"


def test_the_profile_is_opt_in() -> None:
    for name in ("otel-collector", "tempo", "prometheus", "grafana"):
        assert COMPOSE[name]["profiles"] == ["observability"]
    for name, service in COMPOSE.items():
        if "profiles" not in service:
            assert all("profiles" not in COMPOSE[need] for need in service.get("depends_on", {})), (
                name
            )


def test_prometheus_scrapes_what_listens() -> None:
    jobs = {job["job_name"]: job for job in read(PROMETHEUS / "prometheus.yaml")["scrape_configs"]}
    reader = COLLECTOR["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    spans = COLLECTOR["exporters"]["prometheus"]["endpoint"].rpartition(":")[2]
    tempo = read(OTEL / "tempo.yaml")["server"]["http_listen_port"]
    environment = COMPOSE["metrics"]["environment"]
    expected = {
        "spans": f"otel-collector:{spans}",
        "otel-collector": f"otel-collector:{reader['prometheus']['port']}",
        "tempo": f"tempo:{tempo}",
        "prometheus": "127.0.0.1:9090",
    }
    for name in ("registry", "activities", "metrics"):
        expected[name] = environment[f"HOCVUSO_{name.upper()}_URL"].removeprefix("http://")
    for name, address in expected.items():
        assert jobs.pop(name)["static_configs"] == [{"targets": [address]}]
    for name, job in jobs.items():
        [found] = job["dns_sd_configs"]
        assert found["names"] == [name] and name in COMPOSE
        port = COMPOSE[name]["environment"][f"HOCVUSO_{name.upper()}_METRICS_PORT"]
        assert found["port"] == int(port)
        assert COMPOSE[name]["environment"]["HOCVUSO_PROCESS_METRICS_HOST"] == "0.0.0.0"
    assert {"relay", "worker"} <= jobs.keys()


def test_prometheus_has_rules_and_keeps_exemplars() -> None:
    service = COMPOSE["prometheus"]
    assert "--enable-feature=exemplar-storage" in service["command"]
    mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
    assert mounts["./deploy/prometheus/prometheus.yaml"] == "/etc/hocvuso/prometheus.yaml"
    rules = read(PROMETHEUS / "prometheus.yaml")["rule_files"]
    assert rules == [mounts["./deploy/prometheus/rules"] + "/*.yaml"]


def test_dashboards_are_as_the_code_makes_them() -> None:
    assert {path.name for path in DASHBOARDS} == boards.BOARDS.keys()
    for path in DASHBOARDS:
        assert json.loads(path.read_text()) == boards.BOARDS[path.name], "run `make generate`"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.stem)
def test_dashboards_ask_only_for_metrics_and_labels_that_exist(path: Path) -> None:
    known = known_metrics() | {"ALERTS", "vector"}
    board = json.loads(path.read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m")
            assert metrics_of(expression)
            assert metrics_of(expression) <= known, (panel["title"], metrics_of(expression) - known)
            assert labels_of(expression) <= known_labels() | {"alertstate", ""}, panel["title"]
            legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            assert legend <= known_labels(), panel["title"]
    for variable in board["templating"]["list"]:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
        assert metric in known and label in known_labels()


def test_slow_buckets_lead_to_their_traces() -> None:
    [prometheus] = [
        s
        for s in read(GRAFANA / "provisioning/datasources/hocvuso.yaml")["datasources"]
        if s["type"] == "prometheus"
    ]
    [destination] = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    assert destination["name"] == "trace_id", "the label that shared/exposition.py writes"


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
