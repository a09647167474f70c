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


async def run(*command: str, cwd: Path | None = None) -> str:
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=cwd, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.stack
async def test_the_python_producer(system: System) -> None:
    await system.enable()
    system.start()
    await system.topic_there()
    said = await run(
        sys.executable, str(EXAMPLES / "producer.py"), "--partner", system.partner,
        "--servers", str(system.broker), "--count", "6", *([] if APACHE else ["--no-idempotence"]),
    )  # fmt: skip
    assert "sent 6, refused 0" in said
    assert sorted(await system.accepted()) == [f"example-{n:06}" for n in range(6)]
    said = await run(
        sys.executable, str(EXAMPLES / "producer.py"), "--partner", system.partner,
        "--servers", str(system.broker), "--count", "2", "--subject", "99999",
        "--source", "https://telecom.example/other",
        *([] if APACHE else ["--no-idempotence"]),
    )  # fmt: skip
    assert "sent 2, refused 2" in said


@apache_only
@pytest.mark.stack
@pytest.mark.skipif(shutil.which("javac") is None, reason="no Java compiler")
async def test_the_java_producer(system: System, tmp_path: Path) -> None:
    jars = os.environ["HOCVUSO_KAFKA_HOME"] + "/*"
    await run("javac", "-cp", jars, "-d", str(tmp_path), str(EXAMPLES / "Producer.java"))
    await system.enable()
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
