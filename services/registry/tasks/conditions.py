"""What holds of all that closes a task, for one lead body and one occurrence. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from services.registry.plans.bodies import Body
from services.registry.tasks.evidence import Amounts, Evidence, amounts, reached
from services.registry.tasks.objectives import Met
from services.registry.tasks.occurrences import ONCE, Occurrence
from services.registry.tasks.standing import CLOSED, Condition
from services.registry.tasks.statements import Statement
from services.registry.tasks.territory import Area
from shared.contracts.definitions import Catalogue
from shared.domain.closing import Closing, Proof
from shared.domain.deadlines import deadline_day

if TYPE_CHECKING:
    from services.registry.tasks.fold import TaskStanding

Json = dict[str, Any]


class Conditions:
    """Made once per plan and day; remembers what came in for each proof."""

    def __init__(
        self,
        plan: Json,
        area: Area,
        evidence: Mapping[str, list[Evidence]],
        met: Met,
        catalogue: Catalogue,
    ) -> None:
        self._area = area
        self._communes = area.communes()
        self._start = date.fromisoformat(plan["period"]["start"])
        self._evidence = evidence
        self._met = met
        self._catalogue = catalogue
        self._amounts: dict[tuple[str, int, bool], Amounts] = {}
        self._shares: dict[tuple[str, int, str], Condition] = {}
        self._organisations = {o["name_vi"]: o["id"] for o in plan["organisations"]}
        self._organisations |= {o["id"]: o["id"] for o in plan["organisations"]}
        self._objectives = {o["id"]: o for o in plan["objectives"]}

    def of(
        self,
        task: Json,
        closing: Closing,
        body: Body,
        time: Occurrence,
        statement: Statement | None,
        on: date,
        others: Mapping[str, "TaskStanding"],
        *,
        first: bool,
        last: bool,
    ) -> list[Condition]:
        """Every condition of a closing. `first`: the first organisation that leads the task; `last`:
        its last occurrence. An objective is asked for when its own day has come, or at the end; of
        what goes on after it was done once, that once."""
        goes_on = "deadline_then" in task and time.id != ONCE
        found = [
            self._proof(_Part(task["id"], index, proof, first), body, time, on)
            for index, proof in enumerate(closing.proofs)
        ]
        if closing.objectives and not goes_on:
            found += [
                self._objective(name, body)
                for name in task.get("objectives") or ()
                if last or not closing.repeats or time.id == ONCE or self._due_by(name, time.end)
            ]
        if closing.tasks_led:
            found.append(self._led(task, body, others))
        if closing.statement_vi is not None:
            found.append(stated(statement, time))
        return found

    def _due_by(self, objective: str, day: date) -> bool:
        due = deadline_day(self._objectives[objective])
        return due is not None and due <= day

    def _objective(self, name: str, body: Body) -> Condition:
        cell = self._met.of(body.unit_id, name)
        if cell is None:
            return Condition("objective", name, False)
        late = bool(cell.met) and cell.met_on_time is False
        return Condition(
            "objective", name, bool(cell.met), late=late, have=1 if cell.begun else 0, need=None
        )

    def _led(self, task: Json, body: Body, others: Mapping[str, "TaskStanding"]) -> Condition:
        """All tasks (duties apart) that the same body leads."""
        states = [
            found.standings[body.id].state
            for name, found in others.items()
            if name != task["id"] and found.task["kind"] == "task" and body.id in found.standings
        ]
        done = sum(state in CLOSED for state in states)
        late = "done_late" in states
        holds = bool(states) and done == len(states)
        return Condition("tasks_led", "", holds, late=late, have=done, need=len(states))

    def _proof(self, part: "_Part", body: Body, time: Occurrence, on: date) -> Condition:
        proof, name = part.proof, part.name
        if proof.percent_of_communes is not None and body.unit_id is None:
            # The same for each organisation that leads it.
            key = (part.task, part.number, time.id)
            if key not in self._shares:
                self._shares[key] = self._share(part, time)
            return self._shares[key]
        days = self._days(part, body, compared=False)
        need = proof.at_least
        if proof.as_many_as:
            against = self._days(part, body, compared=True)
            need = max(1, sum(n for day, n in against if day <= on))
        if time.id != ONCE:
            # What came after the next occurrence had begun is the next one's.
            days = [d for d in days if d[0] <= time.end]
        have, since = reached(days, need, self._start if proof.once else time.start)
        return Condition("proof", name, since is not None, since, have=have, need=need, proof=proof)

    def _share(self, part: "_Part", time: Occurrence) -> Condition:
        """So many of the area's communes each have enough."""
        communes = self._communes
        need = -(-(part.proof.percent_of_communes or 100) * len(communes) // 100)
        found = []
        for commune in communes:
            own = self._days(part, Body(commune, "", commune), compared=False)
            if not own:
                continue
            days = [d for d in own if d[0] <= time.end]
            _, since = reached(days, part.proof.at_least, time.start)
            if since is not None:
                found.append(since)
        found.sort()
        holds = bool(communes) and len(found) >= need
        return Condition(
            "proof",
            part.name,
            holds,
            found[need - 1] if holds else None,
            have=len(found),
            need=need,
            communes=True,
            proof=part.proof,
        )

    def _days(self, part: "_Part", body: Body, *, compared: bool) -> list[tuple[date, int]]:
        key = (part.task, part.number, compared)
        known = self._amounts.get(key)
        if known is None:
            types = part.proof.as_many_as if compared else part.proof.types
            known = self._amounts[key] = amounts(
                part.proof, types, self._evidence, self._area, self._organisations, self._catalogue
            )
        if part.proof.where == "area":
            return known.area.get(body.unit_id, [])
        own = known.lead.get(body.id, [])
        # Where an event does not say which organisation it is of, it is of the first that leads.
        return sorted([*own, *known.lead.get(None, [])]) if part.first else own


class _Part(NamedTuple):
    """One proof of a task, for one lead body; `first`: of the organisations that lead it."""

    task: str
    number: int
    proof: Proof
    first: bool

    @property
    def name(self) -> str:
        return "+".join(self.proof.types)


def stated(statement: Statement | None, time: Occurrence) -> Condition:
    """What was stated done before an occurrence began is not done in it."""
    if statement is None or statement.returned is not None:
        return Condition("statement", "", False, have=0)
    done = statement.status == "done" and statement.on >= time.start
    begun = 0 if statement.status == "not_started" else 1
    return Condition("statement", "", done, statement.on if done else None, have=begun)
