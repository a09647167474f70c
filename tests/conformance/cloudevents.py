"""Events as the CloudEvents SDKs write them: Python, JavaScript, Java."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import platformdirs
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.conformance.instance import Instance
from tests.conformance.report import Report, run
from tests.conformance.tools import fetched, npm_package, program

JAVASCRIPT = "10.0.0"
JAVA = "4.0.1"
SDKS = Path(__file__).with_name("sdks")
RUN_S = 300


def _judge(report: Report, answers: Iterable[dict[str, Any]]) -> None:
    """First taken, again known: by statuses, whole and within a batch."""
    for answer in answers:
        first, body = answer["name"].endswith("first"), answer["body"]
        wanted = "accepted" if first else "duplicate"
        many = "results" in body
        statuses = [one["status"] for one in body["results"]] if many else [body.get("status")]
        good = answer["status"] == (201 if first and not many else 200)
        report.check(good and set(statuses) == {wanted}, json.dumps(answer)[:400])


def python(instance: Instance) -> Report:
    """The SDK for Python: structured and binary mode."""

    def event(id: str) -> CloudEvent:
        return CloudEvent(
            {"id": id, "source": "https://congan.daklak.example/vneid", "subject": "24133",
             "type": "vn.hocvuso.class.held", "specversion": "1.0",
             "datacontenttype": "application/json",
             "time": datetime.fromisoformat("2026-06-30T08:00:00+07:00")},
            {"participants": 7, "note": "Lớp học buổi tối"},
        )  # fmt: skip

    def work(report: Report) -> None:
        answers = []
        for name in ("first", "again"):
            for mode, write in (("structured", to_structured), ("binary", to_binary)):
                message = write(event(f"python-{mode}"), JSONFormat())
                answer = httpx.post(
                    f"{instance.activities}/v1/events", content=message.body, trust_env=False,
                    headers={**message.headers, "Authorization": f"Bearer {instance.key}"},
                )  # fmt: skip
                answers.append(
                    {"name": f"{mode} {name}", "status": answer.status_code, "body": answer.json()}
                )
        _judge(report, answers)

    return run("cloudevents-python", version("cloudevents"), work)


def javascript(instance: Instance) -> Report:
    """The SDK for JavaScript, where Node.js is."""

    def work(report: Report) -> None:
        home = npm_package("cloudevents", JAVASCRIPT)
        script = home / "post.js"
        script.write_bytes((SDKS / "post.js").read_bytes())
        _judge(report, _lines([program("node"), str(script), instance.activities, instance.key]))

    return run("cloudevents-javascript", JAVASCRIPT, work)


_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>vn.hocvuso</groupId><artifactId>conformance</artifactId><version>1</version>
<dependencies>
<dependency><groupId>io.cloudevents</groupId><artifactId>cloudevents-http-basic</artifactId>
<version>{JAVA}</version></dependency>
<dependency><groupId>io.cloudevents</groupId><artifactId>cloudevents-json-jackson</artifactId>
<version>{JAVA}</version></dependency>
</dependencies></project>
"""


def java(instance: Instance) -> Report:
    """The SDK for Java, where a compiler and Maven are."""

    def work(report: Report) -> None:
        compiler, runner, jars = program("javac"), program("java"), _jars()
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [compiler, "-encoding", "UTF-8", "-cp", f"{jars}/*", "-d", folder,
                 str(SDKS / "Post.java")],
                check=True, capture_output=True, timeout=RUN_S,
            )  # fmt: skip
            path = os.pathsep.join((f"{jars}/*", folder))
            command = [runner, "-Dfile.encoding=UTF-8", "-cp", path, "Post"]
            _judge(report, _lines([*command, instance.activities, instance.key]))

    return run("cloudevents-java", JAVA, work)


def _jars() -> Path:
    maven = program("mvn")
    home = platformdirs.user_cache_path("hocvuso") / "conformance" / f"cloudevents-java-{JAVA}"
    if not (home / ".complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "pom.xml").write_text(_POM)
        fetched(
            [maven, "-B", "-q", "-f", str(home / "pom.xml"), "dependency:copy-dependencies",
             f"-DoutputDirectory={home}"],
            f"cloudevents {JAVA}",
        )  # fmt: skip
        (home / ".complete").touch()
    return home


def _lines(command: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    return [json.loads(line) for line in done.stdout.splitlines()]
