"""The five plans that the tests know by heart; others may be added to `plans/` at any time."""

FIVE = (
    "dak-lak-2026",
    "dong-nai-2026",
    "gia-lai-2026",
    "tan-lap-100-days-2025",
    "yen-bai-2025-2026",
)
