"""Settings that every process shares. Each service adds its own in `services/NAME/settings.py`.

All come from the environment with the prefix `HOCVUSO_`; secrets are files, named by `..._FILE`.
"""

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.auth.service import ServiceCredential, service_key
from shared.broker import Broker, Mechanism, Protocol


def _bootstrap_servers() -> str:
    return os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")


def is_safe_address(address: str) -> bool:
    """https, or http on this very machine (tests, sidecars)."""
    parts = urlsplit(address)
    if parts.username or parts.fragment or not parts.hostname:
        return False
    if parts.scheme == "https":
        return True
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.scheme == "http" and parts.hostname == "localhost"


class TrustedIssuer(BaseModel):
    """An OpenID Connect issuer whose access tokens are taken, if they are for this audience."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(description="its address, exactly as its tokens say it in `iss`")
    audience: str = Field(min_length=1, description="what its tokens for us say in `aud`")

    @field_validator("issuer")
    @classmethod
    def _https(cls, value: str) -> str:
        if not is_safe_address(value) or urlsplit(value).query:
            raise ValueError("must be an https:// address (http:// on this machine only)")
        return value


class CommonSettings(BaseSettings):
    """What every process needs to find the others."""

    model_config = SettingsConfigDict(env_prefix="HOCVUSO_", extra="ignore")

    kafka_bootstrap_servers: str = Field(
        default_factory=_bootstrap_servers, description="host:port[,host:port] of the Kafka brokers"
    )
    kafka_security_protocol: Protocol = Field(
        default="PLAINTEXT", description="how to speak to the Kafka brokers"
    )
    kafka_sasl_mechanism: Mechanism = Field(
        default="SCRAM-SHA-512", description="how to prove who we are, with SASL"
    )
    kafka_username: str | None = Field(default=None, description="our name at the Kafka brokers")
    kafka_password_file: Path | None = Field(
        default=None, description="file that holds our password at the Kafka brokers"
    )
    kafka_ca_file: Path | None = Field(
        default=None,
        description="certificates (PEM) that the brokers' must lead to; else the system's",
    )
    kafka_long_poll: bool = Field(
        default=True,
        description="fetches wait for messages at the brokers; false for the embedded broker, which"
        " answers only when the time of a fetch is over",
    )
    kafka_partitions: int = Field(
        default=8, ge=1, le=65, description="partitions of the log's topic when it is created"
    )
    registry_url: str = Field(default="http://127.0.0.1:8000", description="address of registry")
    activities_url: str = Field(
        default="http://127.0.0.1:8001", description="address of activities"
    )
    metrics_url: str = Field(default="http://127.0.0.1:8002", description="address of metrics")
    admin_key_file: Path | None = Field(
        default=None, description="file that holds the administrator's key, written by migrate"
    )
    service_key_folder: Path | None = Field(
        default=None,
        description="folder with the key of each service, NAME/service.key, written by migrate; a"
        " service needs its own only",
    )
    key_cache_seconds: float = Field(
        default=30, ge=0, description="for how long activities' answer about a key is believed"
    )
    process_metrics_host: str = Field(
        default="127.0.0.1",
        description="where the metrics ports of relay, worker and intake listen",
    )
    relay_metrics_port: int | None = Field(
        default=None, ge=0, le=65535, description="port of the relay's /metrics; unset: none"
    )
    worker_metrics_port: int | None = Field(
        default=None, ge=0, le=65535, description="port of the worker's /metrics; unset: none"
    )
    intake_metrics_port: int | None = Field(
        default=None, ge=0, le=65535, description="port of the intake's /metrics; unset: none"
    )
    oidc_issuers: list[TrustedIssuer] = Field(
        default=[],
        description='issuers whose tokens are taken: [{"issuer": "https://...", "audience": "..."}]',
    )
    sandbox: bool = Field(
        default=False, description="this instance holds simulated data; pages and exports say so"
    )

    def broker(self) -> Broker:
        """The Kafka brokers, with the security to speak to them."""
        return Broker(
            self.kafka_bootstrap_servers,
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_username,
            self.kafka_password_file,
            self.kafka_ca_file,
            self.kafka_long_poll,
        )

    def admin_key(self) -> str | None:
        """The administrator's key, where this process may read it."""
        return _secret(self.admin_key_file)

    def service_credential(self, service: str) -> ServiceCredential:
        """What a service shows when it asks another one."""
        folder = self.service_key_folder
        return ServiceCredential(None if folder is None else service_key(folder, service))


def _secret(file: Path | None) -> str | None:
    return key_in(file) if file is not None and file.exists() else None


def key_in(file: Path) -> str:
    """The key that a file holds. Ends the program with a sentence when it holds anything else."""
    try:
        key = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SystemExit(
            f"{file} cannot be read: {error.strerror}. Fix: name the key's file."
        ) from None
    except UnicodeDecodeError:
        key = ""
    if not key or not key.isprintable() or " " in key:
        raise SystemExit(
            f"{file} holds no key. Fix: put the key there, one line hv_...; `hocvuso migrate` makes"
            " the administrator's and the services' anew."
        )
    return key
