"""The five plans of this repository."""

from pathlib import Path

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import PlanDocument, load_plan
from tests.plans.five import FIVE

FOLDER = Path(__file__).parents[2] / "plans"

CATALOGUE = Catalogue.load()

PLANS: dict[str, PlanDocument] = {
    name: load_plan(FOLDER / f"{name}.yaml", CATALOGUE) for name in FIVE
}
