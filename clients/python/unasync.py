"""Writes the blocking client from the asyncio one.

    python clients/python/unasync.py          write
    python clients/python/unasync.py --check  say what is out of date, exit code 1

What the two really do differently is in `aconcurrency.py` and `concurrency.py`. The results are
checked in and formatted by ruff, which must be on the path or beside this Python.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "hocvuso_client"
FILES = {"adirect.py": "direct.py", "aclient.py": "client.py"}

_WORDS = (
    (r"async def ", "def "),
    (r"async with ", "with "),
    (r"async for ", "for "),
    (r"\bawait ", ""),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAsync(Direct|Client|BaseTransport)\b", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\.aclose\b", ".close"),
    (r"\ba(direct|client|concurrency)\b", r"\1"),
    (r"  # noqa: ASYNC109\b", ""),
)
_TIDY = ["check", "--quiet", "--fix", "--unsafe-fixes", "--select", "I,F401,UP028"]
_HEAD = "# Made from {source} by unasync.py; do not edit.\n"


def blocking(text: str, source: str) -> str:
    """The blocking twin of a module's text, not yet formatted."""
    for pattern, word in _WORDS:
        text = re.sub(pattern, word, text)
    return _HEAD.format(source=source) + text


def outputs() -> dict[Path, str]:
    """Each generated file with the text it should have."""
    found = {}
    for source, target in FILES.items():
        text = (PACKAGE / source).read_text(encoding="utf-8")
        found[PACKAGE / target] = _formatted(blocking(text, source), PACKAGE / target)
    return found


def out_of_date() -> list[Path]:
    """Generated files that are missing or differ."""
    return [
        path
        for path, text in outputs().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def _formatted(text: str, path: Path) -> str:
    beside = Path(sys.executable).with_name("ruff")
    ruff = str(beside) if beside.exists() else shutil.which("ruff") or "ruff"
    for command in (_TIDY, ["format", "--quiet"]):
        done = subprocess.run(
            [ruff, *command, "--stdin-filename", str(path), "-"],
            input=text, capture_output=True, text=True, encoding="utf-8", check=True,
        )  # fmt: skip
        text = done.stdout
    return text


def main() -> int:
    """Write, or check; the exit code."""
    if "--check" in sys.argv[1:]:
        stale = out_of_date()
        for path in stale:
            print(f"out of date: {path.name}; run make generate", file=sys.stderr)
        return 1 if stale else 0
    for path, text in outputs().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
