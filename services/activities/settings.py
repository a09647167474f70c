"""Settings of activities: environment variables `HOCVUSO_ACTIVITIES_...` and the shared ones."""

from pathlib import Path

from pydantic import Field

from shared.settings import CommonSettings


class ActivitiesSettings(CommonSettings):
    """Where activities keeps its log and its pseudonym key."""

    activities_database_url: str = Field(description="postgresql://... of the event log")
    pseudonym_key_file: Path | None = Field(
        default=None, description="file with the pseudonym key (64 hex digits); never rotates"
    )
