"""JSON merge patch (RFC 7396): what corrections and amendments say of what they change. Pure."""

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with the patch applied (section 2): null removes, objects merge, all else
    replaces. Neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
