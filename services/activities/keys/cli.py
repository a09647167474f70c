"""`hocvuso keys`: keys, clients, quotas and the audit, through the API like everybody."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from services.activities.asking import KeyFile, Url, ask, connect, fail
from services.activities.keys.files import write_secret
from shared import auth
from shared.auth.service import SERVICES, service_key
from shared.settings import CommonSettings

keys = typer.Typer(no_args_is_help=True, help="Keys of partners.")

Prefix = Annotated[str, typer.Argument(help="the visible part, as `keys list` shows it")]
Name = Annotated[str, typer.Argument(help="the partner, like cong-an-dak-lak")]
Out = Annotated[Path | None, typer.Option(help="write the key to this new file (0600)")]
Role = Annotated[list[str], typer.Option(help="what the partner is; repeat for several")]
Scope = Annotated[
    list[str] | None,
    typer.Option(
        help="what it opens: events:write, events:stream, xapi:write, quarantine:replay,"
        " tables:read (reading), staff:invite; repeat; default the first two"
    ),
]
Source = Annotated[list[str] | None, typer.Option(help="URI prefix it may post for; repeat")]
Type = Annotated[list[str] | None, typer.Option(help="event type it may post (course.*); repeat")]
Subtree = Annotated[str | None, typer.Option(help="unit_id it is bound to, like 66@2025")]
Era = Annotated[str | None, typer.Option(help="era of its bare unit codes: 2004 or 2025")]
Expires = Annotated[str | None, typer.Option(help="2027-01-01T00:00:00+07:00")]


def _order(scope: list[str] | None, **rights: Any) -> dict[str, Any]:
    return {n: v or None for n, v in rights.items()} | ({"scopes": scope} if scope else {})


def _make(client: httpx.Client, path: str, order: Any, out: Path | None) -> None:
    """Have a key made; print it, or write it to a new file that only its owner may read."""
    if out is None:
        print(ask(client, "POST", path, order)["key"])
        return
    # The file comes first: a key is shown once, and must not be made for nothing.
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fail(f"{out} is there already and may hold a key that works. Fix: name another file.")
    except OSError as error:
        fail(f"{out}: {error.strerror}. Fix: name a file that can be written.")
    made: dict[str, str] | None = None
    try:
        made = ask(client, "POST", path, order)
    finally:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            if made is not None:
                file.write(made["key"] + "\n")
        if made is None:
            out.unlink()
    print(f"key {made['prefix']} written to {out}")


@keys.command("create")
def create(
    name: Name,
    role: Role,
    scope: Scope = None,
    source: Source = None,
    type: Type = None,
    subtree: Subtree = None,
    era: Era = None,
    expires_at: Expires = None,
    out: Out = None,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Make a key; it is shown once."""
    order = _order(
        scope, name=name, roles=role, sources=source, types=type, subtree=subtree, era=era,
        expires_at=expires_at,
    )  # fmt: skip
    with connect(url, key_file) as client:
        _make(client, "/v1/keys", order, out)


@keys.command("client")
def client_of_issuer(
    name: Name,
    role: Role,
    issuer: Annotated[str, typer.Option(help="address of the OpenID Connect issuer")],
    client_id: Annotated[str, typer.Option(help="the client's id there")],
    subject: Annotated[str | None, typer.Option(help="claim sub of its tokens")] = None,
    scope: Scope = None,
    source: Source = None,
    type: Type = None,
    subtree: Subtree = None,
    era: Era = None,
    expires_at: Expires = None,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Let a client of a trusted issuer in, by its access tokens instead of a key."""
    order = _order(
        scope, name=name, roles=role, sources=source, types=type, subtree=subtree, era=era,
        expires_at=expires_at, issuer=issuer, client_id=client_id, token_subject=subject,
    )  # fmt: skip
    with connect(url, key_file) as client:
        made = ask(client, "POST", "/v1/keys/clients", order)
    print(f"client {made['prefix']}: tokens of {client_id} are taken")


@keys.command("rotate")
def rotate(
    prefix: Prefix,
    overlap: Annotated[str, typer.Option(help="how long the old key goes on: 0s, 24h, 7d")] = "24h",
    out: Out = None,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Make a key with the same rights; the old one ends after the overlap."""
    with connect(url, key_file) as client:
        _make(client, f"/v1/keys/{prefix}/rotate", {"overlap": overlap}, out)


@keys.command("list")
def list_keys(url: Url = None, key_file: KeyFile = None) -> None:
    """List the keys and clients, newest first."""
    with connect(url, key_file) as client:
        rows = ask(client, "GET", "/v1/keys")
    print(f"{'prefix':<16}{'name':<26}{'roles':<26}{'bound to':<12}{'last used':<18}state")
    for row in rows:
        state = "revoked" if row["revoked_at"] else f"until {row['expires_at'] or 'revoked'}"
        if row["rotated_to"]:
            state += f", then {row['rotated_to']}"
        print(
            f"{row['prefix']:<16}{row['name']:<26}{','.join(row['roles']):<26}"
            f"{row['subtree'] or '-':<12}{(row['last_used'] or '-')[:16]:<18}{state}"
        )


@keys.command("show")
def show(prefix: Prefix, url: Url = None, key_file: KeyFile = None) -> None:
    """Show one key, and what it was used for in the last 24 hours."""
    with connect(url, key_file) as client:
        row = ask(client, "GET", f"/v1/keys/{prefix}")
        uses = ask(client, "GET", f"/v1/audit/uses/{prefix}")
    for name, value in row.items():
        if value is not None:
            print(f"{name:<14}{', '.join(value) if isinstance(value, list) else value}")
    for use in uses:
        print(f"{use['hour'][:16]:<18}{use['path']:<28}{use['outcome']:<12}{use['times']}")


@keys.command("rotate-service")
def rotate_service(
    name: Annotated[str, typer.Argument(help="activities, metrics or registry")],
    overlap: Annotated[str, typer.Option(help="how long the old key goes on: 5m, 1h")] = "1h",
    folder: Annotated[
        Path | None, typer.Option(help="folder of the services' keys; default: the settings'")
    ] = None,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Make the successor of a service's key and write it into its file; the service reads it."""
    folder = folder or CommonSettings().service_key_folder
    if folder is None or name not in SERVICES:
        raise typer.BadParameter(f"services are {', '.join(SERVICES)}; name their folder")
    file = service_key(folder, name)
    prefix = auth.key_prefix(file.read_text().strip())
    with connect(url, key_file) as client:
        made = ask(client, "POST", f"/v1/keys/{prefix}/rotate", {"overlap": overlap})
    write_secret(file, made["key"] + "\n")
    print(f"{file} holds the key {made['prefix']}; {prefix} ends after {overlap}")


@keys.command("narrow")
def narrow(
    prefix: Prefix,
    without: Annotated[list[str], typer.Option(help="scope to take away; repeat")],
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Take scopes from a key and from all that it let in."""
    with connect(url, key_file) as client:
        row = ask(client, "PATCH", f"/v1/keys/{prefix}", {"without": without})
    print(f"key {prefix} has the scopes: {', '.join(row['scopes']) or 'none'}")


@keys.command("revoke")
def revoke(
    prefix: Prefix,
    hand_over_to: Annotated[
        str, typer.Option(help="prefix of the key that keeps what this one gave")
    ] = "",
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """End a key, and all that it let in."""
    params = {"hand_over_to": hand_over_to} if hand_over_to else {}
    with connect(url, key_file) as client:
        ask(client, "DELETE", f"/v1/keys/{prefix}", params=params)
    print(f"key {prefix} is revoked; every process refuses it within 20 seconds")


@keys.command("quota")
def quota(
    name: Name,
    per_minute: Annotated[int | None, typer.Option(help="events in any minute")] = None,
    per_day: Annotated[int | None, typer.Option(help="events in a day")] = None,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Limit what a partner hands in on all paths together; without numbers: no limit."""
    order = {"per_minute": per_minute, "per_day": per_day}
    with connect(url, key_file) as client:
        answer = ask(client, "PUT", f"/v1/quotas/{name}", order)
    limits = [
        f"{n:,} events a {span}" for n, span in ((per_minute, "minute"), (per_day, "day")) if n
    ]
    print(f"{name}: {', '.join(limits) or 'no limit'}; every process knows within some seconds")
    for warning in answer["warnings"]:
        print(f"! {warning}")


@keys.command("audit")
def audit(
    action: Annotated[str | None, typer.Option(help="key.rotated; or key for all of them")] = None,
    by: Annotated[str | None, typer.Option(help="prefix or name of the key that acted")] = None,
    about: Annotated[str | None, typer.Option(help="prefix, partner or number acted upon")] = None,
    since: Annotated[str | None, typer.Option(help="2026-06-30T00:00:00+07:00")] = None,
    limit: Annotated[int, typer.Option(help="at most so many, newest first")] = 100,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """List what was done to keys, clients, quotas and the quarantine, newest first."""
    asked = {"action": action, "by": by, "about": about, "since": since}
    params = {name: value for name, value in asked.items() if value is not None}
    left = limit
    with connect(url, key_file) as client:
        while left > 0:
            page = ask(
                client, "GET", "/v1/audit", params={**params, "limit": str(min(left, 1_000))}
            )
            for act in page["acts"]:
                print(
                    f"{act['number']:<8}{act['at'][:19]:<21}{act['action']:<24}"
                    f"{act['by_name']:<24}{act['about'] or '-':<20}"
                    f"{json.dumps(act['detail'], ensure_ascii=False)}"
                )
            left -= len(page["acts"])
            if page["next"] is None:
                break
            params["before"] = str(page["next"])
