"""The relay in numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["RelayMetrics"]

_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COUNTERS = {
    "passed": "Calls passed to the bureau, by what came of it.",
    "asked": "Prescriptions the bureau was asked about beside us, by what came of it.",
    "feedback": "Answers about the bureau's findings, by what became of them.",
    "fed": "Calls that passed, by whether history and facts came of them.",
}


class RelayMetrics:
    """Told by the relay as things happen; nothing is shown where there is none."""

    def __init__(self) -> None:
        self._look: Callable[[], tuple[int, int, bool]] | None = None
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTERS}
        self._within = [0] * (len(_BOUNDS_S) + 1)
        self._seconds = 0.0

    def count(self, what: str, result: str, number: int = 1) -> None:
        """So many things of a kind (passed, asked, feedback, fed) ended so."""
        self._counts[what][result] += number

    def took(self, seconds: float) -> None:
        """A call that was passed took so long, from its arrival to its reply."""
        self._within[bisect_left(_BOUNDS_S, seconds)] += 1
        self._seconds += seconds

    def watch(self, look: Callable[[], tuple[int, int, bool]]) -> None:
        """There is a relay; ``look``: answers that wait, those put aside, and whether the bureau is left alone."""
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """The families as they stand."""
        if self._look is None:
            return
        waiting, refused, is_open = self._look()
        for name, text in _COUNTERS.items():
            family = CounterMetricFamily(f"reminder_relay_{name}", text, labels=("result",))
            for result, count in sorted(self._counts[name].items()):
                family.add_metric((result,), count)
            yield family
        bounds = [*map(str, _BOUNDS_S), "+Inf"]
        yield HistogramMetricFamily(
            "reminder_relay_seconds",
            "From a call that passes to the bureau's reply.",
            buckets=list(zip(bounds, accumulate(self._within), strict=True)),
            sum_value=self._seconds,
        )
        for name, value, text in (
            ("waiting", waiting, "Answers about the bureau's findings that wait to be delivered."),
            ("refused", refused, "Answers the bureau never took, put aside."),
            ("open", int(is_open), "1: the bureau failed and is left alone for a while."),
        ):
            yield GaugeMetricFamily(f"reminder_relay_{name}", text, value=value)
