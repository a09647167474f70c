"""A page shows what was just written: registry reads it from the log a moment later."""

import asyncio

from services.registry.state import State

PATIENCE_S, LOOK_S = 5.0, 0.05


async def learn(state: State, position: int) -> None:
    """Wait a moment until registry has read what it wrote; the page shows it then."""
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if state.definitions.position >= position:
            return
        await asyncio.sleep(LOOK_S)
