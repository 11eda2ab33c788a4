"""What all workers say of themselves: one exposition of their metrics, and everything that does not work.

Each says its metrics to all every second, and whenever it is asked for those of all. What was counted by a worker that
is no more is counted on by the one in its place: no counter ever goes backward, but what the last second counted may be
lost with a worker that was killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from reminder.workers.common import Common

__all__ = ["EVERY_S", "SUMMED", "Family", "Sample", "Together", "families_of", "summed"]

EVERY_S = 1.0
"""How often a worker says its metrics."""

SUMMED = frozenset({"reminder_journal_waiting"})
"""Gauges of which each worker has its share; of any other the largest stands for all."""

_COUNTED = frozenset({"counter", "histogram"})


class Sample(Struct, frozen=True, array_like=True):
    """A number under a name and labels."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float


class Family(Struct, frozen=True, array_like=True):
    """A metric with its samples; ``kind``: counter, gauge, histogram."""

    name: str
    kind: str
    text: str
    samples: list[Sample]


class _Said(Struct, frozen=True, array_like=True):
    families: list[Family]
    degraded: tuple[str, ...] = ()


def families_of(metrics: Iterable[Metric]) -> list[Family]:
    """Metrics as data."""
    return [
        Family(
            metric.name,
            metric.type,
            metric.documentation,
            [Sample(one.name, tuple(sorted(one.labels.items())), one.value) for one in metric.samples],
        )
        for metric in metrics
    ]


def summed(told: Iterable[Sequence[Family]]) -> list[Family]:
    """The families of several as one: counters and histograms added up, of gauges the largest or the sum."""
    found: dict[str, Family] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for family in (family for families in told for family in families):
        found.setdefault(family.name, family)
        known = values.setdefault(family.name, {})
        adds = family.kind in _COUNTED or family.name in SUMMED
        for one in family.samples:
            key = (one.name, one.labels)
            before = known.get(key)
            known[key] = one.value if before is None else before + one.value if adds else max(before, one.value)
    return [
        Family(name, family.kind, family.text, [Sample(*key, value) for key, value in values[name].items()])
        for name, family in found.items()
    ]


class Together:
    """One worker among several: says what it counts, and tells what all do.

    Args:
        common: What workers have in common.
        number: Which worker this is.
        registry: Its metrics.
        degraded: What does not work in it.
        written: How many journal entries it has written.
    """

    def __init__(
        self,
        common: Common,
        number: int,
        registry: CollectorRegistry,
        degraded: Callable[[], tuple[str, ...]],
        written: Callable[[], int],
    ) -> None:
        self._common = common
        self._number = number
        self._registry = registry
        self._own_degraded = degraded
        self._written = written
        self._written_before = common.parts[number].written
        self._before = [family for family in _said(common, number).families if family.kind in _COUNTED]

    async def say_on(self) -> None:
        """Say what is counted, each second; cancel it to stop."""
        while True:
            self.say()
            await asyncio.sleep(EVERY_S)

    def say(self) -> list[Family]:
        """Say what is counted by now, and return it."""
        part = self._common.parts[self._number]
        families = summed([families_of(self._registry.collect()), self._before])
        part.say(msgspec.msgpack.encode(_Said(families, self._own_degraded())))
        part.has_written(self._written_before + self._written())
        return families

    def text(self, *, by_worker: bool = False) -> bytes:
        """The exposition of all workers: added up, or each of its own with its number as a label."""
        told = [_said(self._common, number).families for number in range(len(self._common.parts))]
        told[self._number] = self.say()
        if by_worker:
            told = [[_labelled(family, number) for family in families] for number, families in enumerate(told)]
        return generate_latest(_Collected([*map(_metric_of, summed(told)), *self._own()]))

    def degraded(self) -> tuple[str, ...]:
        """What does not work in any worker, and which do not serve."""
        own = self._own_degraded()
        texts = dict.fromkeys(own)
        for number, part in enumerate(self._common.parts):
            if not part.serving:
                texts[f"worker {number} does not serve"] = None
            elif number != self._number:
                said = (text for text in _said(self._common, number).degraded if text not in own)
                texts |= dict.fromkeys(f"worker {number}: {text}" for text in said)
        return tuple(texts)

    def _own(self) -> Iterator[Metric]:
        parts = self._common.parts
        yield GaugeMetricFamily("reminder_workers", "Workers that serve.", value=sum(part.serving for part in parts))
        starts = CounterMetricFamily("reminder_worker_starts", "Starts of each worker.", labels=("worker",))
        for number, part in enumerate(parts):
            starts.add_metric((str(number),), part.starts)
        yield starts


class _Collected:
    """What ``generate_latest`` asks of a registry."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _said(common: Common, number: int) -> _Said:
    content = common.parts[number].said()
    return msgspec.msgpack.decode(content, type=_Said) if content else _Said([])


def _labelled(family: Family, number: int) -> Family:
    label = ("worker", str(number))
    samples = [Sample(one.name, (*one.labels, label), one.value) for one in family.samples]
    return msgspec.structs.replace(family, samples=samples)


def _metric_of(family: Family) -> Metric:
    metric = Metric(family.name, family.text, family.kind)
    for one in family.samples:
        metric.add_sample(one.name, dict(one.labels), one.value)
    return metric
