"""The dashboards, as code: `make generate` writes them to deploy/grafana/dashboards/*.json.

One per question: health ("is it healthy", ops), partners ("was my data counted"), movement ("how
far are we"). A test checks that every query asks for metrics and labels that exist.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "prometheus"}
RATE = "[$__rate_interval]"


@dataclass(frozen=True)
class Panel:
    """One panel. `queries`: (expression, legend). `kind`: timeseries, stat, table, bargauge."""

    title: str
    text: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12
    red_from: float | None = None
    exemplars: bool = False


def quantile(q: float, family: str, *by: str, where: str = "") -> str:
    """A quantile of a histogram."""
    labels = ", ".join([*by, "le"])
    return f"histogram_quantile({q}, sum by ({labels}) (rate({family}_bucket{where}{RATE})))"


HEALTH = (
    Panel("Processes that answer", "Red: nobody answers under this name.",
          (("max by (job) (up)", "{{job}}"),), kind="stat", width=8, red_from=-1),
    Panel("Counted up to", "The log's end, what is in Kafka, what is counted, what tables show.",
          (("hocvuso:log_position", "log"), ("max(hocvuso_relay_position)", "in Kafka"),
           ("hocvuso:projection_position", "counted"), ("max(hocvuso_refresh_position)", "visible")),
          kind="stat", width=8),
    Panel("Waiting for a person", "Parked subjects: `hocvuso parked`.",
          (("max(hocvuso_parked_subjects)", "subjects"),), kind="stat", width=4, red_from=1),
    Panel("Alerts", "Firing now; each has a paragraph in docs/runbooks.md.",
          (('sum(ALERTS{alertstate="firing"}) or on () vector(0)', "firing"),), kind="stat",
          width=4, red_from=1),
    Panel("Behind, seconds", "Age of what waits: relay, lanes by group, tables.",
          (("hocvuso:relay_delay_seconds", "relay"),
           ("hocvuso:projection_delay_seconds", "lanes {{hocvuso_lane_group}}"),
           ("max(hocvuso_refresh_age_seconds)", "tables")), unit="s", red_from=60),
    Panel("Behind, positions", "The same in rows of the log.",
          (("max(hocvuso_relay_lag)", "relay"),
           ("max by (hocvuso_lane_group) (hocvuso_projection_lag)", "lanes {{hocvuso_lane_group}}"))),
    Panel("Heartbeats", "Apart from lag: does everybody live, whether or not there is work.",
          (("max(hocvuso_projection_heartbeat_age_seconds)", "worker"),
           ("min(hocvuso_relay_heartbeat_age_seconds)", "relay (broker's answer)"),
           ("max(hocvuso_projection_workers)", "workers"), ("max(hocvuso_relay_leaders)", "relays")),
          unit="s"),
    Panel("Events per second", "What the front door answered.",
          ((f"sum by (hocvuso_outcome) (rate(hocvuso_events_total{RATE}))", "{{hocvuso_outcome}}"),
           (f"sum by (hocvuso_origin) (rate(hocvuso_projection_rows_total{RATE}))",
            "counted from the {{hocvuso_origin}}")), unit="ops"),
    Panel("Requests, 99th percentile", "A dot is one trace: click to open it.",
          ((quantile(0.99, "http_server_request_duration_seconds", "job", "http_route"),
            "{{job}} {{http_route}}"),), unit="s", exemplars=True),
    Panel("Errors", "Share of requests that failed on our side.",
          (("hocvuso:http_errors:ratio5m", "{{job}}"),), unit="percentunit", red_from=0.01),
    Panel("Group commit", "Time and size of one transaction of the log.",
          ((quantile(0.99, "hocvuso_append_duration_seconds"), "p99"),
           (quantile(0.5, "hocvuso_append_duration_seconds"), "median")), unit="s", exemplars=True),
    Panel("Events of one group commit", "Many: the group is what keeps up with the load.",
          ((quantile(0.5, "hocvuso_append_events"), "median"),
           ("max(hocvuso_append_waiting)", "waiting"))),
    Panel("Counting and refreshing", "One batch of the log; one refresh of the tables.",
          ((quantile(0.99, "messaging_process_duration_seconds"), "batch p99"),
           (quantile(0.99, "messaging_client_operation_duration_seconds"), "send p99"),
           (quantile(0.99, "hocvuso_refresh_duration_seconds", "hocvuso_everything"),
            "refresh p99, everything: {{hocvuso_everything}}")), unit="s", exemplars=True),
    Panel("Queries", "Reading a table: published cells, and other days evaluated anew.",
          ((quantile(0.99, "hocvuso_query_duration_seconds", "hocvuso_query"), "{{hocvuso_query}}"),),
          unit="s", exemplars=True),
    Panel("Holes healed, rebuilds", "Lanes read from the log because the bus had a hole; measures that build.",
          ((f"sum(rate(hocvuso_projection_healed_total{RATE})) or vector(0)", "holes per second"),
           ("max(hocvuso_rebuild_measures)", "measures building"),
           ("max(hocvuso_rebuild_progress_ratio)", "progress of the rebuild"))),
    Panel("Database connections in use", "Of those that may be open.",
          (("sum by (db_client_connection_pool_name)"
            ' (db_client_connection_count{db_client_connection_state="used"})',
            "{{db_client_connection_pool_name}}"),)),
    Panel("Memory", "Resident, per process.", (("process_memory_usage_bytes", "{{job}} {{instance}}"),),
          unit="bytes"),
    Panel("Processor", "Cores used, per process.",
          ((f"rate(process_cpu_time_seconds_total{RATE})", "{{job}} {{instance}}"),)),
    Panel("Looks that fail", "Values that cannot be read just now.",
          ((f"sum by (job, hocvuso_look) (rate(hocvuso_look_failures_total{RATE}))",
            "{{job}} {{hocvuso_look}}"),)),
)  # fmt: skip

_MINE = '{hocvuso_partner=~"$partner"}'
PARTNERS = (
    Panel("Accepted today", "New events in the log in the last 24 hours.",
          (('sum(increase(hocvuso_events_total{hocvuso_outcome="accepted", hocvuso_partner=~"$partner"}[24h])) or vector(0)',
            "accepted"),), kind="stat", width=6),
    Panel("Duplicates today", "Sent again with the same content: counted once, as it should be.",
          (('sum(increase(hocvuso_events_total{hocvuso_outcome="duplicate", hocvuso_partner=~"$partner"}[24h])) or vector(0)',
            "duplicates"),), kind="stat", width=6),
    Panel("Refused today", "Not in the log; each answer said why. See the quarantine.",
          (('sum(increase(hocvuso_events_total{hocvuso_outcome="rejected", hocvuso_partner=~"$partner"}[24h])) or vector(0)',
            "refused"),), kind="stat", width=6, red_from=1),
    Panel("Counted up to", "Positions: a receipt's position at or below `visible` is in the tables.",
          (("hocvuso:projection_position", "counted"), ("max(hocvuso_refresh_position)", "visible")),
          kind="stat", width=6),
    Panel("Events by outcome", "Per second, over five minutes.",
          ((f"sum by (hocvuso_partner, hocvuso_outcome) (rate(hocvuso_events_total{_MINE}[5m]))",
            "{{hocvuso_partner}} {{hocvuso_outcome}}"),), unit="ops"),
    Panel("Events by type", "Per second, over five minutes.",
          ((f"sum by (hocvuso_type) (rate(hocvuso_events_total{_MINE}[5m]))", "{{hocvuso_type}}"),),
          unit="ops"),
    Panel("Events by way in", "REST, streams, Kafka, xAPI, replay of the quarantine.",
          ((f"sum by (hocvuso_path) (rate(hocvuso_events_total{_MINE}[5m]))", "{{hocvuso_path}}"),),
          unit="ops"),
    Panel("Why events are refused", "By code, all partners; docs/errors.md says what to do.",
          (("topk(10, sum by (hocvuso_code) (increase(hocvuso_refusals_total[24h])))",
            "{{hocvuso_code}}"),), kind="bargauge"),
    Panel("Quarantine", "Refused events that are kept until they are mended, sent anew or dismissed.",
          (('max by (hocvuso_partner) (hocvuso_quarantine_events{hocvuso_partner=~"$partner"})',
            "{{hocvuso_partner}}"),)),
    Panel("From the log to the tables", "How old what is not visible yet is.",
          (("max(hocvuso:projection_delay_seconds)", "to be counted"),
           ("max(hocvuso_refresh_age_seconds)", "to be shown")), unit="s", red_from=60),
    Panel("Waiting for a person", "Parked subjects: accepted, not counted.",
          (("max(hocvuso_parked_subjects)", "subjects"),), kind="stat", red_from=1),
)  # fmt: skip

_PLAN = '{hocvuso_plan=~"$plan"}'
MOVEMENT = (
    Panel("Objectives by status", "At the plan's own unit; the tables say it for every commune.",
          ((f"max by (hocvuso_plan, hocvuso_status) (hocvuso_plan_objectives{_PLAN})",
            "{{hocvuso_plan}} {{hocvuso_status}}"),), kind="bargauge"),
    Panel("Objectives met", "Of those that have a target.",
          (('max by (hocvuso_plan) (hocvuso_plan_objectives{hocvuso_status="met", hocvuso_plan=~"$plan"})',
            "{{hocvuso_plan}}"),), kind="stat"),
    Panel("Value by denominator", "Objectives that count a share, at the plan's own unit.",
          ((f"max by (hocvuso_plan, hocvuso_objective) (hocvuso_plan_objective_ratio{_PLAN})",
            "{{hocvuso_plan}} {{hocvuso_objective}}"),), unit="percentunit", width=24),
    Panel("Cells behind or overdue", "Communes and hamlets times objectives that need attention.",
          (('max by (hocvuso_plan, hocvuso_status) (hocvuso_plan_cells{hocvuso_status=~"behind|overdue", hocvuso_plan=~"$plan"})',
            "{{hocvuso_plan}} {{hocvuso_status}}"),)),
    Panel("Cells by status", "All units of the plan.",
          ((f"max by (hocvuso_plan, hocvuso_status) (hocvuso_plan_cells{_PLAN})",
            "{{hocvuso_plan}} {{hocvuso_status}}"),)),
    Panel("Events per day", "What the movement reports: accepted events by type, last 24 hours.",
          (('topk(15, sum by (hocvuso_type) (increase(hocvuso_events_total{hocvuso_outcome="accepted"}[24h])))',
            "{{hocvuso_type}}"),), kind="bargauge", width=24),
)  # fmt: skip


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from == -1:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    elif panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": SOURCE,
        "gridPos": {"h": 8 if panel.kind != "stat" else 4, "w": panel.width, "x": x, "y": y},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "table", "placement": "bottom"}}
        if panel.kind == "timeseries"
        else {"reduceOptions": {"calcs": ["lastNotNull"]}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "expr": expression,
                "legendFormat": legend,
                "exemplar": panel.exemplars,
            }
            for index, (expression, legend) in enumerate(panel.queries)
        ],
    }


def board(
    uid: str, title: str, panels: tuple[Panel, ...], choice: tuple[str, str] | None, since: str
) -> dict[str, Any]:
    """One dashboard. `choice`: (variable, query of its values)."""
    placed, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > 24:
            x, y, height = 0, y + height, 0
        made = _panel(number, panel, x, y)
        height = max(height, made["gridPos"]["h"])
        x += panel.width
        placed.append(made)
    variables = []
    if choice is not None:
        variables.append(
            {
                "name": choice[0], "type": "query", "datasource": SOURCE, "query": choice[1],
                "includeAll": True, "multi": True, "refresh": 2,
                "current": {"text": "All", "value": "$__all"},
            }
        )  # fmt: skip
    return {
        "uid": uid,
        "title": title,
        "tags": ["hocvuso"],
        "timezone": "Asia/Ho_Chi_Minh",
        "schemaVersion": 41,
        "version": 1,
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "editable": False,
        "annotations": {"list": []},
        "templating": {"list": variables},
        "panels": placed,
    }


BOARDS: dict[str, dict[str, Any]] = {
    "health.json": board("hocvuso-health", "hocvuso: is it healthy", HEALTH, None, "now-1h"),
    "partners.json": board(
        "hocvuso-partners", "hocvuso: was my data counted", PARTNERS,
        ("partner", "label_values(hocvuso_events_total, hocvuso_partner)"), "now-24h",
    ),
    "movement.json": board(
        "hocvuso-movement", "hocvuso: how far are we", MOVEMENT,
        ("plan", "label_values(hocvuso_plan_objectives, hocvuso_plan)"), "now-30d",
    ),
}  # fmt: skip


def write() -> None:
    """Write the files that Grafana reads."""
    for name, made in BOARDS.items():
        (FOLDER / name).write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
