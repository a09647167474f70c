"""A plan of the log that does not fit its schema is told with the place, not as a failure of ours.

`hocvuso plans load` posts only whole plans, yet an event, and an amendment's patch, may carry more
or less: `shared.domain.plan_document` refuses what every service relies on, and what is wrong
inside single items stands in the log. Whatever then cannot be shown of that plan says why.
"""

from services.registry.state import State
from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import check_plan
from shared.problems import Problem

FAILURES = (TypeError, ValueError, LookupError, AttributeError)
"""What reading an item of another shape raises."""
SHOWN = 10


def explained(state: State, plan: str, catalogue: Catalogue) -> Problem | None:
    """The problem to answer where reading a plan failed; None if its document is not the reason."""
    version = state.definitions.plan(plan, state.clock.today())
    wrong = check_plan(version.document, catalogue) if version else ()
    if not wrong:
        return None
    return Problem(
        "plan-document-invalid",
        f"This cannot be shown, because version {version.version if version else '?'} of the plan"
        f" (with its amendments) does not fit plans/plan.schema.json, at {wrong[0].path or '/'}.",
        status=409,
        hint="Publish a mended version; `hocvuso plans validate FILE` names each line.",
        extra={"problems": [{"pointer": w.path, "problem": w.message} for w in wrong[:SHOWN]]},
    )
