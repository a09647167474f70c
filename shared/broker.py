"""Where the Kafka brokers are and how a process proves to them who it is."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class Broker:
    """An address with its security; a bare address in its place means PLAINTEXT."""

    servers: str
    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    long_poll: bool = False
    """Whether a fetch that waits is answered as soon as there is something (Apache Kafka does). The
    embedded broker looks now and then and answers when the time is over."""

    def place(self) -> dict[str, str | int]:
        """The server as spans say it, where only one is named: of several it could be any."""
        host, _, port = self.servers.rpartition(":")
        if "," in self.servers or not host or not port.isdecimal():
            return {}
        return {"server.address": host.strip("[]"), "server.port": int(port)}

    def options(self) -> dict[str, Any]:
        """The arguments that every client of aiokafka takes.

        Files are read anew for each client, so that a changed password needs no restart. Raises
        ValueError when the security is asked for and not complete, OSError for unreadable files.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": self.servers,
            "security_protocol": self.protocol,
        }
        if self.protocol in ("SSL", "SASL_SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
        if self.protocol.startswith("SASL"):
            if self.username is None or self.password_file is None:
                raise ValueError(
                    f"{self.protocol} needs HOCVUSO_KAFKA_USERNAME and HOCVUSO_KAFKA_PASSWORD_FILE"
                )
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password_file.read_text().strip()
        return options


def options_of(broker: Broker | str) -> dict[str, Any]:
    """The arguments for a broker, or for a bare address."""
    return (Broker(broker) if isinstance(broker, str) else broker).options()
