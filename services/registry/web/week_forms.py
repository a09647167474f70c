"""What the Monday meeting writes: a decision with the forces sent for it, what became of one, the end of
the week. Posted under the reader's own key; activities judges it."""

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from services.registry.access import Writer
from services.registry.journal.store import complete_to
from services.registry.plans.territory import area_of
from services.registry.posting import content_id, event, post
from services.registry.state import State
from services.registry.web.language import N_
from shared.clock import VIETNAM
from shared.contracts.live import of_process
from shared.domain.plan_history import PlanVersion

LONGEST = 4_000
MOST_MEMBERS = 100_000
PATIENCE_S, LOOK_S = 5.0, 0.05
OUTCOMES = of_process().words.enums["decision_outcome"]
READY = {
    "help": N_("Cử Tổ công nghệ số cộng đồng và lực lượng tình nguyện đến hỗ trợ."),
    "explain": N_("Yêu cầu đơn vị báo cáo nguyên nhân và cam kết ngày hoàn thành."),
    "figures": N_("Nhắc gửi số liệu còn thiếu trước thứ Sáu tuần này."),
    "other": N_("Nội dung khác"),
}
"""Decisions of one tap; the last one is typed."""
Faults = dict[str, str]


@dataclass
class Asked:
    """A form as it was sent: fields by name, and what is wrong with each."""

    form: dict[str, list[str]]
    faults: Faults = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The first value of a field, without spaces around it."""
        return self.form.get(name, [""])[0].strip()

    def many(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for value in self.form.get(name, []) if value]

    def long(self, name: str) -> str:
        """A text of at most LONGEST characters."""
        text = self.one(name)
        if len(text) > LONGEST:
            self.faults[name] = N_("Dài quá 4.000 ký tự; hãy rút gọn.")
        return text

    def day(self, name: str) -> date | None:
        """A day, or None where none was written."""
        try:
            return date.fromisoformat(self.one(name)) if self.one(name) else None
        except ValueError:
            self.faults[name] = N_("Không phải một ngày.")
            return None


def letters(id: str) -> str:
    """An id without digits, which nobody takes for a person's number."""
    return "".join(
        chr(ord("g") + int(c)) if c.isdecimal() else c for c in id.lower() if c.isalnum()
    )


def decision_events(
    state: State, plan: PlanVersion, caller: Writer, asked: Asked, unit: str, data_as_of: date
) -> list[Any]:
    """A decision and the forces sent for it; faults are left in `asked`."""
    units = asked.many("units")
    if not units:
        asked.faults["units"] = N_("Chọn ít nhất một đơn vị.")
    elif not area_of(state, plan).issuperset(units):
        asked.faults["units"] = N_("Có đơn vị không còn trong kế hoạch; hãy chọn lại.")
    ready = asked.one("ready")
    text = asked.long("text") if ready in ("", "other") else READY.get(ready, "")
    if not text and "text" not in asked.faults:
        name = "text" if ready == "other" else "ready"
        asked.faults[name] = N_("Chọn một kết luận hoặc ghi nội dung.")
    sends = asked.one("send") == "1"
    first, last = asked.day("from"), asked.day("to")
    if first and last and last < first:
        asked.faults["to"] = N_("Ngày cuối trước ngày đầu.")
    members = asked.one("members").replace(".", "")
    if members and not (
        members.isascii() and members.isdigit() and 0 < int(members) <= MOST_MEMBERS
    ):
        asked.faults["members"] = N_("Ghi số người, ví dụ 12.")
    team = asked.one("team")
    if len(team) > 300:
        asked.faults["team"] = N_("Tên quá dài (tối đa 300 ký tự).")
    if asked.faults:
        return []
    today = state.clock.today()
    id = f"decision-{letters(asked.one('id'))[:40]}"
    moment = datetime.combine(today, time(), VIETNAM).isoformat()
    said = {
        "kind": "weekly", "data_as_of": data_as_of.isoformat(),
        "cold_spots": list(dict.fromkeys(units)), "decisions": text,
    }  # fmt: skip
    events = [event("review.held", caller.source(), id, unit, moment, said)]
    if sends:
        more: dict[str, Any] = {"reason": "cold_spot", "review_ref": id}
        more |= {"team": team} if team else {}
        more |= {"members": int(members)} if members else {}
        more["from"] = (first or today).isoformat()
        more["to"] = (last or (first or today) + timedelta(days=6)).isoformat()
        for number, where in enumerate(said["cold_spots"], 1):
            events.append(
                event("force.dispatched", caller.source(), f"{id}-{number}", where, moment, more)
            )
    return events


def follow_events(state: State, caller: Writer, asked: Asked, unit: str) -> list[Any]:
    """What became of a decision."""
    outcome, remark = asked.one("outcome"), asked.long("remark")
    if outcome not in OUTCOMES:
        asked.faults["outcome"] = N_("Chọn kết quả thực hiện.")
    if asked.faults:
        return []
    today = state.clock.today()
    data = {"review_ref": asked.one("decision")[:100], "outcome": outcome}
    data |= {"remark": remark} if remark else {}
    id = content_id(
        "followed", data=data | {"on": today.isoformat(), "nonce": asked.one("id")[:64]}
    )
    moment = datetime.combine(today, time(), VIETNAM).isoformat()
    return [event("decision.followed", caller.source(), id, unit, moment, data)]


def closing_events(
    state: State, plan: PlanVersion, caller: Writer, asked: Asked, unit: str, monday: date
) -> list[Any]:
    """The end of a week's review."""
    remark = asked.long("remark")
    if asked.faults:
        return []
    data = {
        "plan": plan.plan, "from": monday.isoformat(),
        "to": (monday + timedelta(days=6)).isoformat(),
    } | ({"remark": remark} if remark else {})  # fmt: skip
    moment = datetime.combine(state.clock.today(), time(), VIETNAM).isoformat()
    id = content_id("closed", plan.plan, data=data)
    return [event("review.closed", caller.source(), id, unit, moment, data)]


async def write(state: State, caller: Writer, events: list[Any]) -> None:
    """Post all or none, and wait a moment until the page knows it. Raises Problem."""
    answer = await post(state.activities, caller.authorization, events, dry_run=False)
    position = max((result.get("position") or 0 for result in answer["results"]), default=0)
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if await complete_to(state.pool) >= position:
            return
        await asyncio.sleep(LOOK_S)
