"""Good and bad values of the parameters of metrics."""

from tests.metrics.province import (
    objective,
    of,
)

PERSONS = {
    "count": "distinct_persons",
    "of": [of("citizen.certified")],
    "over": {"population": "adults"},
}

GOOD = objective("good", PERSONS)

CLASSES = {"count": "events", "of": [of("class.held")]}
