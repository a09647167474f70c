"""`make bench`: each path beside a reference measured in the same run on the same machine.

Prints one row per path of the design's section 8 that can be measured here: rate, reference,
ratio, goal. Ratios matter; absolute numbers belong to the machine.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench import (
    growth,
    idle,
    ingest,
    intake,
    projection,
    rebuild,
    refused,
    soak,
    start,
    stream,
    table,
    tracing,
    visible,
    volume,
)
from bench.report import Row, render
from deploy.local.stack import LocalStack, infrastructure_only


async def main() -> list[Row]:
    """Run all measurements, one after the other."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        stack = LocalStack(Path(folder) / "home", stages=infrastructure_only, report=lambda _: None)
        async with stack:
            for part in (
                ingest.measure,
                refused.measure,
                stream.measure,
                intake.measure,
                tracing.measure,
                projection.measure,
                rebuild.measure,
                growth.measure,
                table.measure,
                volume.measure,
                visible.measure,
            ):
                rows += await part(stack)
                print(render(rows[-2:]), file=sys.stderr)
    return rows


async def _refused() -> list[Row]:
    """`refused`: what a large body without a key costs others."""
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        stack = LocalStack(Path(folder) / "home", stages=infrastructure_only, report=lambda _: None)
        async with stack:
            return await refused.measure(stack)


def _soak(arguments: list[str]) -> int:
    """`soak --minutes N`: 0 when memory and lag stayed flat."""
    parser = argparse.ArgumentParser(prog="python -m bench soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    text, flat = soak.report(*asyncio.run(soak.soak(parser.parse_args(arguments).minutes)))
    print(text)
    return 0 if flat else 1


def _visible(arguments: list[str]) -> int:
    """`visible --seconds N`: 0 when the goal is met on every broker that is here."""
    parser = argparse.ArgumentParser(prog="python -m bench visible")
    parser.add_argument("--seconds", type=float, default=visible.SECONDS)
    rows = asyncio.run(visible.measure(None, parser.parse_args(arguments).seconds))
    print(render(rows))
    return 0 if all(row.met for row in rows) else 1


def _idle(arguments: list[str]) -> int:
    """`idle --seconds N`: processor and memory at rest."""
    parser = argparse.ArgumentParser(prog="python -m bench idle")
    parser.add_argument("--seconds", type=float, default=idle.SECONDS)
    print(asyncio.run(idle.measure(parser.parse_args(arguments).seconds)))
    return 0


ALONE = {
    "projection": projection.measure,
    "rebuild": rebuild.measure,
    "growth": growth.measure,
    "table": volume.measure,
}


async def _alone(arguments: list[str]) -> list[Row]:
    """`projection|rebuild|growth|table --rows N`: one part, as large as wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("part", choices=ALONE)
    parser.add_argument("--rows", type=int, required=True)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hocvuso-bench-") as folder:
        stack = LocalStack(Path(folder) / "home", stages=infrastructure_only, report=lambda _: None)
        async with stack:
            return await ALONE[asked.part](stack, asked.rows)


_HELP = """usage: python -m bench [PART] [OPTIONS]

Without a part: all of `make bench`, for half an hour or so, a row for each path.

parts:
  projection, rebuild, growth, table --rows N    one part, as large as wanted
  visible --seconds N                            from POST to the table, on every broker that is here
  refused                                        what a large body without a key costs others
  idle --seconds N                               processor and memory of a system at rest
  start                                          a first start and a warm one, stage by stage
  soak --minutes N                               whether memory and lag stay flat
"""


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:2]):
        print(_HELP, end="")
        sys.exit(0)
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        print(render(asyncio.run(_alone(sys.argv[1:]))))
        sys.exit(0)
    if sys.argv[1:2] == ["visible"]:
        sys.exit(_visible(sys.argv[2:]))
    if sys.argv[1:2] == ["idle"]:
        sys.exit(_idle(sys.argv[2:]))
    if sys.argv[1:2] == ["start"]:
        print(start.measure())
        sys.exit(0)
    if sys.argv[1:2] == ["refused"]:
        print(render(asyncio.run(_refused())))
        sys.exit(0)
    if sys.argv[1:2] == ["soak"]:
        sys.exit(_soak(sys.argv[2:]))
    if sys.argv[1:]:
        print(f"there is no part {sys.argv[1]!r}\n\n{_HELP}", end="", file=sys.stderr)
        sys.exit(2)
    print(render(asyncio.run(main())))
