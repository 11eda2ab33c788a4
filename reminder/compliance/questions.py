"""Rules in question: those that fire most, those proposed for demotion, and what the office should look at."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from reminder.compliance.records import Figures, Group, Reminder, Report, Share

__all__ = ["Exits", "Flag", "Top", "flags", "proposed", "top_rules"]

_KNOWN = ("changed", "withdrawn", "self_paid", "justified", "overridden", "exited", "ignored", "abandoned")
_KEPT = ("overridden", "exited", "ignored")
_ACTED = ("changed", "withdrawn", "self_paid")


class _Demotion(Struct, frozen=True, kw_only=True):
    reminders: int
    kept_percent: int
    acted_percent: int


class _Flags(Struct, frozen=True, kw_only=True):
    exits: int
    exit_doctors: int
    texts: int
    junk_percent: int
    doctor_reminders: int
    times_median: int


class _Thresholds(Struct, frozen=True, kw_only=True):
    demotion: _Demotion
    flags: _Flags


class Top(Struct, frozen=True, kw_only=True):
    """A rule among those that fire: its share of all findings shown, and that of it and those before it."""

    group: Group
    share: Share
    cumulative: Share


class Flag(Struct, frozen=True, kw_only=True, order=True):
    """Something the office should look at.

    ``what``: ``exits`` (``about`` a rule, on ``day``), ``junk``, ``self_paid`` or ``justified`` (about a doctor).
    ``share`` is the doctor's; of exits how many were taken, by how many doctors.
    """

    what: str
    about: str
    day: str = ""
    share: Share


@cache
def _thresholds() -> _Thresholds:
    text = (files("reminder.compliance") / "thresholds.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Thresholds)


def top_rules(by_rule: Report) -> tuple[Top, ...]:
    """The rules of a report by rule, those with most findings first."""
    whole = by_rule.total.findings
    told, before = [], 0
    for group in sorted(by_rule.groups, key=lambda one: (-one.figures.findings, one.key)):
        if group.figures.findings:
            before += group.figures.findings
            share = Share(part=group.figures.findings, whole=whole)
            told.append(Top(group=group, share=share, cumulative=Share(part=before, whole=whole)))
    return tuple(told)


def proposed(by_rule: Report) -> tuple[Group, ...]:
    """The rules of a report by rule that are proposed for demotion, those with most findings first."""
    return tuple(top.group for top in top_rules(by_rule) if _is_proposed(top.group.figures))


def _is_proposed(figures: Figures) -> bool:
    bar = _thresholds().demotion
    known, kept, acted = (_sum(figures.outcomes, words) for words in (_KNOWN, _KEPT, _ACTED))
    enough = known >= bar.reminders
    return enough and kept * 100 >= bar.kept_percent * known and acted * 100 <= bar.acted_percent * known


def _sum(counts: Mapping[str, int], words: Iterable[str]) -> int:
    return sum(counts.get(word, 0) for word in words)


# -- flags


class Exits:
    """Blocks that were left by their exit: give every reminder to it (``reports(..., each=exits)``)."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], list[str]] = {}

    def __call__(self, one: Reminder) -> None:
        """Look at a reminder."""
        if one.outcome == "exited":
            self._left.setdefault((one.rule_id, one.said_day), []).append(one.said_by)

    def flags(self) -> tuple[Flag, ...]:
        """Rules whose block was left several times by several doctors on one civil day; "" is no doctor."""
        bar = _thresholds().flags
        told = ((rule, day, len(who), len({*who} - {""})) for (rule, day), who in sorted(self._left.items()))
        return tuple(
            Flag(what="exits", about=rule, day=day, share=Share(part=times, whole=doctors))
            for rule, day, times, doctors in told
            if times >= bar.exits and doctors >= bar.exit_doctors
        )


def flags(doctors: Report) -> tuple[Flag, ...]:
    """Doctors of a report by doctor whose typed reasons say nothing, or who go round reminders more than others."""
    known = [group for group in doctors.groups if group.key]
    return tuple(sorted((*_junk(known), *_ways_around("self_paid", known), *_ways_around("justified", known))))


def _junk(groups: Iterable[Group]) -> Iterator[Flag]:
    bar = _thresholds().flags
    for group in groups:
        texts, junk = group.figures.texts, group.figures.junk
        if texts >= bar.texts and junk * 100 >= bar.junk_percent * texts:
            yield Flag(what="junk", about=group.key, share=Share(part=junk, whole=texts))


def _ways_around(outcome: str, groups: Sequence[Group]) -> Iterator[Flag]:
    """Doctors whose share of an outcome is over so many times the median doctor's."""
    bar = _thresholds().flags
    told = [
        (group.key, group.figures.outcomes.get(outcome, 0), group.figures.reminders)
        for group in groups
        if group.figures.reminders >= bar.doctor_reminders
    ]
    if not told:
        return
    _, middle, middle_whole = sorted(told, key=lambda one: one[1] / one[2])[(len(told) + 1) // 2 - 1]
    for doctor, part, whole in told:
        if part * middle_whole > bar.times_median * middle * whole:
            yield Flag(what=outcome, about=doctor, share=Share(part=part, whole=whole))
