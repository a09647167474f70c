"""How keys are refused. Pure."""

from datetime import datetime
from typing import Any

from shared import auth
from shared.problems import Problem


def ended(row: Any, now: datetime) -> bool:
    """Whether a key is revoked or expired."""
    expired = row["expires_at"] is not None and row["expires_at"] <= now
    return row["revoked_at"] is not None or expired


class Refused(Problem):
    """A refusal that knows which key it was, for the books; the answer does not tell."""

    def __init__(
        self, code: str, detail: str, *, prefix: str, status: int, hint: str | None
    ) -> None:
        super().__init__(code, detail, status=status, hint=hint)
        self.prefix = prefix


def ended_key(prefix: str) -> Problem:
    wrong = auth.wrong_key()
    return Refused(wrong.code, wrong.detail, prefix=prefix, status=wrong.status, hint=wrong.hint)


def unknown_key() -> Problem:
    """There is no such key."""
    return Problem(
        "key-unknown",
        "There is no key with this prefix.",
        status=404,
        hint="GET /v1/keys lists them.",
    )
