"""Every kind of bad event, as bytes: each must have its own clear answer, on every way in.

The cases are published for implementers in any language: docs/vectors/refused.json.
"""

from tests.vectors.read import load, to_bytes

_CASES = load("refused")["cases"]
NOT_JSON: dict[str, bytes] = {
    c["name"]: to_bytes(c["input"]) for c in _CASES if c.get("spoils_batch")
}
"""Broken as a whole: nothing around it can be told apart either."""

BAD: dict[str, bytes] = {
    c["name"]: to_bytes(c["input"]) for c in _CASES if not c.get("spoils_batch")
}
"""Bad alone: in a batch the neighbours must not notice."""
