"""The load step of the images: units, populations and plans of the repository, into the log.

Their events have deterministic ids, so loading again changes nothing.
"""

import asyncio
import sys

from services.registry.cli import load_plans, load_units
from services.registry.plans import load as plan_load
from services.registry.units import catalogue
from services.registry.units.load import LoadFailed
from shared.settings import CommonSettings


async def load() -> None:
    """Units before plans: a plan names units."""
    settings = CommonSettings()
    await load_units(catalogue.DEFAULT_FOLDER, settings)
    await load_plans(plan_load.DEFAULT_FOLDER, settings)


if __name__ == "__main__":
    try:
        asyncio.run(load())
    except LoadFailed as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
