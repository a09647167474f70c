"""Which column of a file is which field; remembered for the next file with the same header."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from hocvuso_cli import profiles
from hocvuso_cli.language import say
from hocvuso_cli.send.columns import MARK, Layout
from hocvuso_cli.send.text import fold

RESULT_PREFIX = "result."
"""Columns of a result file that is sent again: not data."""

IGNORED = ""
_PERSON = {"cccd": ("cccd", "số cccd", "căn cước công dân", "số căn cước", "số định danh cá nhân"),
           "phone": ("số điện thoại", "điện thoại", "sđt")}  # fmt: skip
_ENVELOPE = {
    "subject": ("mã xã", "mã xã phường", "mã đơn vị hành chính", "unit"),
    "time": ("ngày", "ngày giờ", "thời gian", "date"),
    "id": ("mã sự kiện", "event id"),
}


class MappingError(ValueError):
    """Columns that nobody knows, or that are missing; the message lists candidates."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The target of each header: a column's name, FIELD.SCHEME, or IGNORED."""

    targets: tuple[str, ...]
    remembered: bool = False


def config_dir() -> Path:
    """Where this user's mappings and the secret for ids lie."""
    return profiles.config_dir() / "send"


class Memory:
    """Mappings by type and header, in one small JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def recall(self, type_name: str, headers: Sequence[str]) -> dict[str, str]:
        """Header -> target as used before; empty when there was none."""
        return self._all().get(_signature(type_name, headers), {})

    def keep(self, type_name: str, headers: Sequence[str], targets: Sequence[str]) -> None:
        """Remember what was used."""
        known = self._all()
        entry = dict(zip(headers, targets, strict=True))
        if known.get(_signature(type_name, headers)) == entry:
            return
        known[_signature(type_name, headers)] = entry
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(known, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(self._file)

    def _all(self) -> dict[str, dict[str, str]]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}


def _signature(type_name: str, headers: Sequence[str]) -> str:
    text = json.dumps([type_name, [fold(header) for header in headers]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def resolve(
    layout: Layout,
    headers: Sequence[str],
    *,
    explicit: Mapping[str, str],
    ignored: Iterable[str],
    remembered: Mapping[str, str],
    given: Iterable[str],
) -> Mapped:
    """Find the target of every header. Raises MappingError.

    What the user says goes before what is remembered, that before what names say. `given` are the
    fields with a value for the whole file.
    """
    said = {fold(header): _target(layout, name) for header, name in explicit.items()}
    said |= dict.fromkeys(map(fold, ignored), IGNORED)
    there = {fold(header) for header in headers}
    for header in [*explicit, *ignored]:
        if fold(header) not in there:
            raise MappingError(
                say(vi=f"Tệp không có cột {header!r}.", en=f"The file has no column {header!r}.")
            )
    names, aliases = _names(layout), _aliases(layout)
    targets, unknown = [], []
    for header in headers:
        folded = fold(header)
        bracket = header[header.rfind("[") + 1 : -1] if header.endswith("]") else None
        if folded in said:
            targets.append(said[folded])
        elif header in remembered and _known(layout, remembered[header]):
            targets.append(remembered[header])
        elif not header or (bracket or "").startswith(RESULT_PREFIX):
            targets.append(IGNORED)
        elif bracket is not None and fold(bracket) in names:
            targets.append(names[fold(bracket)])
        elif folded in names or folded in aliases:
            targets.append(names.get(folded) or aliases[folded])
        else:
            unknown.append(header)
            targets.append(IGNORED)
    if unknown:
        raise MappingError(_unknown(layout, unknown, {**names, **aliases}))
    _check_twice(layout, headers, targets)
    _check_missing(layout, targets, [_target(layout, name) for name in given])
    return Mapped(tuple(targets), bool(remembered))


def targets_of(layout: Layout, given: Mapping[str, str]) -> dict[str, str]:
    """The values for the whole file by the names that rows know. Raises MappingError."""
    return {_target(layout, name): text for name, text in given.items()}


def _known(layout: Layout, name: str) -> bool:
    return name == IGNORED or name in layout.columns or name in layout.shorthands


def _target(layout: Layout, name: str) -> str:
    if _known(layout, name):
        return name
    names = {**_names(layout), **_aliases(layout)}
    if fold(name) in names:
        return names[fold(name)]
    fields = ", ".join(layout.columns)
    raise MappingError(
        say(
            vi=f"{layout.type} không có trường {name!r}. Các trường: {fields}.",
            en=f"{layout.type} has no field {name!r}. Fields: {fields}.",
        )
    )


def _names(layout: Layout) -> dict[str, str]:
    """Folded name -> target; the same list column may come several times (name#2)."""
    found = {}
    for name, column in layout.columns.items():
        found[MARK if name == MARK else fold(name)] = name
        if column.kind in ("enum_list", "text_list"):
            found |= {fold(f"{name} {n}"): name for n in range(2, 10)}
    found |= {fold(name): name for name in layout.shorthands}
    return {name: target for name, target in found.items() if name} | {fold(MARK): MARK}


def _aliases(layout: Layout) -> dict[str, str]:
    """Other words for a column that mean nothing else in this type."""
    found: dict[str, set[str]] = {}

    def add(word: str, target: str) -> None:
        found.setdefault(fold(word), set()).add(target)

    for name, column in layout.columns.items():
        for word in (column.title_vi, column.title, *_ENVELOPE.get(name, ())):
            add(word, name)
            if column.kind in ("enum_list", "text_list"):
                for n in range(2, 10):
                    add(f"{word} {n}", name)
    people = {name for name, _ in layout.shorthands.values()}
    for target, (name, scheme) in layout.shorthands.items():
        for word in _PERSON.get(scheme, ()) if len(people) == 1 or name == "person" else ():
            add(word, target)
    return {word: next(iter(targets)) for word, targets in found.items() if len(targets) == 1}


def _unknown(layout: Layout, unknown: list[str], names: Mapping[str, str]) -> str:
    lines = [
        say(
            vi=f"Các cột mà {layout.type} không có:",
            en=f"Columns that {layout.type} does not have:",
        )
    ]
    for header in unknown:
        near = get_close_matches(fold(header), names, 3, 0.5)
        meant = ", ".join(dict.fromkeys(names[word] for word in near))
        guess = say(vi=f" - có phải là {meant}?", en=f" - did you mean {meant}?") if meant else ""
        lines.append(f"  {header!r}{guess}")
    first, fields = unknown[0], ", ".join([*layout.columns, *layout.shorthands])
    lines.append(
        say(
            vi=f'Hãy nói rõ là trường nào: --map "{first}=TRƯỜNG", hoặc --ignore "{first}".\n'
            f"Các trường: {fields}.",
            en=f'Say what they are: --map "{first}=FIELD", or --ignore "{first}".\n'
            f"Fields: {fields}.",
        )
    )
    return "\n".join(lines)


def _check_twice(layout: Layout, headers: Sequence[str], targets: Sequence[str]) -> None:
    for target in dict.fromkeys(targets):
        same = [h for h, t in zip(headers, targets, strict=True) if t == target]
        many = target in (IGNORED, MARK) or (
            target in layout.columns and layout.columns[target].kind in ("enum_list", "text_list")
        )
        if len(same) > 1 and not many:
            listed = ", ".join(map(repr, same))
            raise MappingError(
                say(
                    vi=f'Nhiều cột cùng là {target}: {listed}. Hãy bỏ bớt: --ignore "{same[-1]}".',
                    en=f'Several columns are {target}: {listed}. Leave one out: --ignore "{same[-1]}".',
                )
            )


def _check_missing(layout: Layout, targets: Sequence[str], given: Iterable[str]) -> None:
    have = {*targets, *given}
    for short in set(have) & set(layout.shorthands):
        name = layout.shorthands[short][0]
        have |= {f"{name}.scheme", f"{name}.value"}
    missing = [
        f"{name} ({column.title_vi})"
        for name, column in layout.columns.items()
        if column.required and name not in have
    ]
    if missing:
        listed = ", ".join(missing)
        raise MappingError(
            say(
                vi=f"Tệp thiếu các cột mà {layout.type} cần: {listed}.\n"
                "Hãy thêm cột, hoặc cho một giá trị chung cả tệp: --subject, --time,"
                " --set TRƯỜNG=GIÁ_TRỊ.",
                en=f"The file lacks columns that {layout.type} needs: {listed}.\n"
                "Add them, or give one value for the whole file: --subject, --time,"
                " --set FIELD=VALUE.",
            )
        )


def knows(layout: Layout, explicit: Iterable[str] = ()) -> Callable[[str], bool]:
    """Whether a header names a column: what tells the header row from titles above it."""
    words = {*_names(layout), *_aliases(layout), *map(fold, explicit)}

    def known(header: str) -> bool:
        bracket = header[header.rfind("[") + 1 : -1] if header.endswith("]") else ""
        return fold(header) in words or (bracket != "" and fold(bracket) in words)

    return known
