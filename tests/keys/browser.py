"""A real browser without a driver: Chromium over its DevTools protocol."""

import asyncio
import base64
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)  # fmt: skip
PATIENCE_S = 60
GONE = -32000  # "Inspected target navigated or closed": asked in the moment between two pages


class PageGoneError(Exception):
    """The page was left while it was asked; the next page can be asked again."""


class Page:
    """One page of the browser. `requests`: every address it asked for; `log`: what it complained."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []
        self.log: list[str] = []

    async def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        await self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self._socket.recv(), PATIENCE_S))
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            elif answer.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.log.append(json.dumps(answer["params"]))
            if answer.get("id") == self._number:
                if answer.get("error", {}).get("code") == GONE:
                    raise PageGoneError(answer["error"]["message"])
                assert "error" not in answer, answer
                return answer["result"]

    async def open(self, address: str) -> None:
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self._call(f"{domain}.enable")
        await self._call("Page.navigate", url=address)

    async def run(self, script: str, *, wait: bool = False) -> Any:
        """The value of an expression in the page; with `wait` what its promise leads to."""
        result = await self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=wait
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true, over any change of page."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            with contextlib.suppress(PageGoneError):
                if value := await self.run(script):
                    return value
            assert asyncio.get_running_loop().time() < deadline, (script, self.log)
            await asyncio.sleep(0.1)

    async def click(self, selector: str) -> None:
        """Click what may lead to another page."""
        with contextlib.suppress(PageGoneError):
            await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def type(self, text: str) -> None:
        """Type into what has the focus, as a person does."""
        await self._call("Input.insertText", text=text)

    async def resize(self, width: int, height: int = 900) -> None:
        """A window of another size, in CSS pixels."""
        await self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    async def show(self, text: str) -> None:
        """Put a whole document in place of the page that is open; its style comes from there."""
        tree = await self._call("Page.getFrameTree")
        frame = tree["frameTree"]["frame"]["id"]
        await self._call("Page.setDocumentContent", frameId=frame, html=text)
        ready = "document.readyState === 'complete' && document.styleSheets.length > 0"
        await self.until(ready)

    async def choose_file(self, selector: str, file: Path) -> None:
        """Choose a file, as a person does in the window that a file field opens."""
        document = await self._call("DOM.getDocument")
        found = await self._call(
            "DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector
        )
        await self._call("DOM.setFileInputFiles", nodeId=found["nodeId"], files=[str(file)])

    async def shoot(self, file: Path) -> None:
        """A picture of the whole page as a PNG, kept for whoever looks at it."""
        size = (await self._call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": min(size["height"], 6000),
            "scale": 1,
        }
        taken = await self._call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(taken["data"]))

    async def script_off(self) -> None:
        """Pages run no script of theirs from now on."""
        await self._call("Emulation.setScriptExecutionDisabled", value=True)

    async def press_enter(self) -> None:
        for kind in ("keyDown", "keyUp"):
            await self._call(
                "Input.dispatchKeyEvent", type=kind, key="Enter", text="\r",
                windowsVirtualKeyCode=13,
            )  # fmt: skip


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own, and its page."""
    assert CHROMIUM is not None
    profile = folder / "profile"
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *(f"--user-data-dir={profile}", "--remote-debugging-port=0", "--window-size=420,900"),
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        found = profile / "DevToolsActivePort"
        async with asyncio.timeout(PATIENCE_S):
            while not found.exists() or not found.read_text().strip():
                await asyncio.sleep(0.1)
        port = found.read_text().split()[0]
        async with httpx.AsyncClient(trust_env=False) as client:
            pages = (await client.get(f"http://127.0.0.1:{port}/json/list")).json()
        address = next(p for p in pages if p["type"] == "page")["webSocketDebuggerUrl"]
        async with connect(address, max_size=2**24, proxy=None) as socket:
            yield Page(socket)
    finally:
        process.kill()
        await process.wait()
