"""The one error of this package, so that every refusal tells the reader what to do next."""

from __future__ import annotations


class StackError(Exception):
    """Something the operator has to know: what is wrong, where, and how to mend it."""

    def __init__(self, what: str, *, where: str, fix: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  fix:   {fix}")
        self.what = what
        self.where = where
        self.fix = fix
