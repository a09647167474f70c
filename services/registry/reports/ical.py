"""The due days of a plan as a calendar (RFC 5545). Pure."""

from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard

from services.registry.reports.ledger import Account
from services.registry.tables.export import SANDBOX
from services.registry.web.words import period
from shared.domain.plan_history import PlanVersion

MEDIA_TYPE = "text/calendar; charset=utf-8"


def to_ical(
    plan: PlanVersion, accounts: list[Account], now: datetime, *, sandbox: bool = False
) -> bytes:
    """One all-day entry on the last day that is on time, per obligation and period; `now` is when
    they are written (DTSTAMP, UTC). UIDs are stable. Valid also when nothing is due."""
    calendar = Calendar()
    calendar.add("prodid", "-//hocvuso//registry//VI")
    calendar.add("version", "2.0")
    title = plan.document["title_vi"]
    calendar.add("x-wr-calname", f"{SANDBOX}: {title}" if sandbox else title)
    calendar.add_component(_vietnam())
    names = {o["id"]: o["name_vi"] for o in plan.document["organisations"]}
    stamp = now.astimezone(UTC).replace(microsecond=0)
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
            when = period(filled.period.id)
            entry.add("summary", f"Hạn báo cáo {when}: {obligation['text_vi']}"[:240])
            who = "; ".join(names.get(id, id) for id in obligation["who"])
            receivers = [*obligation.get("to", ()), *obligation.get("via", ())]
            to = "; ".join(names.get(id, id) for id in receivers)
            entry.add("description", f"Đơn vị báo cáo: {who}\nNơi nhận: {to or 'không nêu'}")
            calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _vietnam() -> Timezone:
    """The zone in which days begin and end; with it a calendar has the component it must have."""
    zone, standard = Timezone(), TimezoneStandard()
    # Local time without an offset, as RFC 5545 wants it.
    zone.add("tzid", "Asia/Ho_Chi_Minh")
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001
    standard.add("tzoffsetfrom", timedelta(hours=7))
    standard.add("tzoffsetto", timedelta(hours=7))
    standard.add("tzname", "+07")
    zone.add_component(standard)
    return zone
