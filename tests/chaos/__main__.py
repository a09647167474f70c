"""`make chaos MINUTES=30`: `python -m tests.chaos --minutes N [--seed N]`."""

import argparse
import asyncio
import random
import sys

from tests.chaos.run import chaos


def main() -> int:
    """0 when nothing was lost, double or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    asked = parser.parse_args()
    print(f"chaos for {asked.minutes:g} minutes, seed {asked.seed}", flush=True)
    try:
        outcome = asyncio.run(
            chaos(asked.minutes, asked.seed, lambda line: print(line, flush=True))
        )
    except AssertionError as wrong:
        print(f"WRONG\n{wrong}")
        return 1
    print(outcome.text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
