"""Persons sent through every door, good and bad, wherever a caller may write anything."""

import asyncio
import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import httpx
from aiokafka import AIOKafkaProducer

from deploy.local.stack import LocalStack
from tests.activities.fake import event
from tests.xapi.samples import statement

CCCD, PHONE, NAME, MAIL = "066204012345", "0905123456", "Nguyễn Thị Bình", "binh.66@example.vn"
ACCOUNT = "tai-khoan-binh-1966"
PERSONAL = (CCCD, PHONE, "+84905123456", NAME, "Nguy\\u1ec5n Th\\u1ecb B\\u00ecnh", MAIL, ACCOUNT)
KAFKA = "doorkafka"
SOURCE = "https://telecom.example/training"


def _facts() -> list[dict[str, Any]]:
    good = event(
        data={
            "person": {"scheme": "account", "value": ACCOUNT},
            "target_groups": ["adult"],
            "platform": "vneid",
        }
    )
    inside = [
        {**good, "id": f"door-{scheme}", "data": {**good["data"], "person": {"scheme": scheme, "value": value}}}
        for scheme, value in (("cccd", CCCD), ("phone", PHONE), ("account", ACCOUNT))
    ]  # fmt: skip
    misplaced = [
        {**good, "id": CCCD}, {**good, "id": "d1", "subject": CCCD}, {**good, "type": NAME},
        {**good, "id": "d2", "data": {**good["data"], "person": NAME}}, {**good, CCCD: PHONE},
        {**good, "id": "d3", "source": f"https://x.example/{PHONE}"}, {**good, "id": MAIL, "time": NAME},
        {**good, "id": "d4", "data": {**good["data"], NAME: MAIL}}, {**good, "id": "d5", "traceparent": CCCD},
        {**good, "id": "d6", "data": {**good["data"], "platform": MAIL}}, {**good, "id": MAIL},
        {**good, "id": "d7", "source": f"https://x.example/{MAIL}"}, {**good, "id": "d8", "subject": MAIL},
    ]  # fmt: skip
    return inside + misplaced


def knock(stack: LocalStack, key: str, trace: dict[str, str]) -> list[int]:
    """Send to all doors over HTTP and Kafka; the statuses of HTTP, in order."""
    about = {
        **trace, "tracestate": f"v={CCCD}", "baggage": f"who={PHONE},mail={MAIL}",
        "User-Agent": f"{PHONE} {MAIL}", "X-Request-Id": CCCD, "Cookie": f"name={ACCOUNT}",
        "Authorization": f"Bearer {key}",
    }  # fmt: skip
    said: list[int] = []
    with httpx.Client(trust_env=False, timeout=60, headers=about) as client:

        def send(method: str, service: str, path: str, kind: str = "", **more: Any) -> None:
            if kind:
                more["headers"] = {"Content-Type": kind, **more.get("headers", {})}
            said.append(client.request(method, stack.urls[service] + path, **more).status_code)

        facts = _facts()
        for fact in facts:
            send("POST", "activities", "/v1/events", "application/cloudevents+json",
                 content=json.dumps(fact))  # fmt: skip
        send("POST", "activities", "/v1/events", "application/cloudevents-batch+json",
             content=json.dumps(facts, ensure_ascii=False))  # fmt: skip
        ce = {f"ce-{k}": quote(str(v)) for k, v in facts[0].items() if k != "data"}
        for changed in ({}, {"ce-id": CCCD}, {"ce-subject": PHONE}, {f"ce-x{CCCD}": MAIL}):
            send("POST", "activities", "/v1/events", "application/json",
                 content=json.dumps(facts[0]["data"]), headers={**ce, **changed})  # fmt: skip
        lines = "\n".join(json.dumps(fact) for fact in facts) + "\n" + "{broken " + CCCD + "\n"
        for name in ("door", CCCD):
            send("PUT", "activities", f"/v1/streams/{name}", "application/x-ndjson",
                 content=lines.encode())  # fmt: skip
        actors = (
            {"name": NAME, "mbox": f"mailto:{MAIL}"}, {"mbox": MAIL},
            {"name": NAME, "account": {"homePage": "https://mooc.example", "name": ACCOUNT}},
        )  # fmt: skip
        for actor in actors:
            send("POST", "activities", "/xapi/statements",
                 json=statement(actor=actor), headers={"X-Experience-API-Version": "1.0.3"})  # fmt: skip
        send("GET", "activities", "/xapi/statements",
             params={"agent": json.dumps({"mbox": f"mailto:{MAIL}"})},
             headers={"X-Experience-API-Version": "1.0.3"})  # fmt: skip
        send(
            "POST",
            "activities",
            "/v1/reconciliations/manifest",
            "text/plain",
            content=f"{CCCD}\n{MAIL}\n",
        )
        send("POST", "activities", "/v1/quarantine/1/replay", json={"subject": CCCD, "name": NAME})
        send("POST", "activities", "/v1/keys", json={"name": ACCOUNT, "roles": [NAME]})
        for service in ("registry", "activities", "metrics"):
            for path in (f"/v1/units/{PHONE}?on={NAME}", f"/{CCCD}?name={MAIL}",
                         f"/v1/events?source={MAIL}&id={CCCD}", f"/v1/cells?plan={CCCD}",
                         f"/v1/plans/{ACCOUNT}/table?unit={CCCD}"):  # fmt: skip
                send("GET", service, path)
            send(f"X{CCCD}", service, "/v1/events")
        order = {"roles": ["telecom"], "sources": [SOURCE], "subtree": "VN@2025", "partitions": 1}
        send("PUT", "activities", f"/v1/intake/{KAFKA}", json=order)
    send_file(stack)
    asyncio.run(_produce(stack, facts, trace))
    return said


def send_file(stack: LocalStack) -> None:
    """`hocvuso send` of a table with people in the right column and in wrong ones."""
    with TemporaryDirectory() as folder:
        table = Path(folder, "nguoi.csv")
        with table.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([
                ["Mã xã", "Ngày", "Số CCCD", "Nhóm đối tượng", "Nền tảng"],
                ["24133", "30/06/2026", CCCD, "adult", "VNeID"],
                ["24133", "30/06/2026", PHONE, "adult", "VNeID"],
                ["24133", "30/06/2026", CCCD, "adult", MAIL],
                [CCCD, "30/06/2026", CCCD, "adult", "VNeID"],
                ["24133", NAME, CCCD, MAIL, "VNeID"],
            ])  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "services.activities.cli", "send", str(table),
             "--type", "citizen.certified", "--source", "https://congan.daklak.example/vneid"],
            env={**os.environ, "HOCVUSO_ACTIVITIES_URL": stack.urls["activities"],
                 "HOCVUSO_ADMIN_KEY_FILE": str(stack.home.admin_key), "XDG_CONFIG_HOME": folder},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    printed = done.stdout + done.stderr
    assert "đã nhận 1, đã có từ trước 0, bị từ chối 4" in printed, printed
    assert not [text for text in PERSONAL if text in printed], "a person is printed"


async def _produce(stack: LocalStack, facts: list[dict[str, Any]], trace: dict[str, str]) -> None:
    """The same over Kafka, once the intake has made the topic."""
    servers = stack.bootstrap_servers
    producer = AIOKafkaProducer(bootstrap_servers=servers, request_timeout_ms=20_000)
    await producer.start()
    traced = [(name, value.encode()) for name, value in trace.items()]
    try:
        topic = f"hocvuso.intake.{KAFKA}.v1"
        for _ in range(60):
            if (
                await producer.client.force_metadata_update()
                and topic in producer.client.cluster.topics()
            ):
                break
            await asyncio.sleep(0.5)
        for number, fact in enumerate(facts):
            kind = [("content-type", b"application/cloudevents+json"), *traced]
            said = fact
            if str(fact["id"]).startswith("door-"):
                data = {k: v for k, v in fact["data"].items() if k != "platform"}
                said = {
                    **fact,
                    "source": SOURCE,
                    "type": "vn.hocvuso.training.attended",
                    "data": data,
                }
            await producer.send_and_wait(topic, json.dumps(said).encode(), headers=kind)
            if number == 0:
                body = json.dumps(fact["data"]).encode()
                headers = [("content-type", b"application/json"), ("ce_id", CCCD.encode()),
                           (CCCD, MAIL.encode()), *traced]  # fmt: skip
                await producer.send_and_wait(topic, body, headers=headers)
        await producer.send_and_wait(topic, b"{" + CCCD.encode(), headers=traced)
    finally:
        await producer.stop()
