"""Which server a command speaks to: options, then a profile, then the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from hocvuso_cli import profiles
from hocvuso_cli.console import fail
from hocvuso_cli.language import say
from hocvuso_client import Direct, HocvusoError
from hocvuso_client.answers import problem
from hocvuso_client.options import VERSION, unreachable

LOCAL = "http://127.0.0.1:8001"
TIMEOUT = httpx.Timeout(120, connect=10)

ProfileName = Annotated[
    str | None, typer.Option("--profile", help="a server by name; see `hocvuso profiles`")
]
Url = Annotated[str | None, typer.Option("--url", help="address of activities")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="file with the key; default the administrator's")
]


@dataclass(frozen=True, slots=True)
class Server:
    """Where activities is, and the key to show."""

    url: str
    key: str
    source: str | None = None

    def direct(self) -> Direct:
        """The partner client for it."""
        return Direct(self.url, self.key, timeout=TIMEOUT, trust_env=False)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer to a request; ends the command when it is none or a refusal."""
        headers = {"Authorization": f"Bearer {self.key}", "User-Agent": f"hocvuso-cli/{VERSION}"}
        headers |= more.pop("headers", {})
        try:
            answer = httpx.request(
                method, self.url + path, headers=headers, timeout=TIMEOUT, trust_env=False, **more
            )
        except httpx.TransportError as error:
            fail(away(unreachable(error, self.url)))
        if not answer.is_success:
            fail(str(problem(answer.status_code, answer.headers, answer.content)))
        return answer

    def only_source(self, given: str | None) -> str:
        """The source that was named, that of the profile, or the only one of the key."""
        if given or self.source:
            return str(given or self.source)
        with saying(), self.direct() as direct:
            sources = [s for s in direct.rights()["sources"] or [] if not s.endswith("/")]
        if len(sources) != 1:
            allowed = ", ".join(sources)
            fail(
                say(
                    vi=f"Hãy ghi nguồn: --source URI. {'Khóa cho phép: ' + allowed if allowed else ''}",
                    en=f"Say for which source: --source URI. {'The key allows: ' + allowed if allowed else ''}",
                ).rstrip()
            )
        return str(sources[0])


def server(profile: str | None, url: str | None, key_file: Path | None) -> Server:
    """The server that the options mean; ends the command when there is no key."""
    known = profiles.named(profile)
    file = key_file or (Path(known.key_file) if known else None)
    if file is None:
        named = os.environ.get("HOCVUSO_KEY_FILE") or os.environ.get("HOCVUSO_ADMIN_KEY_FILE")
        file = Path(named) if named else None
    address = url or (known.url if known else None) or os.environ.get("HOCVUSO_ACTIVITIES_URL")
    if known is None and (file is None or not address) and (known := profiles.default()):
        file, address = file or Path(known.key_file), address or known.url
    if file is None:
        fail(
            say(
                vi="Chưa có khóa. Hãy ghi --key-file TỆP, hoặc `hocvuso profiles add`.",
                en="No key. Name its file with --key-file, or once with `hocvuso profiles add`.",
            )
        )
    return Server((address or LOCAL).rstrip("/"), read_key(file), known.source if known else None)


def read_key(file: Path) -> str:
    """The key in a file, without a byte order mark, spaces or line ends around it."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        fail(
            say(
                vi=f"Không mở được tệp khóa {file} ({error.strerror}).",
                en=f"The key file {file} cannot be read ({error.strerror}).",
            )
        )
    # Notepad of Windows may save a key as UTF-16, or with a mark.
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    key = raw.decode(encoding, "replace").strip()
    if not key or not key.isascii() or len(key.split()) != 1:
        fail(
            say(
                vi=f"Tệp {file} không chứa khóa: khóa là một dòng bắt đầu bằng hv_.",
                en=f"{file} holds no key: a key is one line that begins with hv_.",
            )
        )
    return key


@contextmanager
def saying() -> Iterator[None]:
    """End the command with what the client says."""
    try:
        yield
    except HocvusoError as error:
        fail(away(error))


def away(error: HocvusoError) -> str:
    """An error of the client as a sentence for the sender."""
    return str(error)
