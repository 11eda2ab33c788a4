"""Releases in numbers: what is active beside what was seen last, and how the steps ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

__all__ = ["ReleaseMetrics"]


class ReleaseMetrics:
    """Told by the office as things happen."""

    def __init__(self) -> None:
        self._which: dict[str, tuple[str, str]] = {}
        self._behind = False
        self._unconfirmed = 0
        self._since = 0.0
        self._steps: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[str] = Counter()

    def stands(self, which: dict[str, tuple[str, str]], *, behind: bool, unconfirmed: int, since: float) -> None:
        """What stands now: version and digest of ``active``, ``latest_seen`` and ``scheduled``, where there are any."""
        self._which, self._behind, self._unconfirmed, self._since = which, behind, unconfirmed, since

    def stepped(self, step: str, result: str, reason: str) -> None:
        """A step ended; ``reason`` in a word where it failed."""
        self._steps[step, result] += 1
        if result == "failed":
            self._refused[reason or "other"] += 1

    def collect(self) -> Iterator[Metric]:
        """The families as they stand."""
        info = GaugeMetricFamily(
            "reminder_release_info",
            "Releases: the active one, the one seen last, the one scheduled.",
            labels=("which", "version", "digest"),
        )
        for which, (version, digest) in sorted(self._which.items()):
            info.add_metric((which, version, digest), 1)
        yield info
        yield GaugeMetricFamily(
            "reminder_release_behind", "1: the release seen last is not the active one.", value=int(self._behind)
        )
        yield GaugeMetricFamily(
            "reminder_release_unconfirmed_rules", "Rules of the active list nobody confirmed.", value=self._unconfirmed
        )
        yield GaugeMetricFamily(
            "reminder_release_active_since_seconds", "When the active release became so; 0: never.", value=self._since
        )
        steps = CounterMetricFamily("reminder_release_steps", "Steps of releases.", labels=("step", "result"))
        for labels, count in sorted(self._steps.items()):
            steps.add_metric(labels, count)
        yield steps
        refused = CounterMetricFamily("reminder_release_refused", "Steps that failed, by why.", labels=("reason",))
        for reason, count in sorted(self._refused.items()):
            refused.add_metric((reason,), count)
        yield refused
