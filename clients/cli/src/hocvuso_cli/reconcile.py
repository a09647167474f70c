"""`hocvuso reconcile`: whether everything of a day has arrived and counts."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from hocvuso_cli.console import AsJson, any_letter, fail, note, write_json
from hocvuso_cli.language import Lang, say
from hocvuso_cli.server import KeyFile, ProfileName, Url, server

VIETNAM = timezone(timedelta(hours=7))
_KINDS = {
    ".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson",
}  # fmt: skip


_DIFFERENCES = (
    ("missing_ids", "thiếu", "missing"),
    ("not_in_manifest_ids", "không có trong danh sách", "not listed"),
    ("other_day_ids", "ngày khác", "other day"),
)


def reconcile(
    day: Annotated[
        datetime | None,
        typer.Argument(formats=["%Y-%m-%d"], help="day of recording in Viet Nam; default today"),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="source URI; default the only one of the key")
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="ids that you sent: a text, NDJSON or CSV file"
        ),
    ] = None,
    profile: ProfileName = None,
    url: Url = None,
    key_file: KeyFile = None,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Show what was received from a source on a day and what of it counts; with --ids, compare.

    Exit codes: 0 all agrees, 2 ids are missing or nobody knows the source.
    """
    any_letter()
    to = server(profile, url, key_file)
    on = (day.date() if day else datetime.now(VIETNAM).date()).isoformat()
    params = {"source": to.only_source(source), "day": on}
    if ids is None:
        found: dict[str, Any] = to.ask("GET", "/v1/reconciliations", params=params).json()
        missing = 0
    else:
        found = to.ask(
            "POST", "/v1/reconciliations/manifest", params=params, content=_listed(ids),
            headers={"Content-Type": _KINDS.get(ids.suffix.lower(), "text/plain")},
        ).json()  # fmt: skip
        missing = found["missing"]
    if as_json:
        write_json(found)
    else:
        for line in summary(found) if ids is None else differences(found):
            print(line)
    for warning in found["warnings"]:
        note(f"! {warning}")
    if missing or found["warnings"]:
        raise typer.Exit(2)


def _listed(file: Path) -> bytes:
    """The list as UTF-8 without a mark, whatever wrote it."""
    raw = file.read_bytes()
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding).encode()
    except UnicodeDecodeError:
        fail(say(vi=f"{file} không phải UTF-8.", en=f"{file} is not UTF-8."))


def summary(found: dict[str, Any]) -> list[str]:
    """The sums of a day, for people."""
    names = (
        ("received", "nhận được"), ("accepted", "đã ghi"), ("duplicate", "đã có từ trước"),
        ("rejected", "bị từ chối"), ("counted", "được tính"),
        ("counted_by_another_event", "đã tính qua sự kiện khác"), ("pending", "chưa tính xong"),
    )  # fmt: skip
    lines = [f"{found['source']}  {found['day']}"]
    lines += [f"{found[name]:>10}  {say(vi=vi, en=name)}" for name, vi in names]
    for code, number in found["not_counted"].items():
        lines.append(f"{number:>10}  {say(vi='không được tính', en='not_counted')}: {code}")
    for code, number in found["refused_codes"].items():
        lines.append(f"{number:>10}  {say(vi='còn bị từ chối', en='refused')}: {code}")
    if found["partial"]:
        lines.append(found["why_partial"] or "")
    return [*lines, f"digest {found['digest']}"]


def differences(found: dict[str, Any]) -> list[str]:
    """How a list of ids differs from the log, for people."""
    agree = found["digest"]["agree"]
    lines = [
        f"{found['source']}  {found['day']}",
        say(
            vi=f"danh sách {found['ids']} mã, sổ có {found['accepted']}, trùng khớp {found['both']}",
            en=f"listed {found['ids']} ids, the log has {found['accepted']}, both {found['both']}",
        ),
        say(vi="khớp hoàn toàn", en="they agree")
        if agree
        else say(vi="không khớp", en="they differ"),
    ]
    for kind, vi, en in _DIFFERENCES:
        lines += [f"{say(vi=vi, en=en)} {_difference(one)}" for one in found[kind]]
    if found["malformed"]["count"]:
        lines.append(
            f"{say(vi='dòng không phải mã', en='lines that are no id')}: {found['malformed']['count']}"
        )
    return lines


def _difference(one: dict[str, Any]) -> str:
    refused = f" ({one['code']}, #{one['number']})" if one.get("code") else ""
    day = f" {one['recorded']}" if "recorded" in one else ""
    return f"{one['id']}{refused}{day}"
