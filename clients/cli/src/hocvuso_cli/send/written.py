"""Which result files are still as they were written: what somebody has edited since is kept.

People mend rows in a result file. Sending the input once more must not write over their work.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

MOST = 500
"""Result files that are remembered; the oldest is forgotten first, and then taken for edited."""


class Written:
    """Digests of result files by where they lie, in one small JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def free(self, out: Path) -> Path:
        """`out`, or a numbered name beside it where `out` and others are no longer as written."""
        found, number = out, 2
        known = self._all()
        while found.exists() and known.get(_place(found)) != _digest(found):
            found = out.with_name(f"{out.stem}{number}{out.suffix}")
            number += 1
        return found

    def keep(self, out: Path) -> None:
        """Remember how it was written; where that cannot be, the next run takes another name."""
        with suppress(OSError):
            self._keep(out)

    def _keep(self, out: Path) -> None:
        known = self._all()
        known.pop(_place(out), None)
        known[_place(out)] = _digest(out)
        kept = dict(list(known.items())[-MOST:])
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        fresh.replace(self._file)

    def _all(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}


def _place(out: Path) -> str:
    return hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:32]


def _digest(out: Path) -> str:
    with out.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
