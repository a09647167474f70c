"""Settings of registry, from the environment with the prefix `HOCVUSO_`."""

from pydantic import Field

from shared.settings import CommonSettings


class RegistrySettings(CommonSettings):
    """What registry needs beside the addresses that every process knows."""

    registry_database_url: str = Field(description="PostgreSQL that also holds schema indicators")
    registry_open: bool = Field(
        default=False,
        description="anyone who reaches the port may read pages and tables without a key: for a"
        " pilot on the loopback address only; off until the province publishes its tables",
    )
    registry_pool_size: int = Field(default=8, ge=2, description="database connections")
    longest_wait_seconds: float = Field(
        default=30, gt=0, description="limit of ?wait= of tables that wait for a position"
    )
    report_scanner: str = Field(
        default="",
        description="command that reads an uploaded file from its input and ends with 0 (clean) or 1"
        " (infected), for example `clamdscan --no-summary -`; no scanner is built in",
    )
    report_trust_roots: str = Field(
        default="",
        description="file of PEM certificates that signatures of uploaded PDF files are checked"
        " against; without it a page says that who signed was not checked",
    )
