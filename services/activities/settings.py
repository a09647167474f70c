"""Settings of activities: environment variables `HOCVUSO_ACTIVITIES_...` and the shared ones."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from services.activities.keys.sessions import Limits
from shared.settings import CommonSettings


class ActivitiesSettings(CommonSettings):
    """Where activities keeps its log and its pseudonym key."""

    activities_database_url: str = Field(description="postgresql://... of the event log")
    pseudonym_key_file: Path | None = Field(
        default=None, description="file with the pseudonym key (64 hex digits); never rotates"
    )
    session_idle_hours: float = Field(
        default=72, gt=0, description="a browser's session ends when it was not used for so long"
    )
    session_days: float = Field(
        default=30, gt=0, description="and after so long in any case, or with its key"
    )
    quarantine_days: int = Field(
        default=90, ge=1, description="days that refused events are kept after their last refusal"
    )
    quarantine_rows: int = Field(
        default=100_000, ge=0, description="refused events that are kept for one partner"
    )
    quarantine_megabytes: int = Field(
        default=500, ge=0, description="and their size together, in MiB"
    )

    def session_limits(self) -> Limits:
        """How long sessions of browsers last."""
        return Limits(timedelta(hours=self.session_idle_hours), timedelta(days=self.session_days))
