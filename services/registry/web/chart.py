"""A line over days as inline SVG: no script, no picture to load, with a text for who cannot see it.
Pure."""

from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 240, 64, 28, 12


@dataclass(frozen=True)
class Chart:
    """Coordinates for the template: the line, its points, the target's height, ticks."""

    line: str
    points: list[tuple[float, float, date, int]]
    target_y: float | None
    ticks: list[tuple[float, int]]
    days: list[tuple[float, date]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = HEIGHT - BOTTOM


def chart(values: list[tuple[date, int | None]], target: int | None) -> Chart | None:
    """The chart of some values; None when there is nothing to draw. Gaps stay gaps."""
    known = [(day, value) for day, value in values if value is not None]
    if not known or len(values) < 2:
        return None
    first, last = values[0][0], values[-1][0]
    top = max([1, *(value for _, value in known), *([target] if target else [])])
    span = max((last - first).days, 1)

    def x(day: date) -> float:
        return round(LEFT + (day - first).days / span * (WIDTH - LEFT - 12), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP), 1)

    line, drawing = [], False
    for day, value in values:
        if value is None:
            drawing = False
            continue
        line.append(f"{'L' if drawing else 'M'}{x(day)} {y(value)}")
        drawing = True
    middle = values[len(values) // 2][0]
    return Chart(
        " ".join(line),
        [(x(day), y(value), day, value) for day, value in known],
        y(target) if target else None,
        [(y(value), value) for value in dict.fromkeys((0, top // 2, top))],
        [(x(day), day) for day in dict.fromkeys((first, middle, last))],
    )
