"""`hocvuso profiles`: servers by name, so that no command needs an address and a key file."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import platformdirs
import typer

from hocvuso_cli.console import AsJson, fail, write_json
from hocvuso_cli.language import Lang, say

profiles = typer.Typer(no_args_is_help=True, help="Servers by name.")


@dataclass(frozen=True, slots=True)
class Profile:
    """One server: the address of activities, the file with the key, the source of its events."""

    url: str
    key_file: str
    source: str | None = None


def config_dir() -> Path:
    """Where this user's settings lie: profiles, mappings of columns, the secret for ids."""
    return Path(platformdirs.user_config_dir("hocvuso", appauthor=False))


def _file() -> Path:
    return config_dir() / "profiles.json"


def _read() -> dict[str, Any]:
    try:
        return dict(json.loads(_file().read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        fail(
            say(
                vi=f"Không đọc được {_file()} ({error}). Hãy sửa hoặc xóa tệp này.",
                en=f"{_file()} cannot be read ({error}). Fix or delete it.",
            )
        )


def _write(known: dict[str, Any]) -> None:
    _file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _file().with_suffix(".new")
    fresh.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
    fresh.replace(_file())


def named(name: str | None) -> Profile | None:
    """The profile of this name; without one that of HOCVUSO_PROFILE, if it is set."""
    return find(name or os.environ.get("HOCVUSO_PROFILE"))


def default() -> Profile | None:
    """The default profile, if there is any."""
    return find(_read().get("default"))


def find(wanted: str | None) -> Profile | None:
    """The profile of this name; ends the command when there is none."""
    known = _read()
    if not wanted:
        return None
    about = known.get("profiles", {}).get(wanted)
    if about is None:
        there = ", ".join(known.get("profiles", {})) or "-"
        fail(
            say(
                vi=f"Không có máy chủ tên {wanted}. Đang có: {there}.",
                en=f"There is no profile {wanted}. There are: {there}.",
            )
        )
    return Profile(**about)


@profiles.command("add")
def add(
    name: str,
    url: Annotated[str, typer.Option(help="address of activities")],
    key_file: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="file with the key; stays where it is")
    ],
    source: Annotated[str | None, typer.Option(help="source URI of the events")] = None,
    lang: Lang = None,
) -> None:
    """Add or change a server; the first one is the default."""
    known = _read()
    kept = asdict(Profile(url.rstrip("/"), str(key_file.resolve()), source))
    known.setdefault("profiles", {})[name] = kept
    known.setdefault("default", name)
    _write(known)
    print(f"{name}: {url}")


@profiles.command("use")
def use(name: str, lang: Lang = None) -> None:
    """Make a server the default."""
    find(name)
    _write({**_read(), "default": name})
    print(name)


@profiles.command("remove")
def remove(name: str, lang: Lang = None) -> None:
    """Forget a server; its key file stays."""
    find(name)
    known = _read()
    del known["profiles"][name]
    if known.get("default") == name:
        known["default"] = next(iter(known["profiles"]), None)
    _write(known)
    print(name)


@profiles.command("list")
def list_profiles(as_json: AsJson = False, lang: Lang = None) -> None:
    """List the servers; * marks the default."""
    known = _read()
    if as_json:
        write_json({"default": known.get("default"), "profiles": known.get("profiles", {})})
        return
    for name, about in known.get("profiles", {}).items():
        mark = "*" if name == known.get("default") else " "
        print(f"{mark} {name:<20} {about['url']}  {about['key_file']}")
