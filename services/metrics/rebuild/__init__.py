"""Counting measures again from the log, beside the live tables. Begin reading with `course.py`."""

from services.metrics.rebuild.course import Report
from services.metrics.rebuild.meter import Progress
from services.metrics.rebuild.run import build_new_measures, rebuild, wanted
from services.metrics.rebuild.source import RebuildRefused

__all__ = [
    "Progress",
    "RebuildRefused",
    "Report",
    "build_new_measures",
    "rebuild",
    "wanted",
]
