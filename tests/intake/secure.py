"""Apache Kafka as a production cluster has it: SASL_SSL, SCRAM users, and rules for everybody."""

import asyncio
import contextlib
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from deploy.local.apache_kafka import _classpath, java
from deploy.local.ports import free_port
from services.activities.intake.kafka import Kafka
from shared.broker import Broker

USERS = ("broker", "hocvuso", "one", "two")
LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule"


class Cluster:
    """A broker that lets nobody in without a password, and nobody do what no rule allows."""

    def __init__(self, folder: Path, kafka_home: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._controller = free_port()
        self._java, self._classpath = java(), _classpath(kafka_home)
        self.passwords = {user: secrets.token_hex(12) for user in USERS}
        for user, password in self.passwords.items():
            (folder / f"{user}.password").write_text(password + "\n")

    def user(self, name: str, **changes: object) -> Broker:
        """The cluster as a user sees it."""
        values: dict[str, object] = {
            "servers": f"127.0.0.1:{self.port}",
            "protocol": "SASL_SSL",
            "mechanism": "SCRAM-SHA-512",
            "username": name,
            "password_file": self.folder / f"{name}.password",
            "ca_file": self.folder / "ca.pem",
            **changes,
        }
        return Broker(**values)  # type: ignore[arg-type]

    def properties(self) -> Mapping[str, str]:
        login = f'{LOGIN} required username="broker" password="{self.passwords["broker"]}";'
        listener, controller = f"127.0.0.1:{self.port}", f"127.0.0.1:{self._controller}"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"SASL_SSL://{listener},CONTROLLER://{controller}",
            "advertised.listeners": f"SASL_SSL://{listener}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "SASL_SSL",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": login,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "server.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.folder / "ca.pem"),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The controller's own listener, which no client reaches, knows no users.
            "super.users": "User:broker;User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "false",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
        }

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Cluster"]:
        """Start it, wait until the super user gets in, stop it."""
        certificates(self.folder)
        properties = self.folder / "server.properties"
        properties.write_text("".join(f"{k}={v}\n" for k, v in self.properties().items()))
        tool = [self._java, "-Xmx128m", "-cp", self._classpath]
        users = [
            part
            for user, password in self.passwords.items()
            for part in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]")
        ]
        subprocess.run(
            [*tool, "kafka.tools.StorageTool", "format", "-t", "aHZzLXNlY3VyZS0wMDAwMA",
             "-c", str(properties), *users],
            check=True, capture_output=True,
        )  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [self._java, "-Xmx512m", "-XX:+UseSerialGC", "-cp", self._classpath,
                 "kafka.Kafka", str(properties)],
                stdout=log, stderr=log,
            )  # fmt: skip
            try:
                await self._ready(process)
                yield self
            finally:
                process.terminate()
                await asyncio.to_thread(process.wait)

    async def _ready(self, process: "subprocess.Popen[bytes]") -> None:
        async with asyncio.timeout(90):
            while True:
                assert process.poll() is None, (self.folder / "log").read_text()[-3000:]
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                    try:
                        async with Kafka(self.user("broker")) as kafka:
                            assert await kafka.topic("none") is None
                            return
                    except Exception:
                        await asyncio.sleep(0.3)
                await asyncio.sleep(0.2)


def certificates(folder: Path) -> None:
    """An authority of our own, and a server's certificate that leads to it."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
            "-keyout", "server.key", "-out", "server.csr")  # fmt: skip
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "server.crt")  # fmt: skip
    parts = [folder / name for name in ("server.key", "server.crt", "ca.pem")]
    (folder / "server.pem").write_text("".join(part.read_text() for part in parts))
