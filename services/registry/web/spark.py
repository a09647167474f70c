"""A line of a few weeks, small, as the path of an inline SVG. Pure."""

from collections.abc import Sequence

WIDTH, HEIGHT, EDGE = 120, 28, 2


def spark(values: Sequence[int]) -> str:
    """The path of the values from left to right; empty with fewer than two. A level line lies low."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    step = (WIDTH - 2 * EDGE) / (len(values) - 1)
    points = [
        (EDGE + n * step, HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2 * EDGE))
        for n, value in enumerate(values)
    ]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
