"""Counters, gauges and histograms that cost about a microsecond, in OpenTelemetry's data model.

The instruments of OpenTelemetry's SDK cost seven times as much and its Prometheus exporter drops
exemplars (docs/decisions/0021). So only the cells are ours: what is collected are the SDK's own
data points, which go out by OTLP (`shared.telemetry`) or as text (`shared.exposition`).

An instrument is declared once, in `shared.instruments`, with the names of its attributes; callers
give the values in that order. `None` leaves an attribute out.
"""

import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Gauge as GaugeData
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

Values = tuple[str | int | None, ...]
"""The values of an instrument's attributes, in the order of their declaration."""

Kind = TypeVar("Kind", bound="Instrument")

_START = time.time_ns()


@dataclass
class Instrument(ABC):
    """What all kinds share. `name` and `unit` as OpenTelemetry writes them (unit: UCUM)."""

    name: str
    unit: str
    description: str
    attributes: tuple[str, ...] = ()

    def named(self, values: Values) -> dict[str, str | int]:
        """Values with their attributes' names; raises ValueError for too many or too few."""
        pairs = zip(self.attributes, values, strict=True)
        return {name: value for name, value in pairs if value is not None}

    @abstractmethod
    def metric(self, now: int) -> Metric | None:
        """What has been measured so far; None if nothing was. `now`: nanoseconds since 1970."""


@dataclass
class Counter(Instrument):
    """A sum that only grows."""

    cells: dict[Values, float] = field(default_factory=dict)

    def add(self, amount: float, *values: str | int | None) -> None:
        self.cells[values] = self.cells.get(values, 0) + amount

    def reached(self, total: float, *values: str | int | None) -> None:
        """The sum so far, where somebody else keeps it."""
        self.cells[values] = total

    def metric(self, now: int) -> Metric | None:
        points = [
            NumberDataPoint(self.named(values), _START, now, total)
            for values, total in list(self.cells.items())
        ]
        data = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True)
        return Metric(self.name, self.description, self.unit, data) if points else None


@dataclass
class Gauge(Instrument):
    """The newest value. `fresh_seconds`: an older one is not shown, since nobody knows any more."""

    fresh_seconds: float | None = None
    cells: dict[Values, tuple[float, float]] = field(default_factory=dict)

    def set(self, value: float, *values: str | int | None) -> None:
        self.cells[values] = (value, time.monotonic())

    def forget(self) -> None:
        """Show nothing until the next `set`: for series whose attributes come and go."""
        self.cells.clear()

    def points(self, now: int) -> list[NumberDataPoint]:
        """The values that are fresh."""
        oldest = time.monotonic() - (self.fresh_seconds or float("inf"))
        return [
            NumberDataPoint(self.named(values), _START, now, value)
            for values, (value, at) in list(self.cells.items())
            if at >= oldest
        ]

    def metric(self, now: int) -> Metric | None:
        points = self.points(now)
        return Metric(self.name, self.description, self.unit, GaugeData(points)) if points else None


@dataclass
class UpDown(Gauge):
    """A gauge of something that can be added up (connections, bytes): a sum that also falls."""

    def metric(self, now: int) -> Metric | None:
        points = self.points(now)
        data = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=False)
        return Metric(self.name, self.description, self.unit, data) if points else None


@dataclass
class _Buckets:
    counts: list[int]
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    exemplars: dict[int, Exemplar] = field(default_factory=dict)


@dataclass
class Histogram(Instrument):
    """A distribution. Each bucket keeps the newest sampled trace that fell into it."""

    bounds: tuple[float, ...] = ()
    cells: dict[Values, _Buckets] = field(default_factory=dict)

    def record(
        self, value: float, *values: str | int | None, span: SpanContext | None = None
    ) -> None:
        cell = self.cells.get(values)
        if cell is None:
            cell = self.cells[values] = _Buckets([0] * (len(self.bounds) + 1))
        bucket = bisect_left(self.bounds, value)
        cell.counts[bucket] += 1
        cell.total += value
        if value < cell.low:
            cell.low = value
        if value > cell.high:
            cell.high = value
        if span is not None and span.trace_flags.sampled:
            cell.exemplars[bucket] = Exemplar(
                {}, value, time.time_ns(), span.span_id, span.trace_id
            )

    def metric(self, now: int) -> Metric | None:
        points = []
        for values, cell in list(self.cells.items()):
            counts = list(cell.counts)
            points.append(
                HistogramDataPoint(
                    self.named(values), _START, now, sum(counts), cell.total, counts,
                    self.bounds, cell.low, cell.high,
                    [cell.exemplars[n] for n in sorted(cell.exemplars)],
                )
            )  # fmt: skip
        data = HistogramData(points, AggregationTemporality.CUMULATIVE)
        return Metric(self.name, self.description, self.unit, data) if points else None


class Measurements:
    """All instruments of a process, and what must be looked at just before they are collected."""

    def __init__(self, scope: str) -> None:
        self.instruments: dict[str, Instrument] = {}
        self._scope = InstrumentationScope(scope)
        self._looks: dict[str, Callable[[], None]] = {}

    def counter(self, name: str, unit: str, description: str, *attributes: str) -> Counter:
        return self._keep(Counter(name, unit, description, attributes))

    def gauge(
        self, name: str, unit: str, description: str, *attributes: str, fresh: float | None = None
    ) -> Gauge:
        return self._keep(Gauge(name, unit, description, attributes, fresh))

    def up_down(self, name: str, unit: str, description: str, *attributes: str) -> UpDown:
        return self._keep(UpDown(name, unit, description, attributes))

    def histogram(
        self, name: str, unit: str, description: str, *attributes: str, bounds: tuple[float, ...]
    ) -> Histogram:
        return self._keep(Histogram(name, unit, description, attributes, bounds))

    def _keep(self, made: Kind) -> Kind:
        if made.name in self.instruments:
            raise ValueError(f"{made.name} is declared twice")
        self.instruments[made.name] = made
        return made

    def look(self, name: str, once: Callable[[], None]) -> None:
        """Call `once` before each collection (a cheap look: no I/O); same name: replace."""
        self._looks[name] = once

    def collect(self) -> Iterator[Metric]:
        """Everything measured, in the order of declaration."""
        for once in list(self._looks.values()):
            once()
        now = time.time_ns()
        for instrument in self.instruments.values():
            metric = instrument.metric(now)
            if metric is not None:
                yield metric

    def data(self, resource: Resource) -> MetricsData:
        """As the SDK's exporters take it."""
        scope = ScopeMetrics(self._scope, list(self.collect()), "")
        return MetricsData([ResourceMetrics(resource, [scope], resource.schema_url)])
