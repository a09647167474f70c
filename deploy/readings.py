"""docs/readings.md: how every objective of the five plans is read, from the plans and `plans/readings/`.

A reading belongs to words, not to a plan: the same words are one entry, which names all objectives that
use them, so that they cannot be read differently. Its example and its near miss are posted by a test.
"""

from pathlib import Path
from typing import Any

import msgspec
import yaml

PLANS = Path(__file__).parents[1] / "plans"

HEAD = """\
# Readings: what every target of the five plans counts

Made by `make generate` from the plans and `plans/readings/*.yaml`; do not edit.

Each target is listed with the plan's sentence, how it is read, what counts, what does not, and the stricter or looser reading that was
not taken. Entries that say "read alike" are one reading of the same words; a test compiles them and finds the same filter. Another
test posts the example and the near miss to every one of them. How a reading is written down: [indicators.md](indicators.md).

Rules that hold for all:

* **The plan's own method decides** where it names one (Đồng Nai, appendix I), whatever the words on skill.
* **"có kiến thức, kỹ năng, sử dụng được | tốt | thành thạo"** without a method: training attended, a course finished (a failed one is
  not), an assessment passed, or a confirmation at the level of the words count; "được" takes any level, "tốt" good and proficient,
  "thành thạo" proficient only, and never attendance. The target is compared with this number. The stricter one, who was confirmed or
  passed an assessment, stands beside it in every cell; the note of the objective says so in Vietnamese.
* **What a plan measures apart stays apart.** Where attendance is a target of its own for the same people (Đắk Lắk III.9), or the sentence
  names guidance beside being able (Đắk Lắk III.8), having the skill needs a proof of its own.
* **What is not said is not held against an event** where its type already says it (VNeID for `citizen.certified`, the movement for
  `class.held`): `if_given`. What the words ask for beyond the type must be said (a level, a topic, a campaign).
* **A share is part of its whole**: trainees with a certificate are some of the trainees, answered requests some of the requests.
* **The day is the one the event names** (`certified_on`, `completed_on` ...), else that of `time`.
"""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reading. `example` and `near_miss` are events: type, data as posted, maybe day and unit."""

    id: str
    words: str
    objectives: list[str]
    reading: str
    counts: str
    not_counted: str
    example: list[dict[str, Any]]
    near_miss: list[dict[str, Any]]
    stricter: str | None = None
    looser: str | None = None


def readings() -> list[Reading]:
    """All readings, in the order of their files."""
    found: list[Reading] = []
    for file in sorted((PLANS / "readings").glob("*.yaml")):
        found += msgspec.convert(yaml.safe_load(file.read_text("utf-8")), list[Reading])
    return found


def plans() -> list[dict[str, Any]]:
    """The plans that the readings speak of, as their files say them."""
    named = {name.partition("/")[0] for one in readings() for name in one.objectives}
    return [yaml.safe_load((PLANS / f"{name}.yaml").read_text("utf-8")) for name in sorted(named)]


def page() -> str:
    """The text of docs/readings.md."""
    by_objective = {name: one for one in readings() for name in one.objectives}
    notes = yaml.safe_load((PLANS / "vi" / "reading_notes.yaml").read_text("utf-8"))
    vietnamese = {note["en"]: note["vi"] for note in notes}
    lines = [HEAD]
    for plan in plans():
        lines.append(f"## {plan['title_vi']} (`{plan['id']}`)\n")
        for number, objective in enumerate(plan["objectives"], 1):
            name = f"{plan['id']}/{objective['id']}"
            lines += _entry(number, objective, name, by_objective[name], vietnamese)
    return "\n".join(lines)


def _entry(
    number: int, objective: dict[str, Any], name: str, one: Reading, notes: dict[str, str]
) -> list[str]:
    lines = [
        f"### {number}. `{objective['id']}` ({objective.get('section', '')})\n",
        f"> {objective['text_vi']}\n",
        f"* **Words** {one.words}",
        f"* **Reading** {one.reading}",
        f"* **Counts** {one.counts}",
        f"* **Does not** {one.not_counted}",
    ]
    for title, text in (("Stricter", one.stricter), ("Looser", one.looser)):
        if text is not None:
            lines.append(f"* **{title}, not taken** {text}")
    lines += [f"* **Example** {_events(one.example)}", f"* **Near miss** {_events(one.near_miss)}"]
    note = notes.get(objective.get("reading_note", ""))
    if note is not None:
        lines.append(f"* **Ghi chú** {note}")
    others = [other.partition("/") for other in one.objectives if other != name]
    alike = [f"{plan} `{objective}`" for plan, _, objective in others]
    if alike:
        lines.append(f"* **Read alike** {', '.join(alike)}")
    return [*lines, ""]


def _events(events: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"`{event['type']} {msgspec.json.encode(event['data']).decode()}`"
        + (f" on {event['day']}" if "day" in event else "")
        for event in events
    )
