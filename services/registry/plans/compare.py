"""What differs between two versions of a plan, in lines that people read. Pure."""

from typing import Any

LONGEST = 160


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """One line per difference: `+ path: value`, `- path: value`, `~ path: old -> new`.

    Items with an id are compared by it, so moving one is no difference.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for name in [*old, *(name for name in new if name not in old)]:
            place = f"{path}.{name}" if path else str(name)
            if name not in new:
                found.append(f"- {place}: {_short(old[name])}")
            elif name not in old:
                found.append(f"+ {place}: {_short(new[name])}")
            else:
                found += differences(old[name], new[name], place)
        return found
    if _named(old) and _named(new):
        before = {item["id"]: item for item in old}
        after = {item["id"]: item for item in new}
        found = [
            f"- {path}[{name}]: {_title(before[name])}" for name in before if name not in after
        ]
        for name, item in after.items():
            place = f"{path}[{name}]"
            if name in before:
                found += differences(before[name], item, place)
            else:
                found.append(f"+ {place}: {_title(item)}")
        return found
    return [] if old == new else [f"~ {path}: {_short(old)} -> {_short(new)}"]


def _named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) and "id" in v for v in value)


def _title(item: dict[str, Any]) -> str:
    return _short(item.get("text_vi") or item.get("title_vi") or item.get("name_vi") or item)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
