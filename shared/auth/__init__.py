"""Who asks, and what they may do: the same for all three services."""

from shared.auth.credentials import (
    NewKey,
    bearer,
    digest,
    ended_session,
    is_session,
    is_token,
    key_prefix,
    make_key,
    make_session,
    matches,
    wrong_key,
)
from shared.auth.principal import Principal

__all__ = [
    "NewKey",
    "Principal",
    "bearer",
    "digest",
    "ended_session",
    "is_session",
    "is_token",
    "key_prefix",
    "make_key",
    "make_session",
    "matches",
    "wrong_key",
]
