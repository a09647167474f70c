"""`make bench`: each path beside a reference measured in the same run on the same machine.

Prints one row per path of the design's section 8 that can be measured here: rate, reference,
ratio, goal. Ratios matter; absolute numbers belong to the machine.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from bench import ingest, projection, table
from bench.report import Row, render
from deploy.local.stack import LocalStack, infrastructure_only


async def main() -> list[Row]:
    """Run all measurements, one after the other."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        stack = LocalStack(Path(folder) / "home", stages=infrastructure_only, report=lambda _: None)
        async with stack:
            for part in (ingest.measure, projection.measure, table.measure):
                rows += await part(stack)
                print(render(rows[-2:]), file=sys.stderr)
    return rows


if __name__ == "__main__":
    print(render(asyncio.run(main())))
