"""Alert rules: they ask for what exists, each has its runbook, and each is proven to fire."""

import re
import subprocess

import pytest
import yaml

from tests.observability.promql import (
    ROOT,
    RULES,
    known_labels,
    known_metrics,
    labels_of,
    metrics_of,
    rules,
    tool,
)

ALERTS = rules("alerts.yaml")
CASES = ROOT / "deploy" / "prometheus" / "tests" / "alerts.yaml"


@pytest.mark.parametrize(
    "rule", [*ALERTS, *rules("recording.yaml")], ids=lambda r: r.get("alert") or r["record"]
)
def test_rules_ask_for_metrics_and_labels_that_exist(rule: dict[str, str]) -> None:
    assert metrics_of(rule["expr"])
    assert metrics_of(rule["expr"]) <= known_metrics()
    assert labels_of(rule["expr"]) <= known_labels()


@pytest.mark.parametrize("rule", ALERTS, ids=lambda r: r["alert"])
def test_every_alert_has_a_runbook_and_a_severity(rule: dict[str, dict[str, str]]) -> None:
    name = str(rule["alert"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = (ROOT / page).read_text(encoding="utf-8")
    assert anchor == name.lower()
    paragraph = re.search(rf"^## {name}\n\n(.+?)(?=\n## |\Z)", text, re.M | re.S)
    assert paragraph and len(paragraph[1]) > 150, "a runbook says what it means and what to do"


def test_no_runbook_is_left_over() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs/runbooks.md").read_text(), re.M)
    assert headings == [rule["alert"] for rule in ALERTS]


def test_every_alert_is_shown_to_fire_and_to_be_quiet() -> None:
    for rule, case in zip(ALERTS, yaml.safe_load(CASES.read_text())["tests"], strict=True):
        name = rule["alert"]
        firing = [
            bool(question["exp_samples"])
            for question in case["promql_expr_test"]
            if f'alertname="{name}", alertstate="firing"' in question["expr"]
        ]
        assert case["name"] == name and True in firing and False in firing, name


def test_promtool_accepts_the_rules_and_their_cases_hold() -> None:
    promtool = tool("promtool")
    for command in (["check", "rules", *RULES.glob("*.yaml")], ["test", "rules", CASES]):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_what_a_process_says() -> None:
    from shared import exposition, instruments

    instruments.HTTP_DURATION.record(0.1, "GET", "http", "/x", 200, None)
    instruments.POOL.set(1, "activities", "idle")
    instruments.EVENTS.add(1, "accepted", "rest", "p", "t")
    text = exposition.render(open_metrics=False)
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    # The semantic conventions name a gauge db.client.connection.count; the linter would not.
    faults = [x for x in done.stderr.splitlines() if not x.startswith("db_client_connection_count")]
    assert not faults and not done.stdout, done.stdout + done.stderr
