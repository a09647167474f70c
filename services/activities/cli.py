"""Commands of activities: keys of partners, and posting a file of events."""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer

from services.activities.send.cli import send
from shared.settings import CommonSettings

keys = typer.Typer(no_args_is_help=True, help="Keys of partners.")
app = typer.Typer(
    no_args_is_help=True, help="The front door of hocvuso.", pretty_exceptions_enable=False
)
app.add_typer(keys, name="keys")
app.command()(send)

KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="file with the key; default the administrator's")
]
Url = Annotated[str | None, typer.Option("--url", help="address of activities")]


def connect(url: str | None, key_file: Path | None) -> httpx.Client:
    """A client of activities that holds the key; ends the command when there is none."""
    settings = CommonSettings()
    key = key_file.read_text().strip() if key_file else settings.admin_key()
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
    print(message, file=sys.stderr)
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


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="the partner, like cong-an-dak-lak")],
    role: Annotated[list[str], typer.Option(help="what the partner is; repeat for several")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="way in: events:write, events:stream, xapi:write, quarantine:replay; repeat;"
            " default the first two"
        ),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="URI prefix it may post for; repeat")
    ] = None,
    type: Annotated[
        list[str] | None, typer.Option(help="event type it may post (course.*); repeat")
    ] = None,
    subtree: Annotated[
        str | None, typer.Option(help="unit_id it is bound to, like 66@2025")
    ] = None,
    era: Annotated[
        str | None, typer.Option(help="era of its bare unit codes: 2004 or 2025")
    ] = None,
    expires_at: Annotated[str | None, typer.Option(help="2027-01-01T00:00:00+07:00")] = None,
    out: Annotated[Path | None, typer.Option(help="write the key to this file (0600)")] = None,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Make a key; it is shown once."""
    order = {
        "name": name, "roles": role, "sources": source or None, "types": type or None,
        "subtree": subtree, "era": era, "expires_at": expires_at,
    }  # fmt: skip
    if scope:
        order["scopes"] = scope
    with connect(url, key_file) as client:
        made = ask(client, "POST", "/v1/keys", order)
    if out is None:
        print(made["key"])
        return
    out.touch(mode=0o600)
    out.chmod(0o600)
    out.write_text(made["key"] + "\n")
    print(f"key {made['prefix']} written to {out}")


@keys.command("list")
def list_keys(url: Url = None, key_file: KeyFile = None) -> None:
    """List the keys, newest first."""
    with connect(url, key_file) as client:
        rows = ask(client, "GET", "/v1/keys")
    print(f"{'prefix':<10}{'name':<26}{'roles':<26}{'bound to':<12}{'last used':<12}state")
    for row in rows:
        state = "revoked" if row["revoked_at"] else f"until {row['expires_at'] or 'revoked'}"
        print(
            f"{row['prefix']:<10}{row['name']:<26}{','.join(row['roles']):<26}"
            f"{row['subtree'] or '-':<12}{row['last_used'] or '-':<12}{state}"
        )


@keys.command("revoke")
def revoke(
    prefix: Annotated[str, typer.Argument(help="the visible part, as `keys list` shows it")],
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """End a key."""
    with connect(url, key_file) as client:
        ask(client, "DELETE", f"/v1/keys/{prefix}")
    print(f"key {prefix} is revoked; every process refuses it within 20 seconds")


if __name__ == "__main__":
    app()
