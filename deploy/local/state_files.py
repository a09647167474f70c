"""Small files of state: written whole or not at all, read with a sentence about what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError


def write_whole(path: Path, text: str) -> None:
    """Replace the file's content atomically and durably; only its owner may ever read it.

    Raises OSError; then the file is as it was.
    """
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises FileNotFoundError, and ValueError with what is wrong."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is cut or holds something else than JSON") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a JSON {_kind(content)}, not an object")
    return content


def read_line(path: Path, fix: str) -> str:
    """The one line of a key or password file. Raises FileNotFoundError, StackError."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StackError(
            f"the file cannot be read: {error.strerror}", where=str(path), fix=fix
        ) from error
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable() or " " in text:
        raise StackError("the file does not hold what it should", where=str(path), fix=fix)
    return text


def _kind(value: object) -> str:
    names = {list: "list", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")
