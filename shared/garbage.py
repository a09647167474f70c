"""How often a process looks for cycles of garbage."""

import gc


def calm_collector() -> None:
    """Look less often than Python does by default, which is after every 700 new objects.

    One batch or one table makes 100,000 objects that all live until it is written; on the way they
    grow old, and with them comes, again and again, a walk through everything that a process keeps:
    rules, plans and the tree of units. That cost a worker more than half of its counting, and
    readers pauses of 100 to 300 ms. What has no cycles is freed at once as ever.
    """
    gc.set_threshold(200_000, 20, 20)
