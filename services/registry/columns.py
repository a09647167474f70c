"""The columns that are written in bulk, in the order of their tables.

`models.py` describes the tables for migrations and tests; a running service needs their names only,
not the forty megabytes that come with SQLModel. A test keeps both the same.
"""

JOURNAL = (
    "position", "origin", "revision", "recorded", "occurred", "type", "source", "id", "unit_id",
    "content",
)  # fmt: skip
ARRIVAL = (
    "type", "unit_id", "source", "occurred", "n", "late", "zero", "first_recorded",
    "last_recorded", "last_position",
)  # fmt: skip
DEFINITION = ("position", "origin", "revision", "recorded", "type", "source", "id", "content")
