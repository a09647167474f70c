"""Reads docs/vectors as any language would: nothing here knows more than its README tells."""

import base64
import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[2] / "docs" / "vectors"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def to_bytes(value: dict[str, Any]) -> bytes:
    """The bytes that an input stands for: `text`, `base64`, `json`, or `parts` of these."""
    if "text" in value:
        return str(value["text"]).encode()
    if "base64" in value:
        return base64.b64decode(value["base64"])
    if "repeat" in value:
        return str(value["repeat"]).encode() * int(value["times"])
    if "json" in value:
        return json.dumps(value["json"], ensure_ascii=False).encode()
    return b"".join(to_bytes(part) for part in value["parts"])
