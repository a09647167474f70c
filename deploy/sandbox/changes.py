"""What goes wrong on the way and is put right: re-sent, corrected, revoked, cancelled, linked."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from deploy.sandbox.people import People
from deploy.sandbox.places import NEW_TREE

Json = dict[str, Any]
CHANGING = frozenset({"event.corrected", "event.revoked", "person.linked"})
"""What these changes post: facts about earlier events."""
_EARLIEST = datetime.fromisoformat(f"{NEW_TREE}T12:00:00+07:00")


@dataclass(frozen=True)
class Posting:
    """One event of a course: when a partner of this role posts it. `sort` breaks ties of `at`."""

    event: Json
    role: str
    at: datetime
    sort: int
    commune: str = ""

    @property
    def type(self) -> str:
        """The short type."""
        return str(self.event["type"]).removeprefix("vn.hocvuso.")


class Changes:
    """Makes the later events about earlier ones."""

    def __init__(
        self, rng: random.Random, originals: list[Posting], people: dict[str, People], end: datetime
    ) -> None:
        self._rng = rng
        self._originals = originals
        self._people = people
        self._end = end
        self._sort = max(p.sort for p in originals) + 1
        self._codes = sorted(people)
        attended = {
            str(p.event["data"]["class_ref"]).rpartition("#")[2]
            for p in originals
            if p.type == "training.attended" and "class_ref" in p.event["data"]
        }
        self._classes = [
            p
            for p in originals
            if p.type == "class.held" and p.event["data"]["class_ref"] in attended
        ]
        self._phones = [
            p for p in originals if p.event["data"].get("person", {}).get("scheme") == "phone"
        ]
        # Those that a plan counts by the person tell most.
        counted = [p for p in self._phones if p.event["data"].get("topic") == "digital_signature"]
        self._phones = counted or self._phones
        self.made: list[Posting] = []

    def make(self, number: int) -> list[Posting]:
        """`number` of them, of every kind."""
        kinds: list[tuple[int, Callable[[], object]]] = [
            (30, self._resend),
            (38, self._correct),
            (14, self._revoke),
            (4, self._revoke_and_restore),
            (4, self._correct_and_withdraw),
            (3, self._cancel_class),
            (5, self._link),
        ]
        for _, kind in kinds:
            kind()
        while len(self.made) < number:
            self._rng.choices([k for _, k in kinds], [w for w, _ in kinds])[0]()
        return self.made[:number]

    def _later(self, than: datetime) -> datetime:
        late = timedelta(minutes=self._rng.choice([1, 30, 600, 1500, 5000, 20000, 60000]))
        return min(than + late, self._end)

    def _add(self, posting: Posting, *, at: datetime | None = None) -> Posting:
        at = at or self._later(posting.at)
        made = replace(posting, at=at, sort=self._sort)
        self._sort += 1
        self.made.append(made)
        return made

    def _amend(self, of: Posting, type_name: str, data: Json) -> Posting:
        at = self._later(of.at)
        event = {
            "specversion": "1.0",
            "id": f"{of.event['id']}.{self._sort:x}",
            "source": of.event["source"],
            "type": f"vn.hocvuso.{type_name}",
            "subject": of.event["subject"],
            "time": at.isoformat(),
            "data": data,
        }
        return self._add(replace(of, event=event), at=at)

    def _named(self, of: Posting) -> Json:
        return {"source": of.event["source"], "id": of.event["id"]}

    def _resend(self) -> None:
        self._add(self._rng.choice(self._originals))

    def _revoke(self, of: Posting | None = None) -> Posting:
        of = of or self._rng.choice(self._originals)
        data = {"revokes": self._named(of), "reason": "Gửi nhầm (mô phỏng)"}
        return self._amend(of, "event.revoked", data)

    def _revoke_and_restore(self) -> None:
        self._revoke(self._revoke())

    def _correct_and_withdraw(self) -> None:
        made = self._correct()
        if made is not None:
            self._revoke(made)

    def _cancel_class(self) -> None:
        """Revoke a class that people attended: their attendances go with it. Some come back."""
        if self._classes:
            revoked = self._revoke(self._rng.choice(self._classes))
            if self._rng.random() < 0.25:
                self._revoke(revoked)

    def _link(self) -> None:
        """Who was known by a phone number turns up with an identity number, and the poster says
        that it is one person; now and then it takes that back."""
        if not self._phones:
            return
        of = self._rng.choice(self._phones)
        phone = of.event["data"]["person"]
        owner = next(
            p for p in self._people[of.commune].all if p.phone == phone["value"]
        ).by_identity()
        again = {
            **of.event,
            "id": f"{of.event['id']}.{self._sort:x}",
            "data": {**of.event["data"], "person": owner},
        }
        self._add(replace(of, event=again))
        linked = self._amend(of, "person.linked", {"person": phone, "same_as": owner})
        if self._rng.random() < 0.2:
            self._revoke(linked)

    def _correct(self) -> Posting | None:
        of = self._rng.choice(self._originals)
        changes = self._rng.choice(self._possible(of))
        data = {"corrects": self._named(of), "changes": changes, "reason": "Nhập sai (mô phỏng)"}
        return self._amend(of, "event.corrected", data)

    def _possible(self, of: Posting) -> list[Json]:
        """Corrections that leave the event valid."""
        rng, data = self._rng, of.event["data"]
        found: list[Json] = [{"time": self._other_time(of)}]
        if of.event["subject"] in self._people:
            found.append({"subject": rng.choice(self._codes)})
        in_data: list[Json] = []
        people = self._people[of.commune].all
        if "target_groups" in data and "person" in data:
            in_data += [{"target_groups": ["adult"]}, {"target_groups": list(people[-1].groups)}]
        if data.get("person", {}).get("scheme") == "cccd":
            in_data.append({"person": rng.choice(people).by_identity()})
        for name in ("participants", "recipients", "members_added", "workers_enrolled"):
            if name in data:
                in_data.append({name: rng.randint(0, 90)})
        if "pupils_completed" in data:
            in_data += [{"pupils_completed": rng.randint(0, 40)}, {"grade": "8"}, {"grade": None}]
        for name in ("topic", "class_ref", "campaign", "age"):
            if name in data and of.type not in ("class.held", "digital_identity.activated"):
                in_data.append({name: None})
        if of.type == "activity.held":
            in_data.append({"kind": "visual_propaganda"})
        if of.type == "guidance_session.held":
            in_data += [{"channel": None}, {"channel": "online"}, {"topics": ["online_safety"]}]
        if of.type in ("staff.assigned", "citizen.certified", "mentor.assigned"):
            in_data.append({"to": of.at.date().isoformat()})
        if of.type == "post.published":
            in_data += [{"kind": "news"}, {"channel": "official_media"}]
        if of.type == "assistance.given":
            in_data.append({"able_to_act": not data["able_to_act"]})
        return found + 2 * [{"data": patch} for patch in in_data]

    def _other_time(self, of: Posting) -> str:
        now = datetime.fromisoformat(of.event["time"])
        days = self._rng.choice([-40, -7, -1, 1, 2, 9])
        moved = min(now + timedelta(days=days), of.at - timedelta(hours=1))
        return max(moved, _EARLIEST).isoformat()
