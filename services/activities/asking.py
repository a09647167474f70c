"""What commands need to ask the API of activities: options, a client, answers or an end."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from shared.settings import CommonSettings, key_in

KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="file with the key; default the administrator's")
]
Url = Annotated[str | None, typer.Option("--url", help="address of activities")]


def connect(url: str | None, key_file: Path | None) -> httpx.Client:
    """A client of activities that holds the key; ends the command when there is none."""
    settings = CommonSettings()
    key = key_in(key_file) if key_file else settings.admin_key()
    if not key:
        fail("No key: set HOCVUSO_ADMIN_KEY_FILE, or name a file with --key-file.")
    return httpx.Client(
        base_url=url or settings.activities_url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=httpx.Timeout(120, connect=5),
        trust_env=False,
    )


def fail(message: str) -> NoReturn:
    """Say why and end with 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


def ask(
    client: httpx.Client,
    method: str,
    path: str,
    body: Any = None,
    params: dict[str, str] | None = None,
) -> Any:
    """The JSON of an answer; ends the command with detail and hint of a problem."""
    try:
        answer = client.request(method, path, json=body, params=params)
    except httpx.TransportError as error:
        fail(f"activities does not answer at {client.base_url} ({type(error).__name__}).")
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
        where = f" ({problem['pointer']})" if "pointer" in problem else ""
        fail(f"{problem['detail']}{where}\n{problem.get('hint', '')}".strip())
    except (ValueError, KeyError):
        fail(f"activities answered HTTP {answer.status_code}.")
