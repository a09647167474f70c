"""Pages made from the plans of the repository: docs/tasks.md (`make generate`)."""

import calendar
from typing import Any

from services.registry.plans.load import DEFAULT_FOLDER
from services.registry.tasks.occurrences import JUDGED, MAINTAINED
from shared.contracts.definitions import Catalogue
from shared.domain.closing import Closing, Proof, closing_of
from shared.domain.plan_files.document import load_plan

Json = dict[str, Any]
EACH = {"weekly": "week", "monthly": "month"}

_INTRO = """# What closes each task

Made from the plans by `make generate`; a test keeps it true.

The plans set tasks and hardly ever say what finishes one. `closing` in a plan's file is our reading; all
that it names must hold, for each body that leads the task and each occurrence of it:

* **objectives**: all objectives of the task are met, for a commune its own; `met_on_time` says whether in time.
* **events**: enough events that match, from the first day of the occurrence on. "its own": posted for the lead body (or naming it as `reporter`); "its area": anywhere in its territory; "once": need not happen again in each occurrence.
* **tasks led**: all other tasks that the same body leads are done.
* **statement**: the lead body says that it is done (`task.progressed`), with the product or document. Only where no event can prove it; the reason stands beside it. Where events stand beside it,
  both are needed: what an event can prove is not closed by a statement alone.

A task that recurs ("each week") stands once for each; one that is to be finished and then kept up ("then each quarter") once until its day, and again for each whole period after it. That objectives
are met is asked once. A duty without a day is due when the plan ends. Numbers that the plans do not say (how many messages make a campaign) are our reading too, and can be changed by an amendment of the task.
"""


def tasks() -> str:
    """docs/tasks.md."""
    catalogue = Catalogue.load()
    lines = [_INTRO]
    total = stated = 0
    for file in sorted(DEFAULT_FOLDER.glob("*.yaml")):
        plan = load_plan(file, catalogue).data
        lines += [
            f"## {plan['id']}\n",
            "| task | what the plan says | closed by |",
            "|---|---|---|",
        ]
        for task in plan["tasks"]:
            closing = closing_of(task)
            total += 1
            stated += closing.statement_vi is not None
            words = task["title_vi"].replace("|", "\\|")
            lines.append(f"| `{task['id']}` | {words} | {_closing(task, closing)} |")
        lines.append("")
    lines.append(
        f"Together {total} tasks; {stated} of them need a statement of the lead body, with or without events."
    )
    return "\n".join(lines) + "\n"


def _closing(task: Json, closing: Closing) -> str:
    parts = [_proof(proof) for proof in closing.proofs]
    if closing.objectives:
        parts.append("objectives " + ", ".join(f"`{name}`" for name in task["objectives"]))
    if closing.tasks_led:
        parts.append("all other tasks it leads")
    if closing.statement_vi is not None:
        parts.append(f"statement ({closing.statement_vi})")
    return "; ".join([*parts, *_rhythm(task, closing)])


def _rhythm(task: Json, closing: Closing) -> list[str]:
    """How often it is to be done, where that is more than once."""
    deadline = task.get("deadline")
    rhythm = deadline.get("recurring") if isinstance(deadline, dict) else None
    if isinstance(deadline, dict) and rhythm == "yearly":
        month = int(deadline.get("month", 0))
        day = f", on {deadline['on']}" if "on" in deadline else ""
        return ["each year" + (f", in {calendar.month_name[month]}" if month else day)]
    if rhythm in EACH:
        return [f"each {EACH[rhythm]}"]
    if task.get("deadline_then") == "continuous" and closing.repeats:
        return [f"then each {closing.judged or MAINTAINED}"]
    if closing.repeats and (closing.judged is not None or rhythm == "continuous"):
        return [f"each {closing.judged or JUDGED}"]
    return []


def _proof(proof: Proof) -> str:
    types = " or ".join(f"`{name}`" for name in proof.types)
    said = ", ".join(f"{name} {_value(value)}" for name, value in proof.filter.items())
    if proof.as_many_as:
        much = "as many as " + " or ".join(f"`{name}`" for name in proof.as_many_as)
    elif proof.sum is not None:
        much = f"{proof.sum} >= {proof.at_least}"
    else:
        much = f"{proof.at_least} or more"
    where = "its own" if proof.where == "lead" else "its area"
    if proof.percent_of_communes is not None:
        where = f"in each of {proof.percent_of_communes} % of the communes"
    where += ", once" if proof.once else ""
    return f"{types}{f' ({said})' if said else ''}: {much}, {where}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return " or ".join(str(one) for one in value)
    if isinstance(value, dict):
        return " and ".join(f"{name} {one}" for name, one in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
