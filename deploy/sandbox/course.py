"""A plausible course of a plan, as the events that partners would post. Pure: same input, same course.

Every commune takes part, fast and slow ones; every fact type of the catalogue occurs; events come
late, twice, wrong and are put right. `until` is the last day on which anything happens or is posted.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from deploy.sandbox.changes import Changes, Posting
from deploy.sandbox.diligence import wished
from deploy.sandbox.facts_activities import ACTIVITIES
from deploy.sandbox.facts_people import PEOPLE
from deploy.sandbox.facts_plain import plain
from deploy.sandbox.people import People, people_of
from deploy.sandbox.places import NEW_TREE, Commune, Place, place_of
from deploy.sandbox.populations import definitions
from deploy.sandbox.scene import Json, Memory, Recipe, Scene
from shared.contracts.definitions import Catalogue

SEASON, MARGIN = timedelta(days=100), timedelta(days=7)
VIETNAM = timezone(timedelta(hours=7))
_OWN: list[Recipe] = [*PEOPLE, *ACTIVITIES]
RECIPES: list[Recipe] = [*_OWN, *plain(_OWN, Catalogue.load())]
CHANGED = 0.09
LEAD_IN = timedelta(days=25)
"""The course begins before the plan: some evidence lies outside its period."""


class CourseError(ValueError):
    """No such course can be made; the message says which could."""


@dataclass(frozen=True)
class Course:
    """`definitions` (hamlets, populations; the administrator's) come before `postings`, which are
    in the order in which they are posted."""

    place: Place
    definitions: list[Posting]
    postings: list[Posting]
    until: date


def last_day(plan: Json, today: date) -> date:
    """The last day a course of this plan can have: whole days only, so at the latest yesterday."""
    return min(date.fromisoformat(plan["period"]["end"]), today - timedelta(days=1))


def source_of(role: str, plan: str, seed: int, events: int, until: date) -> str:
    """The CloudEvents source of one role in one course; other courses have other sources."""
    host = role.replace("_", "-")
    return f"https://{host}.sandbox.example/{plan}/s{seed}-n{events}-{until.isoformat()}"


def make_course(plan_id: str, events: int, seed: int, until: date) -> Course:
    """The course with exactly `events` postings. Raises CourseError, UnknownPlan."""
    return _Maker(plan_id, events, seed, until).course()


def _windows(plan: Json) -> dict[str, tuple[date, date]]:
    """Types with a season of their own in the plan (a launch in March), a little too early and
    too late included."""
    found = {}
    for objective in plan["objectives"]:
        first, last = (date.fromisoformat(objective["period"][end]) for end in ("start", "end"))
        parts = objective.get("measure", {}).get("of", [])
        types = {name for part in parts for name in part["types"]}
        if last - first < SEASON and len(types) == 1:
            found[types.pop()] = (first - MARGIN, last + MARGIN)
    return found


class _Maker:
    def __init__(self, plan_id: str, events: int, seed: int, until: date) -> None:
        self._rng = random.Random(f"{plan_id}/{seed}/{events}/{until}")  # noqa: S311
        self._place = place_of(plan_id, self._rng, max(1, events // 900))
        self._id = (plan_id, seed, events, until)
        self._events = events
        begins = date.fromisoformat(self._place.plan["period"]["start"]) - LEAD_IN
        self._begin = max(begins, date.fromisoformat(NEW_TREE))
        self._until = until
        self._end = datetime(until.year, until.month, until.day, 23, 30, tzinfo=VIETNAM)
        if until < self._begin + 2 * LEAD_IN:
            raise CourseError(
                f"{plan_id} begins on {begins + LEAD_IN}: a course until {until} would be too short."
                " Choose a later --until, or start the sandbox with HOCVUSO_CLOCK_SHIFT_SECONDS."
            )
        self._serial = 0
        self._windows = _windows(self._place.plan)
        self._day_lists: dict[str, list[date]] = {}
        self._drafts: list[Posting] = []
        self._memories = {c.code: Memory() for c in self._place.communes}
        self._people = self._populate()

    def course(self) -> Course:
        changes = int(self._events * CHANGED)
        facts = self._events - changes
        self._required()
        if len(self._drafts) > facts:
            needed = int(len(self._drafts) / (1 - CHANGED)) + 1
            raise CourseError(f"this plan needs at least {needed} events: every unit, every type")
        communes = self._place.communes
        speeds = [c.speed for c in communes]
        weights = [r.weight for r in RECIPES]
        while len(self._drafts) < facts:
            recipe = self._rng.choices(RECIPES, weights)[0]
            self._draft(recipe, self._rng.choices(communes, speeds)[0])
        made = Changes(self._rng, self._drafts, self._people, self._end).make(changes)
        setup = definitions(self._place, self._people, self._memories, self._rng, self._id)
        postings = sorted([*self._drafts, *made], key=lambda p: (p.at, p.sort))
        return Course(self._place, setup, postings, self._until)

    def _populate(self) -> dict[str, People]:
        whole = sum(c.speed for c in self._place.communes)
        return {
            c.code: people_of(
                self._rng,
                self._place.root[:2],
                index,
                15 + int(self._events * 0.06 * c.speed / whole),
            )
            for index, c in enumerate(self._place.communes)
        }

    def _required(self) -> None:
        """Every type somewhere, every commune with something, some communes with a lot."""
        for recipe in RECIPES:
            self._draft(recipe, self._rng.choice(self._place.communes))
        by_type = {recipe.type: recipe for recipe in reversed(RECIPES)}
        for commune in self._place.communes:
            shares = {
                "citizen.certified": 1.0,
                "launch.attended": 0.93,
                "team.reinforced": 0.6,
                "festival.held": 0.7,
            }
            for name, share in shares.items():
                if self._rng.random() < share:
                    self._draft(by_type[name], commune)
            if commune.diligent:
                for wish in wished(self._place.plan, commune, self._until):
                    self._draft(by_type[wish.type], commune, wish.day, wish.data, wish.hamlet)

    def _days(self, recipe: Recipe) -> list[date]:
        """Days of the course on which this may happen; any day if its season is not among them."""
        if recipe.type not in self._day_lists:
            whole = [
                self._begin + timedelta(days=n) for n in range((self._until - self._begin).days + 1)
            ]
            low, high = recipe.window or ("01-01", "12-31")
            season = [day for day in whole if low <= f"{day:%m-%d}" <= high]
            if recipe.type in self._windows:
                first, last = self._windows[recipe.type]
                season = [day for day in whole if first <= day <= last]
            self._day_lists[recipe.type] = season or whole
        return self._day_lists[recipe.type]

    def _draft(
        self,
        recipe: Recipe,
        commune: Commune,
        day: date | None = None,
        extra: Json | None = None,
        hamlet: str | None = None,
    ) -> None:
        """Add one event."""
        if day is None:
            days = self._days(recipe)
            # More happens towards the end, as campaigns gather pace.
            day = days[max(self._rng.randrange(len(days)), self._rng.randrange(len(days)))]
        self._serial += 1
        scene = Scene(
            rng=self._rng,
            commune=commune,
            people=self._people[commune.code],
            memory=self._memories[commune.code],
            day=day,
            serial=self._serial,
            root=self._place.root,
            plan=self._id[0],
            subject=commune.code,
            class_prefix="" if recipe.role == "commune" else f"{self._source('commune')}#",
            extra=extra or {},
        )
        data = recipe.make(scene)
        if self._rng.random() < 0.01:
            data = {**data, "opening": True}
        happened, posted = self._times(day)
        event: Json = {
            "specversion": "1.0",
            "id": f"{recipe.type}-{self._serial:x}",
            "source": self._source(recipe.role),
            "type": f"vn.hocvuso.{recipe.type}",
            "subject": hamlet or scene.subject,
            "time": self._written(happened),
            "data": data,
        }
        if scene.dataschema:
            event["dataschema"] = scene.dataschema
        if self._rng.random() < 0.1:
            event["subject"] += "@2025"
        self._drafts.append(Posting(event, recipe.role, posted, self._serial, commune.code))

    def _times(self, day: date) -> tuple[datetime, datetime]:
        """When it happened, and when it was posted: mostly soon, sometimes weeks later."""
        minute = self._rng.choice([5, 200, 330, 480, 560, 640, 800, 950])
        happened = datetime(day.year, day.month, day.day, tzinfo=VIETNAM)
        happened += timedelta(minutes=minute + self._rng.randrange(20))
        hours = self._rng.choice([1, 2, 4, 20, 26, 50])
        if self._rng.random() < 0.2:
            hours += 24 * self._rng.choice([3, 7, 16, 45, 70])
        return happened, min(happened + timedelta(hours=hours), self._end)

    def _written(self, happened: datetime) -> str:
        """Partners write Vietnamese time or UTC: before 07:00 that is the day before."""
        if self._rng.random() < 0.15:
            return happened.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")  # noqa: UP017
        return happened.isoformat()

    def _source(self, role: str) -> str:
        return source_of(role, *self._id)
