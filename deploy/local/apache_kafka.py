"""Apache Kafka 4 on this machine, without Docker: fetched by Maven, run by Java.

`python -m deploy.local.apache_kafka` fetches it where Java and Maven exist and prints the
directory, which HOCVUSO_KAFKA_HOME may then name. An unpacked distribution will do as well.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import platformdirs

from deploy.local.component import Component
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.kafka_probe import answers_metadata
from deploy.local.ports import LOOPBACK
from deploy.local.spawn import run

VERSION = "4.1.0"
_JAVA_AT_LEAST = 17
_LOG_BINDING_VERSION = "2.24.3"  # of the log4j API that this Kafka brings

# Maven knows where its repositories are; only coordinates stand here.
_POM = f"""<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>vn.hocvuso</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>{_LOG_BINDING_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


def _target() -> Path:
    return platformdirs.user_cache_path("hocvuso") / f"apache-kafka-{VERSION}"


def fetched() -> Path:
    """The directory that `fetch` made before, or that HOCVUSO_KAFKA_HOME names. Raises StackError."""
    named = os.environ.get("HOCVUSO_KAFKA_HOME")
    target = Path(named) if named else _target()
    if not target.exists():
        raise StackError(
            "Apache Kafka is not here", where=str(target),
            fix="`make test-kafka` fetches it, or name an unpacked Apache Kafka 4 in"
            " HOCVUSO_KAFKA_HOME",
        )  # fmt: skip
    java()
    return target


def fetch() -> Path:
    """Return a directory with the jars of Apache Kafka, fetching them the first time."""
    target = _target()
    if target.exists():
        return target
    java()
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(
            "Maven, which fetches Apache Kafka, is not installed",
            where="the search path (PATH)",
            fix="install Maven (the program `mvn`), or name an unpacked Apache Kafka 4 in "
            "HOCVUSO_KAFKA_HOME",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Fetched beside its place and moved there, so that a cut download is never taken for Kafka.
    with tempfile.TemporaryDirectory(dir=target.parent) as draft:
        jars = Path(draft) / "jars"
        (Path(draft) / "pom.xml").write_text(_POM)
        result = subprocess.run(
            [
                *(maven, "-B", "-q", "-f", f"{draft}/pom.xml"),
                *("dependency:copy-dependencies", f"-DoutputDirectory={jars}"),
                "-DincludeScope=runtime",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0 or not list(jars.glob("kafka_*.jar")):
            raise StackError(
                f"Maven could not fetch Apache Kafka {VERSION}: "
                f"{(result.stdout + result.stderr).strip()[-600:]}",
                where="Maven Central, or the mirror in Maven's settings",
                fix="check the network and Maven's settings.xml, or name an unpacked Apache "
                "Kafka 4 in HOCVUSO_KAFKA_HOME",
            )
        if not target.exists():
            jars.rename(target)
    return target


def java() -> str:
    """Return a Java that can run Apache Kafka 4."""
    java_home = os.environ.get("JAVA_HOME")
    program = f"{java_home}/bin/java" if java_home else shutil.which("java")
    fix = f"install a Java runtime, version {_JAVA_AT_LEAST} or newer, or run without Apache Kafka"
    try:
        if program is None:
            raise FileNotFoundError
        said = subprocess.run(
            [program, "-version"], capture_output=True, text=True, check=False
        ).stderr
    except OSError as error:
        raise StackError(
            "Java, which runs Apache Kafka, is not installed",
            where=program or "the search path (PATH)",
            fix=fix,
        ) from error
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version.group(1)) < _JAVA_AT_LEAST:
        raise StackError(
            f"Apache Kafka 4 needs Java {_JAVA_AT_LEAST}: this one is too old",
            where=program,
            fix=fix,
        )
    return program


def component(home: Home, kafka_home: Path, port: int, controller_port: int) -> Component:
    """Return a single-node Apache Kafka with its data in HOME/kafka."""
    classpath = _classpath(kafka_home)
    properties = home.run / "kafka.properties"
    program = java()

    def prepare() -> None:
        properties.write_text(_properties(home.kafka, port, controller_port))
        if not (home.kafka / "meta.properties").exists():
            _format(program, classpath, properties)

    return Component(
        name="broker",
        argv=[
            *(program, "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Dlog4j2.level=INFO"),
            *("-cp", classpath, "kafka.Kafka", str(properties)),
        ],
        env=os.environ,
        address=f"{LOOPBACK}:{port}",
        prepare=prepare,
        ready=lambda: answers_metadata(LOOPBACK, port),
        stop_within=30.0,
    )


def _classpath(kafka_home: Path) -> str:
    # `libs` in an unpacked distribution; the directory itself as Maven has filled it.
    for jars in (kafka_home / "libs", kafka_home):
        if list(jars.glob("kafka_*.jar")):
            return f"{jars}/*"
    raise StackError(
        "HOCVUSO_KAFKA_HOME names a directory without the jars of Apache Kafka",
        where=str(kafka_home),
        fix="name an unpacked Apache Kafka 4, or the directory printed by "
        "`python -m deploy.local.apache_kafka`",
    )


def _format(program: str, classpath: str, properties: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = [program, "-Xmx128m", "-cp", classpath, "kafka.tools.StorageTool", "format"]
    result = run([*tool, "-t", cluster, "-c", str(properties), "--ignore-formatted"])
    if result.returncode != 0:
        raise StackError(
            "the storage of Apache Kafka could not be formatted: "
            f"{(result.stdout + result.stderr).strip()[-600:]}",
            where=str(properties),
            fix="see what it says; the directory may be deleted, the log in PostgreSQL is the "
            "source of truth",
        )


def _properties(data: Path, port: int, controller_port: int) -> str:
    listener, controller = f"{LOOPBACK}:{port}", f"{LOOPBACK}:{controller_port}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{listener},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{listener}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        # Topics are created with their number of partitions or not at all.
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


if __name__ == "__main__":
    try:
        print(fetch())
    except StackError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(1) from problem
