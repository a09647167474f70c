"""Settings of metrics."""

from pydantic import Field

from shared.settings import CommonSettings


class MetricsSettings(CommonSettings):
    """What the API, the worker and the CLI of metrics need beyond the common settings."""

    metrics_database_url: str = Field(
        default="postgresql://postgres@127.0.0.1:5432/hocvuso",
        description="PostgreSQL with the schema `metrics` (`indicators` beside it)",
    )
    metrics_worker_name: str | None = Field(
        default=None, description="name of this worker; default: metrics-HOST-PID"
    )
    metrics_park_limit: int = Field(
        default=50, ge=1, description="parked subjects in one batch beyond which the worker stops"
    )
