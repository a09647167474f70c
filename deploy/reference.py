"""Pages made from the code: docs/configuration.md, docs/metrics.md, docs/tasks.md, docs/readings.md.
`make generate` writes them.

Settings come from the settings classes; variables that are read elsewhere are listed here with
the file that reads them, and a test finds those that are missing.
"""

import json
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy import plan_pages, readings
from deploy.grafana import boards
from services.activities.settings import ActivitiesSettings
from services.metrics.settings import MetricsSettings
from services.registry.settings import RegistrySettings
from services.registry.web import problem_words
from shared.exposition import series
from shared.instruments import MEASUREMENTS
from shared.measuring import Counter, Gauge, Instrument
from shared.settings import CommonSettings

DOCS = Path(__file__).parents[1] / "docs"

SECTIONS: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("Every process", CommonSettings),
    ("activities, relay and intake", ActivitiesSettings),
    ("metrics and worker", MetricsSettings),
    ("registry", RegistrySettings),
)

ELSEWHERE: tuple[tuple[str, str, str, str], ...] = (
    ("HOCVUSO_LOG_LEVEL", "`INFO`", "level of the JSON logs", "shared/telemetry.py"),
    ("HOCVUSO_CLOCK_SHIFT_SECONDS", "`0`", "moves the clock, for tests", "shared/clock.py"),
    ("KAFKA_BOOTSTRAP_SERVERS", "", "as HOCVUSO_KAFKA_BOOTSTRAP_SERVERS", "shared/settings.py"),
    ("HOCVUSO_HOME", "`.hocvuso`", "state of the system on one machine", "deploy/local/home.py"),
    (
        "HOCVUSO_BACKUP_DIR",
        "`backups` in the home",
        "where `hocvuso doctor` looks for backups",
        "deploy/doctor/files.py",
    ),
    (
        "HOCVUSO_SECRETS",
        "`../hocvuso-secrets`",
        "where the containers' secrets lie, outside the repository",
        "docker-compose.yml",
    ),
    (
        "HOCVUSO_SUPERUSER_DATABASE_URL",
        "",
        "in the images: the database that `backup`, `restore` and `drill` speak to",
        "deploy/local/backup_cli.py",
    ),
    (
        "HOCVUSO_ORIGIN",
        "",
        "`https://...` as callers know it; `hocvuso doctor` looks at its name and certificate",
        "deploy/doctor/network.py",
    ),
    (
        "HOCVUSO_ORIGIN_CERTIFICATE_FILE",
        "`/run/secrets/origin_certificate`",
        "certificate whose end `hocvuso doctor` looks at",
        "deploy/doctor/network.py",
    ),
    (
        "HOCVUSO_KAFKA_HOME",
        "",
        "an unpacked Apache Kafka 4 for `make up`",
        "deploy/local/broker.py",
    ),
    ("HOCVUSO_TANSU_BIN", "", "the broker's program for `make up`", "deploy/local/broker.py"),
    (
        "HOCVUSO_POSTGRES_BIN",
        "",
        "the programs of PostgreSQL 18 for `make up`",
        "deploy/local/postgres.py",
    ),
    (
        "HOCVUSO_DATABASE",
        "`postgres:5432/hocvuso`",
        "host:port/database, in containers",
        "deploy/docker/entrypoint.py",
    ),
    ("HOCVUSO_BACKUP_KEEP", "`14`", "backups that are kept, in containers", "docker-compose.yml"),
    ("HOCVUSO_TLS_PORT", "8443", "the origin's port on this machine (TLS)", "docker-compose.yml"),
    ("HOCVUSO_PORT", "8000", "the port that leads there from plain HTTP", "docker-compose.yml"),
    ("HOCVUSO_GRAFANA_PORT", "`3000`", "Grafana's port on this machine", "docker-compose.yml"),
    ("HOCVUSO_PROMETHEUS_PORT", "`9090`", "Prometheus' port on this machine", "docker-compose.yml"),
)

STANDARD: tuple[tuple[str, str], ...] = (
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "where traces and metrics go (OTLP over HTTP); unset: nowhere"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, ..._METRICS_ENDPOINT", "the same, for one of them"),
    ("OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER", "`none`: do not send them"),
    ("OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG", "which traces are kept (operations.md)"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "milliseconds between two exports of metrics; 60000"),
    ("OTEL_BSP_SCHEDULE_DELAY and the other OTEL_BSP_*", "how spans are batched"),
)

_MADE = "Made from the code by `make generate`; a test keeps it true.\n"


def configuration() -> str:
    """docs/configuration.md."""
    lines = [
        "# Configuration\n",
        _MADE,
        "All settings are environment variables. Secrets are files: a variable that ends in `_FILE`"
        " names one. How to run it: [operations.md](operations.md).\n",
    ]
    common = set(CommonSettings.model_fields)
    for title, settings in SECTIONS:
        own = {
            name: info
            for name, info in settings.model_fields.items()
            if settings is CommonSettings or name not in common
        }
        lines += [f"## {title}\n", "| variable | default | what |", "|---|---|---|"]
        lines += [_row(name, info) for name, info in own.items()] + [""]
    lines += ["## Read elsewhere\n", "| variable | default | what | read by |", "|---|---|---|---|"]
    lines += [f"| `{n}` | {d or 'unset'} | {w} | `{f}` |" for n, d, w, f in ELSEWHERE] + [""]
    lines += ["## OpenTelemetry\n", "| variable | what |", "|---|---|"]
    lines += [f"| `{n}` | {w} |" for n, w in STANDARD]
    return "\n".join(lines) + "\n"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"HOCVUSO_{name.upper()}"


def _row(name: str, info: FieldInfo) -> str:
    described = " ".join((info.description or "").split()).replace("|", "\\|")
    words = _words(info.annotation)
    if words:
        described = f"{described}: {words}"
    return f"| `{variable(name)}` | {_default(info)} | {described} |"


def _words(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return next((w for w in map(_words, get_args(annotation)) if w), "")
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    return ""


def _default(info: FieldInfo) -> str:
    default = info.default
    if default is PydanticUndefined:
        return (
            "**required**"
            if info.default_factory is None
            else f"`{info.get_default(call_default_factory=True)}`"
        )
    if default is None:
        return "unset"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def metrics() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics\n",
        _MADE,
        "`GET /metrics` of registry, activities and metrics; of relay, worker and intake on the"
        " ports that [configuration.md](configuration.md) names. By OTLP where"
        " `OTEL_EXPORTER_OTLP_ENDPOINT` is set. As OpenMetrics, the histograms carry exemplars: a"
        " slow bucket names a trace that fell into it. What the alerts make of them:"
        " [runbooks.md](runbooks.md).\n",
        "A value read from a database that is older than 30 seconds is not shown: nobody knows it"
        " any more. `hocvuso_look_ok` says which look fails.\n",
        "| in Prometheus | in OpenTelemetry | kind, unit | what | labels |",
        "|---|---|---|---|---|",
    ]
    lines += [_metric(instrument) for instrument in MEASUREMENTS.instruments.values()]
    return "\n".join(lines) + "\n"


def _metric(one: Instrument) -> str:
    kind = "counter" if isinstance(one, Counter) else "gauge" if isinstance(one, Gauge) else None
    names = series(one)
    shown = f"`{names[0]}`" if kind else f"`{names[0].removesuffix('_bucket')}`"
    labels = ", ".join(f"`{name.replace('.', '_')}`" for name in one.attributes)
    return (
        f"| {shown} | `{one.name}` | {kind or 'histogram'}, {one.unit} | {one.description}"
        f" | {labels} |"
    )


PAGES = {
    "configuration.md": configuration,
    "metrics.md": metrics,
    "readings.md": readings.page,
    "tasks.md": plan_pages.tasks,
}

WORDS = DOCS.parent / "clients" / "cli" / "src" / "hocvuso_cli" / "data" / "problems_vi.json"


def words() -> str:
    """What the service refuses, in Vietnamese, by code: shipped with the command of senders."""
    return (
        json.dumps(dict(sorted(problem_words.WORDS.items())), ensure_ascii=False, indent=1) + "\n"
    )


def main() -> None:
    """Write the pages and the dashboards."""
    for name, made in PAGES.items():
        (DOCS / name).write_text(made(), encoding="utf-8")
    WORDS.write_text(words(), encoding="utf-8")
    boards.write()


if __name__ == "__main__":
    main()
