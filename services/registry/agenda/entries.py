"""What a plan puts into a calendar: due days of duties and tasks, the days of campaigns, weekly
reviews and the national day of 10 October. Pure.

An entry keeps its `uid` when its day moves; one that a version of the plan had and that an amendment
took away is `cancelled`. What has no day yet is listed without one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from services.registry.plans.bodies import bodies
from services.registry.reports.ledger import Account, party_owes
from services.registry.reports.periods import Period, periods
from services.registry.tasks.occurrences import ONCE, Occurrence, occurrences, shifted
from services.registry.tasks.words import TASK
from services.registry.web.words import REPORT
from services.registry.web.words import period as period_vi
from shared.domain.closing import closing_of
from shared.domain.plan_history import PlanVersion, own_documents
from shared.domain.units import Unit

Json = dict[str, Any]
Kind = Literal["duty", "review", "task", "campaign", "national_day"]
LONGEST = 240
"""Letters of a title: calendars show one line."""


@dataclass(frozen=True)
class Entry:
    """All-day, `first` to `last`, both included (None: no day is set). `revision` grows whenever
    what the entry says of its days may have changed. `state`: of the body asked for."""

    uid: str
    plan: str
    kind: Kind
    item: str
    period: str
    first: date | None
    last: date | None
    title_vi: str
    details_vi: str
    revision: int
    state: str | None = None
    cancelled: bool = False


@dataclass(frozen=True)
class Asked:
    """A plan on a day, for everybody (`body` None) or for one body. `states`: where that body
    stands, by task and occurrence; None: not asked."""

    plan: PlanVersion
    on: date
    revision: int
    units: Sequence[Unit]
    issued: Mapping[str, date]
    body: str | None = None
    states: Mapping[tuple[str, str], str] | None = None


def entries(asked: Asked, accounts: Sequence[Account]) -> list[Entry]:
    """Every entry: dated ones by day, then those without a day."""
    document = asked.plan.document
    found = {one.uid: one for one in _duties(asked, accounts)}
    own = own_documents(asked.plan).get(asked.body or "", document)
    found |= {one.uid: one for one in _tasks(asked, own)}
    published = asked.plan.as_published()
    if published is not document:
        before = [*_published_duties(asked, published), *_tasks(asked, published)]
        for one in before:
            if one.uid not in found and one.last is not None:
                found[one.uid] = replace(one, cancelled=True, state=None)
    found |= {one.uid: one for one in _national_days(asked)}
    return sorted(found.values(), key=lambda e: (e.last or date.max, e.kind, e.uid))


def _duties(asked: Asked, accounts: Sequence[Account]) -> Iterator[Entry]:
    for account in accounts:
        own = {
            filled.period.id: next(
                (e.state for e in filled.entries if asked.body in (None, e.debtor.id)), None
            )
            for filled in account.periods
        }
        if asked.body is not None and not account.owed_by(asked.body):
            continue
        dated = False
        for filled in account.periods:
            if own[filled.period.id] is None:
                continue
            state = own[filled.period.id] if asked.body is not None else None
            period = next(
                (e.own for e in filled.entries if e.debtor.id == asked.body and e.own),
                filled.period,
            )
            entry = _duty(asked, account.obligation, period, state)
            dated = dated or entry is not None
            if entry is not None:
                yield entry
        if not dated:
            yield _undated(asked, account.obligation)


def _published_duties(asked: Asked, document: Json) -> Iterator[Entry]:
    named = {o["id"]: o for o in document["organisations"]}
    for obligation in document["reporting"]:
        owing = {b.id for b in bodies(obligation["who"], named, asked.units, asked.on)}
        if asked.body is not None and asked.body not in owing:
            continue
        for period in periods(obligation, document, party=party_owes(obligation, named)):
            entry = _duty(asked, obligation, period, None)
            if entry is not None:
                yield entry


def _duty(asked: Asked, obligation: Json, period: Period, state: str | None) -> Entry | None:
    """A period with a due day; a weekly one without is entered as its week."""
    weekly = obligation["cadence"] == "weekly" and period.last_day is None
    if period.last_day is None and not weekly:
        return None
    when = period_vi(period.id) if period.request is None else "theo yêu cầu"
    word = f"Hạn báo cáo {when}" if obligation["event"].startswith("report.") else f"Hạn {when}"
    revision, details = asked.revision, []
    if period.request is not None:
        request = period.request
        revision += request.revised
        details += [f"Yêu cầu của: {request.requested_by}"] if request.requested_by else []
        details += [f"Nội dung: {request.subject_matter}"] if request.subject_matter else []
        details += [f"Văn bản: {request.document_ref}"] if request.document_ref else []
    details += _who(asked, obligation)
    details.append(f"Số liệu từ {_day(period.figures_from)} đến hết {_day(period.closing_day)}")
    if state is not None:
        details.append(f"Tình trạng: {REPORT[state][1]}")
    return Entry(
        uid=f"{asked.plan.plan}.{obligation['id']}.{period.id}@hocvuso",
        plan=asked.plan.plan,
        kind="review" if weekly else "duty",
        item=obligation["id"],
        period=period.id,
        first=period.start if weekly else period.last_day,
        last=period.last_day or period.end,
        title_vi=_short(f"Rà soát {when}: {obligation['text_vi']}")
        if weekly
        else _short(f"{word}: {obligation['text_vi']}"),
        details_vi="\n".join(details),
        revision=revision,
        state=state,
    )


def _undated(asked: Asked, obligation: Json) -> Entry:
    what = {
        "on_request": "nộp khi có yêu cầu",
        "ad_hoc": "nộp khi phát sinh",
    }.get(obligation["cadence"], "kế hoạch không nêu ngày")
    return Entry(
        uid=f"{asked.plan.plan}.{obligation['id']}.undated@hocvuso",
        plan=asked.plan.plan,
        kind="duty",
        item=obligation["id"],
        period="",
        first=None,
        last=None,
        title_vi=_short(f"Chưa có hạn ({what}): {obligation['text_vi']}"),
        details_vi="\n".join(_who(asked, obligation)),
        revision=asked.revision,
    )


def _who(asked: Asked, obligation: Json) -> list[str]:
    receivers = [*obligation.get("to", ()), *obligation.get("via", ())]
    return [
        f"Đơn vị báo cáo: {_names(asked, obligation['who'])}",
        f"Nơi nhận: {_names(asked, receivers) or 'không nêu'}",
    ]


def _tasks(asked: Asked, document: Json) -> Iterator[Entry]:
    named = {o["id"]: o for o in document["organisations"]}
    begins = document["period"]["start"]
    for task in document["tasks"]:
        leads = {b.id for b in bodies(task.get("lead") or (), named, asked.units, asked.on)}
        if asked.body is not None and asked.body not in leads:
            continue
        later = shifted(task, document)
        times = occurrences(task, document, closing_of(task), asked.issued, later)
        for time in times:
            yield _task(asked, task, time)
        own = task.get("period")
        if own is not None and own["start"] > begins and times[0].id == ONCE:
            yield _campaign(asked, task, own)


def _task(asked: Asked, task: Json, time: Occurrence) -> Entry:
    state = (asked.states or {}).get((task["id"], time.id))
    when = "" if time.id == ONCE else f" {period_vi(time.id)}"
    title = f"Hạn nhiệm vụ{when}: {task['title_vi']}"
    if time.last_day is None:
        title = f"Nhiệm vụ chưa có hạn (tính từ văn bản của Trung ương): {task['title_vi']}"
    details = [f"Chủ trì: {_names(asked, task.get('lead') or ()) or 'không nêu'}"]
    for role, word in (("coordinate", "Phối hợp"), ("direct", "Chỉ đạo")):
        details += [f"{word}: {_names(asked, task[role])}"] if task.get(role) else []
    details += [f"Kế hoạch ghi: {task['deadline_vi']}"] if task.get("deadline_vi") else []
    if not time.judged:
        details.append("Kỳ không trọn trong thời gian kế hoạch nên không đánh giá.")
    if state is not None:
        details.append(f"Tình trạng: {TASK[state][1]}")
    return Entry(
        uid=f"{asked.plan.plan}.task.{task['id']}.{time.id}@hocvuso",
        plan=asked.plan.plan,
        kind="task",
        item=task["id"],
        period=time.id,
        first=time.last_day,
        last=time.last_day,
        title_vi=_short(title),
        details_vi="\n".join(details),
        revision=asked.revision,
        state=state,
    )


def _campaign(asked: Asked, task: Json, span: Json) -> Entry:
    """What a plan wants done within days of its own (a launch in March, a summer campaign)."""
    return Entry(
        uid=f"{asked.plan.plan}.task.{task['id']}.span@hocvuso",
        plan=asked.plan.plan,
        kind="campaign",
        item=task["id"],
        period="",
        first=date.fromisoformat(span["start"]),
        last=date.fromisoformat(span["end"]),
        title_vi=_short(f"Đợt thực hiện: {task['title_vi']}"),
        details_vi=f"Chủ trì: {_names(asked, task.get('lead') or ()) or 'không nêu'}",
        revision=asked.revision,
    )


def _national_days(asked: Asked) -> Iterator[Entry]:
    """10 October of each year of the plan, by decision 505/QĐ-TTg of 22 April 2022."""
    period = asked.plan.document["period"]
    for year in range(int(period["start"][:4]), int(period["end"][:4]) + 1):
        day = date(year, 10, 10)
        if period["start"] <= day.isoformat() <= period["end"]:
            yield Entry(
                uid=f"national-day.{year}@hocvuso",
                plan=asked.plan.plan,
                kind="national_day",
                item="",
                period=str(year),
                first=day,
                last=day,
                title_vi="Ngày Chuyển đổi số quốc gia 10/10",
                details_vi="Quyết định 505/QĐ-TTg ngày 22/4/2022.",
                revision=0,
            )


def _names(asked: Asked, ids: Sequence[str]) -> str:
    names = {o["id"]: o["name_vi"] for o in asked.plan.document["organisations"]}
    return "; ".join(names.get(id, id) for id in ids)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"
