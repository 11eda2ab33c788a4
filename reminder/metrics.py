"""Counters and times for operations, in Prometheus form; nothing about a person.

Counted in plain dictionaries and turned into metric families when somebody scrapes: a check is counted thousands of
times for every scrape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from negative_list.rules import ACTIONS
from reminder.board import Board
from reminder.journal.metrics import JournalMetrics
from reminder.relay.metrics import RelayMetrics
from reminder.releases.metrics import ReleaseMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from negative_list.decision import Decision
    from reminder.workers.together import Together

__all__ = ["Metrics"]

_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_REASONS = ("missing_facts", "coverage", "not_read", "never_sent", "deadline")
_READS = ("read", "slow", "gone", "behind")


class Metrics(Collector):
    """Every metric of one sidecar, in a registry of its own; ``journal``, ``releases`` and ``relay`` have theirs."""

    def __init__(self) -> None:
        self.journal = JournalMetrics()
        self.board = Board()
        self.together: Together | None = None
        self.releases = ReleaseMetrics()
        self.relay = RelayMetrics()
        self._loaded = {"rules": 0, "details": 0}
        self._checks: Counter[tuple[str, ...]] = Counter({(action,): 0 for action in ACTIONS})
        self._within = [0] * (len(_BOUNDS_S) + 1)
        self._seconds = 0.0
        self._findings: Counter[tuple[str, ...]] = Counter()
        self._unknown: Counter[tuple[str, ...]] = Counter()
        self._not_evaluated: Counter[tuple[str, ...]] = Counter({(reason,): 0 for reason in _REASONS})
        self._notes: Counter[tuple[str, ...]] = Counter()
        self._refused: Counter[tuple[str, ...]] = Counter()
        self._unchecked: Counter[tuple[str, ...]] = Counter()
        self._reads: Counter[tuple[str, ...]] = Counter({(result,): 0 for result in _READS})
        self._told: Counter[tuple[str, ...]] = Counter()
        self._feedback: Counter[tuple[str, ...]] = Counter()
        self._junk: Counter[tuple[str, ...]] = Counter()
        self._exits: Counter[tuple[str, ...]] = Counter({("left",): 0, ("flagged",): 0})
        self._lock = Lock()
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def loaded(self, rules: int, details: int) -> None:
        """A list became active."""
        self._loaded = {"rules": rules, "details": details}

    def decided(self, decision: Decision, seconds: float) -> None:
        """A check was decided."""
        with self._lock:
            self._decided(decision, seconds)

    def _decided(self, decision: Decision, seconds: float) -> None:
        self._checks[decision.decision,] += 1
        self._within[bisect_left(_BOUNDS_S, seconds)] += 1
        self._seconds += seconds
        for finding in decision.findings:
            self._findings[finding.class_id, finding.action] += 1
            if finding.unknown:
                self._unknown[finding.class_id,] += 1
        for skipped in decision.not_evaluated:
            self._not_evaluated[skipped.reason,] += 1
        for note in decision.notes:
            self._notes[note.code,] += 1

    def refused(self, face: str, reason: str) -> None:
        """A request was not decided."""
        with self._lock:
            self._refused[face, reason] += 1

    def unchecked(self, face: str, reason: str, told: str) -> None:
        """A prescription was not checked, and its caller told so as an ``error``, a ``row``, or beside success."""
        with self._lock:
            self._unchecked[face, reason, told] += 1

    def read(self, result: str) -> None:
        """The store was asked for a check, and answered (``read``) or why not."""
        with self._lock:
            self._reads[result,] += 1

    def told(self, kind: str, result: str, count: int) -> None:
        """Somebody told so many things of a kind, which are ``stored``, wait for the store, are ``refused`` or lost."""
        with self._lock:
            self._told[kind, result] += count

    def fed_back(self, done: str, status: str) -> None:
        """Somebody said what was done about a finding, and how that was understood."""
        with self._lock:
            self._feedback[done, status] += 1

    def junk(self, why: str) -> None:
        """A reason's text said nothing."""
        with self._lock:
            self._junk[why,] += 1

    def exit(self, what: str) -> None:
        """A block was ``left`` by its exit, a rule ``flagged`` for it, or the journal did not say whether one was."""
        with self._lock:
            self._exits[what,] += 1

    def text(self) -> bytes:
        """The exposition text."""
        with self._lock:
            return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """The families as they stand, for the registry."""
        yield _counter("checks", "Checks decided.", ("decision",), self._checks)
        yield self._histogram()
        yield _counter("findings", "Findings by class and action.", ("class_id", "action"), self._findings)
        yield _counter("unknown_findings", "Findings that ask for facts, by class.", ("class_id",), self._unknown)
        yield _counter("not_evaluated", "Rules triggered and not decided.", ("reason",), self._not_evaluated)
        yield _counter("notes", "Notes about bodies, by code.", ("code",), self._notes)
        yield _counter("refused", "Requests refused, by face and reason.", ("face", "reason"), self._refused)
        yield _counter("unchecked", "Prescriptions not checked.", ("face", "reason", "told"), self._unchecked)
        yield _counter("store_reads", "Checks that asked the store, by what came of it.", ("result",), self._reads)
        yield _counter("told", "What was told to be remembered, by kind and result.", ("kind", "result"), self._told)
        yield _counter("feedback", "Words about findings, by deed and status.", ("done", "status"), self._feedback)
        yield _counter("junk", "Reasons' texts that say nothing, by why.", ("why",), self._junk)
        yield _counter("exits", "Blocks left by the emergency exit, and rules flagged for it.", ("what",), self._exits)
        yield from self.board.collect()
        yield from self.journal.collect()
        yield from self.releases.collect()
        yield from self.relay.collect()
        for name, value in self._loaded.items():
            yield GaugeMetricFamily(f"reminder_{name}", f"{name.capitalize()} of the active list.", value=value)

    def _histogram(self) -> HistogramMetricFamily:
        bounds = [*map(str, _BOUNDS_S), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._within), strict=True))
        text = "From the prescription to its decision."
        return HistogramMetricFamily("reminder_check_seconds", text, buckets=buckets, sum_value=self._seconds)


def _counter(
    name: str, text: str, labels: tuple[str, ...], counts: Mapping[tuple[str, ...], int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"reminder_{name}", text, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family
