"""`hocvuso intake`: partners that write over Kafka."""

from typing import Annotated, Any

import typer

from services.activities.cli import KeyFile, Url, ask, connect

intake = typer.Typer(no_args_is_help=True, help="Partners that write over Kafka.")

Partner = Annotated[str, typer.Argument(help="the partner, like vnpt; the same name as its keys")]


@intake.command("enable")
def enable(
    partner: Partner,
    role: Annotated[list[str], typer.Option(help="what the partner is; repeat for several")],
    source: Annotated[
        list[str] | None, typer.Option(help="URI prefix it may post for; repeat")
    ] = None,
    type: Annotated[
        list[str] | None, typer.Option(help="event type it may post (course.*); repeat")
    ] = None,
    subtree: Annotated[
        str | None, typer.Option(help="unit_id it is bound to, like 66@2025")
    ] = None,
    era: Annotated[
        str | None, typer.Option(help="era of its bare unit codes: 2004 or 2025")
    ] = None,
    acks: Annotated[str, typer.Option(help="answers on the receipts topic: all, errors, none")] = (
        "errors"
    ),
    partitions: Annotated[int, typer.Option(help="of new topics")] = 3,
    retention_hours: Annotated[int, typer.Option(help="of a new intake topic")] = 72,
    principal: Annotated[
        str | None, typer.Option(help="its principal on the broker; default User:PARTNER")
    ] = None,
    apply_acls: Annotated[
        bool, typer.Option("--apply-acls", help="have the broker let the principal in")
    ] = False,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """Let a partner write over Kafka, or change how; again changes nothing but what is said."""
    order = {
        "roles": role, "sources": source or None, "types": type or None, "subtree": subtree,
        "era": era, "acks": acks, "partitions": partitions, "retention_hours": retention_hours,
        "principal": principal, "apply_acls": apply_acls,
    }  # fmt: skip
    with connect(url, key_file) as client:
        made = ask(client, "PUT", f"/v1/intake/{partner}", order)
    print(f"{partner} writes to    {made['intake']}")
    print(f"{partner} reads from   {made['receipts']}")
    if apply_acls:
        print("The intake process gives the broker its access rules; see `hocvuso intake list`.")
        return
    print("Access rules, on a broker that keeps them:")
    for line in made["acls"]:
        print(f"  {line}")


@intake.command("disable")
def disable(partner: Partner, url: Url = None, key_file: KeyFile = None) -> None:
    """Stop reading a partner's topic, at once; enabled again it goes on where it was."""
    with connect(url, key_file) as client:
        ask(client, "DELETE", f"/v1/intake/{partner}")
    print(f"{partner}: nothing more is read. Its topics and access rules are as they were.")


@intake.command("list")
def list_intake(
    details: Annotated[
        bool, typer.Option("--details", help="offsets of each partition, and all troubles")
    ] = False,
    url: Url = None,
    key_file: KeyFile = None,
) -> None:
    """List the partners: state, lag, what went wrong."""
    with connect(url, key_file) as client:
        rows = ask(client, "GET", "/v1/intake")
    print(f"{'partner':<26}{'state':<12}{'lag':>9}{'oldest':>9}{'receipts':>10}  troubles")
    for row in rows:
        new = [t for t in row["troubles"] if t["acknowledged_at"] is None]
        state = row["state"] + (f" ({row['waits_for']})" if row["waits_for"] else "")
        kinds = ", ".join(sorted({t["kind"] for t in new})) or "-"
        print(
            f"{row['partner']:<26}{state:<12}{row['lag_messages']:>9}"
            f"{row['lag_seconds']:>7.0f} s{row['receipts_waiting']:>10}  {kinds}"
        )
        if details:
            _details(row)
    if any(row["state"] == "attention" for row in rows):
        print("`hocvuso intake list --details` tells more; `... acknowledge PARTNER` when seen.")


def _details(row: dict[str, Any]) -> None:
    print(f"  topic {row['topic']} ({row['topic_id'] or 'not seen yet'})")
    for p in row["partitions"]:
        print(
            f"  partition {p['partition']}: next {p['next']} of {p['first']} to {p['high']};"
            f" accepted {p['accepted']}, duplicates {p['duplicates']}, rejected {p['rejected']}"
        )
    for t in row["troubles"]:
        where = "" if t["partition"] is None else f" partition {t['partition']}"
        range_ = "" if t["first"] is None else f" offsets {t['first']} to {t['last']}"
        seen = f", seen by {t['acknowledged_by']}" if t["acknowledged_at"] else ""
        print(f"  {t['at']} {t['kind']}{where}{range_}: {t['detail']}{seen}")


@intake.command("acknowledge")
def acknowledge(partner: Partner, url: Url = None, key_file: KeyFile = None) -> None:
    """Say that what went wrong so far has been seen; it stays in the list of details."""
    with connect(url, key_file) as client:
        done = ask(client, "POST", f"/v1/intake/{partner}/acknowledgement")
    print(f"{partner}: {done['acknowledged']} acknowledged")
