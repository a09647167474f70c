"""What the diligent communes do on purpose, so that some cells of a simulated table are met."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from deploy.sandbox.places import NEW_TREE, Commune
from deploy.sandbox.scene import Json


@dataclass(frozen=True)
class Wish:
    """One event that is to happen on this day, with these fields whatever the dice say."""

    type: str
    day: date
    data: Json
    hamlet: str | None = None


def wished(plan: Json, commune: Commune, until: date) -> Iterator[Wish]:
    """Enough of everything that the plans set thresholds for; nothing after `until`."""
    return (wish for wish in _all(plan, commune, until) if wish.day <= until)


def _all(plan: Json, commune: Commune, until: date) -> Iterator[Wish]:
    start = max(date.fromisoformat(plan["period"]["start"]), date.fromisoformat(NEW_TREE))
    for n in range(11):
        yield Wish("activity.held", start + timedelta(days=9 * n), {"kind": "visual_propaganda"})
    for n in range(6):
        yield Wish("class.held", start + timedelta(days=12 + 11 * n), {})
    yield Wish("material.published", start + timedelta(days=30), {"channel": "portal"})
    yield Wish("material.published", start + timedelta(days=33), {"channel": "zalo"})
    yield Wish("team.reinforced", start + timedelta(days=50), {"members_added": 3})
    citizen, hamlet = "cong_dan_so_tieu_bieu", "thon_buon_khu_pho_so_tieu_bieu"
    for name, kind in (("mh1", citizen), ("mh2", citizen), ("mh3", hamlet)):
        model = {"kind": kind, "model_ref": f"{commune.code}-{name}"}
        yield Wish("model.recognised", start + timedelta(days=80), model)
    yield from _recent(commune, until)
    yield Wish(
        "conference.held",
        min(until, date.fromisoformat(plan["period"]["end"])),
        {"kind": "closing"},
    )


def _recent(commune: Commune, until: date) -> Iterator[Wish]:
    """The rhythms: eleven posts this month and the last, a session in each of the last weeks."""
    first = until.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    for month, days in ((first, (until - first).days + 1), (before, 27)):
        for n in range(11):
            url = f"https://xa-{commune.code}.example/{month:%Y-%m}/{n}"
            data = {"kind": "news", "channel": "fanpage", "url": url}
            yield Wish("post.published", month + timedelta(days=n % days), data)
    for week in range(4):
        data = {"kind": "community_session"}
        yield Wish("guidance_session.held", until - timedelta(days=7 * week), data)
    for code in commune.hamlets[:4]:
        for n in range(11):
            day = until - timedelta(days=3 * n + 2)
            yield Wish("guidance_session.held", day, {"channel": "in_person"}, code)
