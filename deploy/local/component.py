"""What the supervisor knows of a process: data, and two questions it may ask."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.spawn import RunAs


@dataclass(frozen=True, kw_only=True)
class Component:
    """One process of the stack. An `argv` that is a function is asked anew at every start.

    `prepare` runs before every start and puts the component's files in order. `ready` tells
    whether it serves; without it, being alive for a moment is all that can be known. `says` tells
    what one that is not ready yet waits for, or an empty text. A one-shot is ready when it has
    ended with 0 and is never restarted. One that starts is killed only when it has made no progress
    for `stalls_after` seconds (see `vitals.py`), however long it takes.
    """

    name: str
    argv: Sequence[str] | Callable[[], Sequence[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    address: str = ""
    one_shot: bool = False
    prepare: Callable[[], None] | None = None
    ready: Callable[[], bool] | None = None
    says: Callable[[], str] | None = None
    stalls_after: float = 120.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 10.0
    death_signal: signal.Signals = signal.SIGKILL
    run_as: RunAs | None = None


@dataclass(frozen=True)
class RestartPolicy:
    """How a component that dies is started again: for ever, once it has been ready.

    A death within `fast` seconds counts; the count starts over once it has lived longer. The
    pauses double up to the longest and are jittered, so that several dying components don't hit a
    starting PostgreSQL in step. One that was never ready ends the start after a few tries.
    """

    fast: float = 10.0
    tries_before_ready: int = 2
    first_pause: float = 0.2
    longest_pause: float = 10.0
