"""Who sends a request, and what they may do: one type for keys, sessions, services, anybody. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.auth.scopes import WRITE
from shared.contracts.model import EventType
from shared.problems import Problem

ADMINISTRATOR = "administrator"

STAFF = frozenset(
    {"administrator", "department", "commune", "police", "party_body", "mass_organisation"}
)
"""Roles that may see single events; partners see their own by their receipts."""

DANGEROUS = ("unit.", "plan.", "disclosure.")
"""Event types that a session posts only with its key shown lately: they change the numbers of all."""

Kind = Literal["key", "client", "session", "service", "anonymous", "open"]
"""key: a partner's or a person's; client: of an OpenID Connect issuer; session: of a browser that
signed in; service: one of the three; anonymous: nobody, sees what is public; open: whoever reaches
a pilot on the loopback address, reads everything."""


@dataclass(slots=True)
class Principal:
    """What whoever asks may do; `name` is the partner: several keys may carry it (rotation).

    `prefix`: the visible part of the key, of a session's key too; `types`: short names, `course.*`
    for all that begin so; `sources`: URI prefixes; None = all. `subtree`: the unit_id it is bound
    to; `era`: the era of bare unit codes; `account`: whose quota it spends (None: its own name's);
    `authenticated_at`: of a session, when the key was last shown, `recent`: whether lately;
    `on_denied` is told the scope that was missing.
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
    kind: Kind = "key"
    account: str | None = None
    session: str | None = None
    authenticated_at: datetime | None = None
    recent: bool = True
    _allowed: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_administrator(self) -> bool:
        return ADMINISTRATOR in self.roles

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a credential: an open pilot and the public have none."""
        return self.kind not in ("anonymous", "open")

    @property
    def quota_account(self) -> str:
        """The partner whose quota is spent."""
        return self.account or self.name

    def has(self, scope: str) -> bool:
        """Whether a scope is open; to the administrator all are."""
        return scope in self.scopes or self.is_administrator

    def check(self, kind: EventType, source: str) -> None:
        """Raise Problem (403) unless this type may be posted for this source."""
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
        if self.sources is not None and not any(source_under(s, source) for s in self.sources):
            raise Problem(
                "source-not-permitted",
                "This key may not post for this source.",
                status=403,
                pointer="/source",
                hint=f"It may post for sources under: {', '.join(self.sources)}.",
            )
        if kind.type.startswith(DANGEROUS):
            self.require_recent()
        if len(self._allowed) < 1_000:
            self._allowed.add((kind.type, source))

    def covers(self, type_name: str) -> bool:
        """Whether the type is listed; the roles are another matter."""
        return self.types is None or any(type_under(t, type_name) for t in self.types)

    def require(self, scope: str) -> None:
        """Raise Problem (403) unless the scope is open; to the administrator all are."""
        if not self.has(scope):
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

    def require_recent(self) -> None:
        """Raise Problem (403) for a session that has not shown its key lately: before what changes
        the rights of others, units or plans."""
        if not self.recent:
            raise Problem(
                "confirmation-required",
                "This needs the key to be shown again: it was last shown a while ago.",
                status=403,
                hint="Confirm the session (POST /v1/sessions/current/confirmation), then do it again.",
            )

    def require_staff(self) -> None:
        """Raise Problem (403) unless single events may be seen."""
        if self.kind in ("open", "service") or self.roles & STAFF:
            return
        raise Problem(
            "role-not-permitted",
            "Single events are shown to staff only.",
            status=403,
            hint=f"Roles: {', '.join(sorted(STAFF))}. Your own events: GET /v1/events of"
            " activities.",
        )

    def _denied(self, scope: str) -> None:
        if self.on_denied is not None:
            self.on_denied(scope)


def type_under(pattern: str, type_name: str) -> bool:
    """Whether a type, or all types of a pattern, are those of another pattern."""
    if pattern.endswith("*"):
        return type_name.startswith(pattern[:-1])
    return type_name == pattern


def source_under(prefix: str, source: str) -> bool:
    """Whether a source lies under a prefix, at a border of a path (or what follows it)."""
    if not source.startswith(prefix):
        return False
    rest = source[len(prefix) :]
    return not rest or prefix[-1] in "/:#?" or rest[0] in "/:#?"
