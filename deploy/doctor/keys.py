"""Keys that are wider than who sends needs: writers who read the exact tables of every unit."""

from collections.abc import Mapping

import asyncpg

from deploy.doctor.databases import connect
from deploy.doctor.model import Finding, ok, skip, warn
from shared.auth.scopes import READ, WRITE

_WIDE = """
SELECT prefix, name FROM key
WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AND subtree IS NULL
  AND scopes @> ARRAY[$1, $2] AND NOT 'administrator' = ANY (roles)
ORDER BY name, prefix
"""
_NAMED = 5


async def check_keys(env: Mapping[str, str]) -> list[Finding]:
    """What an upgrade gave to every key, and who gives one by hand may overlook."""
    url = env.get("HOCVUSO_ACTIVITIES_DATABASE_URL")
    if not url:
        return [skip("keys", "the database of activities is not named")]
    try:
        connection = await connect(url, "activities")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [skip("keys", f"the database cannot be asked ({type(error).__name__})")]
    try:
        rows = await connection.fetch(_WIDE, WRITE, READ)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [skip("keys", f"the database cannot be asked ({type(error).__name__})")]
    finally:
        connection.terminate()
    return [judge([(row["prefix"], row["name"]) for row in rows])]


def judge(wide: list[tuple[str, str]]) -> Finding:
    """Pure: keys that write, read, and are bound to no unit."""
    if not wide:
        return ok("keys", "none that sends reads the tables of every unit")
    named = ", ".join(f"{prefix} ({name})" for prefix, name in wide[:_NAMED])
    more = f" and {len(wide) - _NAMED} more" if len(wide) > _NAMED else ""
    return warn(
        "keys", f"{len(wide)} that send also read every unit's exact tables: {named}{more}",
        "where a partner only sends: `hocvuso keys narrow PREFIX --without tables:read` (docs/keys.md, Upgrading)",
    )  # fmt: skip
