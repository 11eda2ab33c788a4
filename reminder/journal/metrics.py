"""What operations may know of the journal, counted in plain numbers; nothing about a person."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.metrics_core import Metric

__all__ = ["RESULTS", "JournalMetrics"]

RESULTS = ("in_time", "late", "lost")
"""What becomes of an entry: on disk before its answer (or without anybody waiting), after it, never."""

_COMMIT_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0)
_GROUP = (1, 2, 4, 8, 16, 32, 64, 128, 256, 500)


class JournalMetrics:
    """Counted inside one event loop. ``waiting`` and ``checkpoint_age_s`` are set by who knows them."""

    def __init__(self) -> None:
        self.waiting = 0
        self.checkpoint_age_s = 0.0
        self._entries: Counter[tuple[str, str]] = Counter({("decision", result): 0 for result in RESULTS})
        self._groups = [0] * (len(_GROUP) + 1)
        self._grouped = 0
        self._commits = [0] * (len(_COMMIT_S) + 1)
        self._seconds = 0.0

    def entry(self, kind: str, result: str) -> None:
        """What became of an entry."""
        self._entries[kind, result] += 1

    def group(self, size: int, seconds: float) -> None:
        """Entries were committed together."""
        self._groups[bisect_left(_GROUP, size)] += 1
        self._grouped += size
        self._commits[bisect_left(_COMMIT_S, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """The families as they stand."""
        entries = CounterMetricFamily("reminder_journal_entries", "Entries.", labels=("kind", "result"))
        for labels, count in sorted(self._entries.items()):
            entries.add_metric(labels, count)
        yield entries
        yield _histogram("group", "Entries committed together.", _GROUP, self._groups, self._grouped)
        yield _histogram("commit_seconds", "From a group to its commit.", _COMMIT_S, self._commits, self._seconds)
        yield GaugeMetricFamily("reminder_journal_waiting", "Entries not written yet.", value=self.waiting)
        age = "Seconds since the last checkpoint, or since the start."
        yield GaugeMetricFamily("reminder_journal_checkpoint_age_seconds", age, value=self.checkpoint_age_s)


def _histogram(
    name: str, text: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> HistogramMetricFamily:
    buckets = list(zip([*map(str, bounds), "+Inf"], accumulate(counts), strict=True))
    return HistogramMetricFamily(f"reminder_journal_{name}", text, buckets=buckets, sum_value=total)
