"""What a plan says after its amendments (RFC 7396 merge patches over single items). Pure."""

from typing import Any

from shared.merge_patch import merge_patch

SECTIONS = {"objective": "objectives", "task": "tasks", "obligation": "reporting"}


def amended(document: dict[str, Any], amendment: dict[str, Any]) -> dict[str, Any]:
    """The document with one amendment of everybody's; those of one unit leave it as it is."""
    if amendment.get("for_unit") is not None:
        return document
    for name, section in SECTIONS.items():
        if amendment.get(name) is not None:
            items = [
                merge_patch(item, amendment["changes"]) if item["id"] == amendment[name] else item
                for item in document[section]
            ]
            document = {**document, section: items}
    return document
