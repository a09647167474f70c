"""How a measurement is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One path: its figure beside the reference's, in the same unit.

    `goal` is a ratio (figure / reference) when there is a reference, else a bound in `unit`;
    `at_most` tells that smaller is better.
    """

    path: str
    figure: float
    unit: str
    reference: str
    reference_figure: float | None
    goal: float
    at_most: bool = False

    @property
    def ratio(self) -> float | None:
        """figure / reference, None without a reference."""
        return self.figure / self.reference_figure if self.reference_figure else None

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        value = self.ratio if self.ratio is not None else self.figure
        return value <= self.goal if self.at_most else value >= self.goal


def render(rows: list[Row]) -> str:
    """The rows as an aligned text table."""
    head = ("path", "figure", "reference", "ratio", "goal", "")
    body = [
        (
            row.path,
            f"{row.figure:,.1f} {row.unit}",
            f"{row.reference_figure:,.1f} ({row.reference})"
            if row.reference_figure
            else f"({row.reference})",
            f"{row.ratio:.2f}" if row.ratio is not None else "-",
            f"{'<=' if row.at_most else '>='} {row.goal:g}",
            "met" if row.met else "MISSED",
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *body]
    )
