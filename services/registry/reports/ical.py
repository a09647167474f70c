"""The due days of a plan as a calendar (RFC 5545). Pure."""

from datetime import UTC, datetime, time, timedelta

from icalendar import Calendar, Event

from services.registry.definitions import PlanVersion
from services.registry.reports.ledger import Account
from services.registry.tables.export import SANDBOX

MEDIA_TYPE = "text/calendar; charset=utf-8"


def to_ical(plan: PlanVersion, accounts: list[Account], *, sandbox: bool = False) -> bytes:
    """One all-day entry on the last day that is on time, per obligation and period.

    The same plan always gives the same bytes: UIDs are stable, the stamp is the day of recording.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//hocvuso//registry//VI")
    calendar.add("version", "2.0")
    title = plan.document["title_vi"]
    calendar.add("x-wr-calname", f"{SANDBOX}: {title}" if sandbox else title)
    names = {o["id"]: o["name_vi"] for o in plan.document["organisations"]}
    stamp = datetime.combine(plan.recorded, time(), UTC)
    for account in accounts:
        obligation = account.obligation
        for filled in account.periods:
            last_day = filled.period.last_day
            if last_day is None:
                continue
            entry = Event()
            entry.add("uid", f"{plan.plan}.{obligation['id']}.{filled.period.id}@hocvuso")
            entry.add("dtstamp", stamp)
            entry.add("dtstart", last_day)
            entry.add("dtend", last_day + timedelta(days=1))
            entry.add("sequence", plan.version - 1)
            entry.add("transp", "TRANSPARENT")
            entry.add("summary", f"Hạn báo cáo {filled.period.id}: {obligation['text_vi']}"[:240])
            who = "; ".join(names.get(id, id) for id in obligation["who"])
            to = "; ".join(names.get(id, id) for id in [*obligation["to"], *obligation["via"]])
            entry.add("description", f"Đơn vị báo cáo: {who}\nNơi nhận: {to or 'không nêu'}")
            calendar.add_component(entry)
    return bytes(calendar.to_ical())
