"""`GET /v1/checklist`: how far a partner has come, and what to do next. Reads the books and metrics."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from services.activities.keys.model import STREAM, WRITE, XAPI, Key
from services.activities.reconciliation.explain import Explanations, MetricsDown, coarse
from shared.clock import VIETNAM, Clock
from shared.contracts.definitions import Catalogue

SOON = timedelta(days=14)
ASKED = 40
"""Accepted events of which metrics is asked; the first and last of each type, path and day."""

METRICS_S = 3.0
Done = Literal["done", "todo", "unknown"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the list; texts in English and Vietnamese, `curl` with `$KEY`."""

    id: str
    state: Done
    title: str
    title_vi: str
    detail: str = ""
    detail_vi: str = ""
    at: datetime | None = None
    curl: str | None = None


@dataclass(slots=True)
class _Path:
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0


class Checklist:
    """Makes the list for a key."""

    def __init__(
        self, pool: asyncpg.Pool, catalogue: Catalogue, explanations: Explanations, clock: Clock
    ) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._explanations = explanations
        self._clock = clock

    async def steps(self, key: Key, base: str) -> list[Step]:
        """The steps in the order in which partners take them. `base`: address of activities."""
        rows = await self._pool.fetch("SELECT * FROM book WHERE partner = $1", key.name)
        paths: dict[str, _Path] = {}
        for row in rows:
            path = paths.setdefault(row["path"], _Path())
            path.accepted += row["accepted"]
            path.duplicate += row["duplicate"]
            path.rejected += row["rejected"]
        positions = {p for row in rows for p in (row["first_position"], row["last_position"]) if p}
        known = sorted(positions)
        asked = known[:1] + known[1:][-(ASKED - 1) :]
        steps = [self._key(key, base), self._rights(key)]
        steps.append(await self._accepted(key, base, paths, asked[:1]))
        steps.append(await self._counted(asked))
        steps += self._ways(key, base, paths)
        return steps

    def _key(self, key: Key, base: str) -> Step:
        return Step(
            "key",
            "done",
            "The key works",
            "Khóa hoạt động",
            f"It is the key {key.prefix} of {key.name}.",
            f"Đây là khóa {key.prefix} của {key.name}.",
            curl=f'curl {base}/v1/keys/self -H "Authorization: Bearer $KEY"',
        )

    def _rights(self, key: Key) -> Step:
        ways = sorted(key.scopes & {WRITE, STREAM, XAPI})
        types = sorted(self._types(key))
        everywhere = key.subtree or "VN"
        detail = (
            f"Ways in: {', '.join(ways) or 'none'}. Event types: {len(types)}."
            f" Units: {everywhere} and below."
        )
        detail_vi = (
            f"Đường gửi: {', '.join(ways) or 'không có'}. Số loại sự kiện: {len(types)}."
            f" Đơn vị: {everywhere} trở xuống."
        )
        if key.sources is not None:
            detail += f" Sources under: {', '.join(key.sources)}."
            detail_vi += f" Nguồn (source) dưới: {', '.join(key.sources)}."
        if key.expires_at is not None and key.expires_at - self._clock.now() < SOON:
            day = key.expires_at.astimezone(VIETNAM).date().isoformat()
            detail += f" It ends on {day}: ask for its successor."
            detail_vi += f" Hết hạn ngày {day}: hãy xin khóa kế tiếp."
        good = bool(ways and types)
        if not good:
            detail += " Ask the administrator: nothing can be sent with this key."
            detail_vi += " Hãy liên hệ quản trị: khóa này không gửi được gì."
        state: Done = "done" if good else "todo"
        return Step("rights", state, "It may send", "Được phép gửi", detail, detail_vi)

    async def _accepted(
        self, key: Key, base: str, paths: dict[str, _Path], first: list[int]
    ) -> Step:
        accepted = sum(path.accepted for path in paths.values())
        rejected = sum(path.rejected for path in paths.values())
        told = f"{accepted:,} accepted, {rejected:,} refused."
        told_vi = f"{_vi(accepted)} được nhận, {_vi(rejected)} bị từ chối."
        title, title_vi = "First event accepted", "Sự kiện đầu tiên được nhận"
        if accepted and first:
            at = await self._pool.fetchval(
                "SELECT recorded_at FROM log WHERE position = $1", first[0]
            )
            return Step("accepted", "done", title, title_vi, told, told_vi, at)
        if rejected:
            told += " Look at why: GET /v1/quarantine."
            told_vi += " Xem lý do: GET /v1/quarantine."
        else:
            told = "Try it with dry_run, which writes nothing; then send it without."
            told_vi = "Thử với dry_run (không ghi gì), rồi gửi thật."
        return Step("accepted", "todo", title, title_vi, told, told_vi, curl=self._post(key, base))

    async def _counted(self, positions: list[int]) -> Step:
        title, title_vi = "First event counted", "Sự kiện đầu tiên được tính"
        if not positions:
            return Step("counted", "todo", title, title_vi)
        try:
            asked = await self._explanations.ask(positions, METRICS_S)
            found = [coarse(one) for one in asked.results]
        except MetricsDown:
            return Step(
                "counted", "unknown", title, title_vi,
                "The counting service does not answer just now; what was accepted is safe.",
                "Dịch vụ tính chỉ tiêu chưa trả lời; dữ liệu đã nhận vẫn an toàn.",
            )  # fmt: skip
        for one in found:
            if one.state == "counted":
                named = next(o for o in one.objectives if o.counts)
                where = f"{named.plan} / {named.objective}, {named.unit_id}"
                return Step(
                    "counted", "done", title, title_vi,
                    f"Position {one.position} counts for {where}.",
                    f"Vị trí {one.position} được tính cho {where}.",
                )  # fmt: skip
        last = found[-1]
        if last.state == "not_yet":
            told, told_vi = "It is being counted; look again soon.", "Đang được tính; xem lại sau."
        else:
            why = f"{last.reason or last.state} ({last.code})"
            told = f"Accepted, but so far none of {len(found)} looked at counts: {why}"
            told_vi = f"Đã nhận nhưng chưa sự kiện nào trong {len(found)} được tính: {why}"
        return Step("counted", "todo", title, title_vi, told, told_vi)

    def _ways(self, key: Key, base: str, paths: dict[str, _Path]) -> list[Step]:
        """A step for each further way in that the key opens, or that was used already."""
        found = []
        stream = (
            f"curl -T events.ndjson '{base}/v1/streams/first?offset=0'"
            ' -H "Authorization: Bearer $KEY" -H "Content-Type: application/x-ndjson"'
        )
        for path, scope, title, title_vi, curl in (
            ("stream", STREAM, "First line of a stream", "Dòng đầu tiên của luồng", stream),
            ("xapi", XAPI, "First xAPI statement", "Phát biểu xAPI đầu tiên", None),
            ("kafka", None, "First message over Kafka", "Bản tin Kafka đầu tiên", None),
        ):
            used = paths.get(path)
            if used is None and scope not in key.scopes:
                continue
            number = (used.accepted + used.duplicate) if used is not None else 0
            refused = used.rejected if used is not None else 0
            state: Done = "done" if number else "todo"
            told = f"{number:,} taken, {refused:,} refused."
            told_vi = f"{_vi(number)} đã nhận, {_vi(refused)} bị từ chối."
            to_do = None if number else curl
            found.append(Step(path, state, title, title_vi, told, told_vi, curl=to_do))
        return found

    def _types(self, key: Key) -> list[str]:
        return [
            name
            for name in self._catalogue
            if self._catalogue[name].may_be_posted_by(key.roles) and key.covers(name)
        ]

    def _post(self, key: Key, base: str) -> str | None:
        """A command that posts an example that this key may post; it writes nothing yet."""
        types = [name for name in self._types(key) if self._catalogue[name].lane == "fact"]
        # One that a plan may count says more than one of those that correct others.
        usual = [n for n in types if not n.startswith(("event.", "person.", "figure.", "nil."))]
        if not types:
            return None
        name = (usual or types)[0]
        source = key.sources[0] if key.sources else f"https://{key.name}.example/"
        example: dict[str, Any] = dict(self._catalogue[name].examples[0])
        now = self._clock.now().astimezone(VIETNAM).replace(microsecond=0)
        event = {
            "specversion": "1.0",
            "id": f"thu-{now:%Y%m%d-%H%M%S}",
            "source": source,
            "type": f"vn.hocvuso.{name}",
            "subject": (key.subtree or "24133").partition("@")[0],
            "time": now.isoformat(),
            "data": example.get("data", example),
        }
        body = json.dumps(event, ensure_ascii=False).replace("'", "'\\''")
        return (
            f"curl '{base}/v1/events?dry_run=true' -H \"Authorization: Bearer $KEY\""
            f" -H 'Content-Type: application/cloudevents+json' -d '{body}'"
        )


def _vi(number: int) -> str:
    """A whole number as it is written in Vietnamese."""
    return f"{number:,}".replace(",", ".")
