"""`hocvuso start-over`: metrics and registry count the log again from its start.

For a log that was restored from a backup or replaced. Stop or restart metrics, worker and registry:
what they keep in memory belongs to the other log.
"""

import asyncpg

from deploy.migrate import database_url
from shared.start_over import start_over

PROJECTIONS = ("metrics", "registry")


async def run() -> list[str]:
    """Start both over; their names. Raises what the database raises."""
    for service in PROJECTIONS:
        connection = await asyncpg.connect(
            database_url(service), timeout=10, server_settings={"search_path": service}
        )
        try:
            await start_over(connection)
        finally:
            await connection.close()
    return list(PROJECTIONS)
