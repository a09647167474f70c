"""A key and what it may do. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.model import EventType
from shared.problems import Problem

ADMINISTRATOR = "administrator"
WRITE, STREAM, READ_LOG = "events:write", "events:stream", "log:read"
XAPI, REPLAY, INVITE = "xapi:write", "quarantine:replay", "staff:invite"
SCOPES = (WRITE, STREAM, READ_LOG, XAPI, REPLAY, INVITE)


@dataclass(slots=True)
class Key:
    """The rights of one key; `name` is the partner: several keys may carry it (rotation).

    `types`: short names, `course.*` for all that begin so; `sources`: URI prefixes; None = all.
    `subtree`: the unit_id it is bound to; `era`: the era of bare unit codes; `on_denied` is told
    the scope that was missing.
    """

    prefix: str
    name: str
    roles: frozenset[str]
    scopes: frozenset[str] = frozenset({WRITE})
    types: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    subtree: str | None = None
    era: str | None = None
    expires_at: datetime | None = None
    on_denied: Callable[[str], None] | None = None
    _allowed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_administrator(self) -> bool:
        return ADMINISTRATOR in self.roles

    def check(self, kind: EventType, source: str) -> None:
        """Raise Problem (403) unless the key may post this type for this source."""
        if (kind.type, source) in self._allowed:
            return
        if not kind.may_be_posted_by(self.roles):
            raise Problem(
                "type-not-permitted",
                f"{kind.type} may be posted by these roles only:"
                f" {', '.join(kind.posters_in_words())}.",
                status=403,
                pointer="/type",
                hint=f"This key has the roles: {', '.join(sorted(self.roles)) or 'none'}.",
            )
        if not self.covers(kind.type):
            raise Problem(
                "type-not-permitted",
                f"This key may not post {kind.type}.",
                status=403,
                pointer="/type",
                hint=f"It may post: {', '.join(self.types or ())}.",
            )
        if self.sources is not None and not any(_under(s, source) for s in self.sources):
            raise Problem(
                "source-not-permitted",
                "This key may not post for this source.",
                status=403,
                pointer="/source",
                hint=f"It may post for sources under: {', '.join(self.sources)}.",
            )
        if len(self._allowed) < 1_000:
            self._allowed.add((kind.type, source))

    def covers(self, type_name: str) -> bool:
        """Whether the key lists the type; its roles are another matter."""
        return self.types is None or any(_covers(t, type_name) for t in self.types)

    def require(self, scope: str) -> None:
        """Raise Problem (403) unless the key has the scope; the administrator has all."""
        if scope not in self.scopes and not self.is_administrator:
            self._denied(scope)
            raise Problem(
                "scope-missing",
                f"This key does not have the scope {scope}.",
                status=403,
                hint="Ask the administrator for a key that has it.",
            )

    def require_administrator(self) -> None:
        """Raise Problem (403) unless it is an administrator's key."""
        if not self.is_administrator:
            self._denied(ADMINISTRATOR)
            raise Problem(
                "administrator-only",
                "Only an administrator's key may do this.",
                status=403,
                hint="On the server, the key lies in HOCVUSO_ADMIN_KEY_FILE.",
            )

    def _denied(self, scope: str) -> None:
        if self.on_denied is not None:
            self.on_denied(scope)


def _covers(pattern: str, type_name: str) -> bool:
    if pattern.endswith("*"):
        return type_name.startswith(pattern[:-1])
    return type_name == pattern


def _under(prefix: str, source: str) -> bool:
    """Whether a source lies under a prefix, at a border of a path (or what follows it)."""
    if not source.startswith(prefix):
        return False
    rest = source[len(prefix) :]
    return not rest or prefix[-1] in "/:#?" or rest[0] in "/:#?"
