"""The examples do what they say, run as a partner would run them."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.activities.intake.messages import event_of
from services.activities.intake.model import Message
from tests.intake.conftest import APACHE, System, apache_only

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "kafka"


async def run(*command: str, cwd: Path | None = None, code: int = 0) -> str:
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=cwd, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


async def produce(system: System, *more: str, code: int = 0) -> str:
    return await run(
        sys.executable, str(EXAMPLES / "producer.py"), "--partner", system.partner,
        "--servers", str(system.broker), *more, *([] if APACHE else ["--no-idempotence"]),
        code=code,
    )  # fmt: skip


@pytest.mark.stack
async def test_the_python_producer_says_what_became_of_its_own_messages(system: System) -> None:
    # As the documentation lets a partner in: its own name is the host of its source.
    await system.enable(sources=[f"https://{system.partner}.example/"])
    system.start()
    await system.topic_there()
    said = await produce(system, "--count", "6")
    assert "sent 6, refused 0, accepted or known before 6" in said
    assert sorted(await system.accepted()) == [f"example-{n:06}" for n in range(6)]
    other = "https://telecom.example/other"
    said = await produce(system, "--count", "2", "--source", other, code=2)
    assert "sent 2, refused 2, accepted or known before 0" in said
    # Again: what was refused before is nothing of this run.
    said = await produce(system, "--count", "6")
    assert said.splitlines() == ["sent 6, refused 0, accepted or known before 6"]
    assert len(await system.accepted()) == 6


@pytest.mark.stack
async def test_the_python_producer_ends_when_nobody_reads(system: System) -> None:
    await system.enable(sources=[f"https://{system.partner}.example/"])
    system.start()
    await system.topic_there()
    await system.stop()
    said = await produce(system, "--count", "2", "--wait", "1", code=1)
    assert "2 are not dealt with" in said


@apache_only
@pytest.mark.stack
@pytest.mark.skipif(shutil.which("javac") is None, reason="no Java compiler")
async def test_the_java_producer(system: System, tmp_path: Path) -> None:
    jars = os.environ["HOCVUSO_KAFKA_HOME"] + "/*"
    await run("javac", "-cp", jars, "-d", str(tmp_path), str(EXAMPLES / "Producer.java"))
    await system.enable(sources=[f"https://{system.partner}.example/"])
    system.start()
    await system.topic_there()
    said = await run(
        "java", "-cp", f"{jars}:{tmp_path}", "Producer", system.partner, str(system.broker), "6"
    )
    assert "sent 6" in said
    await system.read_to_end()
    assert sorted(await system.accepted()) == [f"java-{n:06}" for n in range(6)]


def test_the_java_producer_says_what_the_contract_says() -> None:
    """Without a compiler too: its topic, its headers and its attributes are those we read."""
    text = (EXAMPLES / "Producer.java").read_text()
    assert '"hocvuso.intake." + arguments[0] + ".v1"' in text
    attributes = dict(re.findall(r'attributes\.put\("([a-z]+)", (?:"([^"]*)"|[a-zA-Z]+)\)', text))
    assert set(attributes) == {"specversion", "id", "source", "type", "subject", "time"}
    types = re.findall(r'add\("content-type", utf8\("([^"]+)"\)\)', text)
    assert types == ["application/json", "application/cloudevents+json"]
    headers = [(f"ce_{k}", (v or "x").encode()) for k, v in attributes.items()]
    headers.append(("content-type", types[0].encode()))
    assert isinstance(event_of(Message(0, 0, 0, b"{}", tuple(headers))), bytes)
