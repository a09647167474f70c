"""YAML with line numbers, so that an error in a plan names its line."""

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

Path = tuple[str | int, ...]


class Duplicate(msgspec.Struct, frozen=True):
    """A key that a mapping holds twice; YAML would silently keep the last."""

    path: Path
    line: int


class Parsed(msgspec.Struct, frozen=True):
    """A YAML document and the line (from 1) on which each key or item stands."""

    data: Any
    lines: Mapping[Path, int]
    duplicates: tuple[Duplicate, ...] = ()


class _Loader(yaml.CSafeLoader):
    """Safe YAML in which an unquoted day stays the text that it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Parsed:
    """Parse one document; raises `yaml.YAMLError` (whose `problem_mark` has the line)."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Parsed(None, {(): 1})
        lines: dict[Path, int] = {(): node.start_mark.line + 1}
        duplicates: list[Duplicate] = []
        _walk(node, (), lines, duplicates)
        return Parsed(loader.construct_document(node), lines, tuple(duplicates))
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], duplicates: list[Duplicate]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"  # an unquoted `on` is a name here, not a truth
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                duplicates.append(Duplicate(here, line))
            lines[here] = line
            _walk(value, here, lines, duplicates)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            here = (*path, index)
            lines[here] = value.start_mark.line + 1
            _walk(value, here, lines, duplicates)


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the nearest thing around it; None if there are no lines."""
    for length in range(len(path), -1, -1):
        line = lines.get(path[:length])
        if line is not None:
            return line
    return None


def pointer(path: Path) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
