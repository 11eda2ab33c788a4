"""Forecast beside fact: what a release was foreseen to find, and what it found since it is active.

Both are told per thousand checks, for a forecast replays weeks and a release may be days old. The fact is counted from
the briefs of the decisions that name the release; the forecast is the last one made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from negative_list.errors import FieldProblem, RequestError
from negative_list.rules import ACTIONS
from reminder.forecast.columns import ACTION_WORDS
from reminder.forecast.ordered import journal_of
from reminder.forecast.page import Figure, Page, Table
from reminder.forecast.record import Forecast, Row, interruptions
from reminder.journal.brief import DecisionBrief, decode_brief
from reminder.reports.table import Column

if TYPE_CHECKING:
    from reminder.forecast.making import Told
    from reminder.forecast.ordered import Order

__all__ = ["Beside", "Comparison", "Fact", "compared", "comparison_of"]

_TOLD_EVERY = 2000
_FAR = 2.0
_LEAST = 5
"""A rule is told to be far from its forecast from twice or half of it on, where it was found or foreseen five times."""

_MOST_ROWS = 50


class Fact(Struct, kw_only=True):
    """What a release found since ``begin`` (UTC): checks, answers by action, and decisions by rule and action."""

    begin: datetime
    checks: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    rules: dict[str, Counter[str]] = field(default_factory=dict)
    doctors: int = 0


class Beside(Struct, frozen=True, kw_only=True):
    """A rule: decisions it was foreseen in and was found in, and the same per thousand checks; ``far``: they differ."""

    rule_id: str
    title: str = ""
    foreseen: int = 0
    found: int = 0
    foreseen_per_1000: float = 0.0
    found_per_1000: float = 0.0
    open_: int = 0
    far: bool = False


class Comparison(Struct, frozen=True, kw_only=True):
    """A forecast beside the fact; per hundred checks for interruptions and actions."""

    version: str
    since: datetime
    until: datetime
    checks: int
    foreseen_checks: int
    foreseen_at: datetime
    interruptions_per_100: tuple[float, float]
    actions_per_100: dict[str, tuple[float, float]]
    rules: tuple[Beside, ...]


def compared(order: Order, told: Told) -> Page:
    """The page an order asks for.

    Raises:
        RequestError: no forecast of the release was made.
        StoreError: the journal cannot be read.
    """
    made = _kept(order)
    fact = _fact(order, told)
    return _page(comparison_of(made, fact, order.now), english=order.wanted.english)


def _kept(order: Order) -> Forecast:
    try:
        return msgspec.json.decode(Path(order.keep).read_bytes(), type=Forecast)
    except (OSError, msgspec.MsgspecError):
        version = order.coming.version
        message = (
            f"没有 `{version}` 的预测 (there is no forecast of it); 启用前请先运行 reminder lists forecast "
            "(make one before it is activated)"
        )
        raise RequestError([FieldProblem(field="version", message=message)]) from None


def _fact(order: Order, told: Told) -> Fact:
    """What the journal says of the release since it is active; ``order.at`` is that instant, as civil time."""
    begin = order.at.replace(tzinfo=order.zone()).astimezone(UTC)
    fact, doctors = Fact(begin=begin), set[str]()
    for brief in _briefs(order, begin, told):
        if brief.release == order.coming.version:
            _add(fact, brief)
            doctors.add(brief.doctor)
    fact.doctors = len(doctors)
    return fact


def _briefs(order: Order, begin: datetime, told: Told) -> Iterator[DecisionBrief]:
    journal = journal_of(order)
    if journal is None:
        return
    try:
        total = journal.count(begin, order.until)
        for number, row in enumerate(journal.briefs(begin, order.until, by_encounter=False), 1):
            if number % _TOLD_EVERY == 0:
                told(number, total)
            brief = decode_brief(row.brief) if row.kind == "decision" else None
            if isinstance(brief, DecisionBrief):
                yield brief
    finally:
        journal.close()


def _add(fact: Fact, brief: DecisionBrief) -> None:
    fact.checks += 1
    fact.actions[brief.decision] += 1
    strongest: dict[str, str] = {}
    for found in brief.found:
        if not found.unknown:
            known = strongest.get(found.rule_id, found.action)
            strongest[found.rule_id] = max(known, found.action, key=ACTIONS.index)
    for rule_id, action in strongest.items():
        fact.rules.setdefault(rule_id, Counter())[action] += 1


def comparison_of(made: Forecast, fact: Fact, now: datetime) -> Comparison:
    """A forecast beside the fact, those rules first that differ most."""
    whole = made.about.replayed
    rows = {row.key: row for row in made.rules}
    named = {*rows, *made.found, *fact.rules}
    rules = [_beside(name, rows.get(name), made.found.get(name, 0), whole, fact) for name in named]
    counts = made.after.actions
    return Comparison(
        version=made.about.version,
        since=fact.begin,
        until=now,
        checks=fact.checks,
        foreseen_checks=whole,
        foreseen_at=made.about.made_at,
        interruptions_per_100=(_per(made.after.interruptions, whole), _per(interruptions(fact.actions), fact.checks)),
        actions_per_100={
            one: (_per(counts.get(one, 0), whole), _per(fact.actions[one], fact.checks)) for one in ACTIONS
        },
        rules=tuple(
            sorted(rules, key=lambda one: (not one.far, -abs(one.foreseen_per_1000 - one.found_per_1000), one.rule_id))
        ),
    )


def _beside(rule_id: str, row: Row | None, foreseen: int, whole: int, fact: Fact) -> Beside:
    found = sum(fact.rules.get(rule_id, Counter()).values())
    expected, came = _per(foreseen, whole, 1000), _per(found, fact.checks, 1000)
    enough = bool(fact.checks) and max(found, foreseen * fact.checks / whole if whole else 0) >= _LEAST
    return Beside(
        rule_id=rule_id,
        title=row.title if row is not None else "",
        foreseen=foreseen,
        found=found,
        foreseen_per_1000=expected,
        found_per_1000=came,
        open_=row.open_ if row is not None else 0,
        far=enough and (came >= _FAR * expected or came * _FAR <= expected),
    )


def _per(count: int, whole: int, of: int = 100) -> float:
    return round(of * count / whole, 2) if whole else 0.0


# -- in words


def _pair(foreseen: float, came: float, told: Comparison) -> str:
    """What was foreseen beside what came; of no checks nothing came, not zero."""
    return f"{foreseen} → {came if told.checks else '—'}"


def _page(told: Comparison, *, english: bool) -> Page:
    def say(zh: str, en: str) -> str:
        return en if english else zh

    foreseen, came = told.interruptions_per_100
    far = sum(one.far for one in told.rules)
    points = [say(f"{far} 条规则与预测相差一倍以上", f"{far} rules are twice or half of what was foreseen")]
    if any(one.far and one.open_ for one in told.rules):
        points.append(
            say(
                "其中有预测时不可重放的规则，多出来的正在这里",
                "some of them could not be replayed: what is more comes from there",
            )
        )
    figures = [
        Figure(
            name=say("每百次审方打断：预测 → 实际", "interruptions per 100: foreseen → came"),
            value=_pair(foreseen, came, told),
        )
    ]
    for action in ("block", "warn", "remind"):
        pair = told.actions_per_100[action]
        name = ACTION_WORDS[action][english]
        figures.append(
            Figure(
                name=say(f"每百次结论为{name}：预测 → 实际", f"{name} per 100: foreseen → came"),
                value=_pair(*pair, told),
            )
        )
    warnings = [] if told.checks else [say("启用期间日志中没有审方", "no check while it was active")]
    return Page(
        title=say(f"预测与实际：名单 {told.version}", f"Forecast beside fact: list {told.version}"),
        about=(
            say(
                f"实际：{told.since:%Y-%m-%d %H:%M} 至 {told.until:%Y-%m-%d %H:%M} UTC {told.checks:,} 次审方；"
                f"预测重放 {told.foreseen_checks:,} 次",
                f"fact: {told.checks:,} checks from {told.since:%Y-%m-%d %H:%M} to {told.until:%Y-%m-%d %H:%M} UTC; "
                f"the forecast replayed {told.foreseen_checks:,}",
            ),
        ),
        warnings=tuple(warnings),
        figures=tuple(figures),
        points=tuple(points),
        tables=(_table(told, english=english, most=_MOST_ROWS),),
        sheet=_table(told, english=english, most=None),
        data=told,
    )


_COLUMNS = (
    Column(name="rule_id", zh="规则", en="rule"),
    Column(name="title", zh="名称", en="title"),
    Column(name="foreseen_per_1000", zh="预测每千次", en="foreseen per 1,000", kind="number"),
    Column(name="found_per_1000", zh="实际每千次", en="found per 1,000", kind="number"),
    Column(name="foreseen", zh="预测次数", en="foreseen", kind="count"),
    Column(name="found", zh="实际次数", en="found", kind="count"),
    Column(name="open_", zh="预测时不可重放", en="not replayable then", kind="count"),
    Column(name="far", zh="相差一倍以上", en="twice or half", kind="flag"),
)


def _table(told: Comparison, *, english: bool, most: int | None) -> Table:
    rows: list[tuple[Any, ...]] = [tuple(getattr(one, c.name) for c in _COLUMNS) for one in told.rules[:most]]
    return Table(
        title="By rule" if english else "按规则（相差最大的在前）",
        columns=_COLUMNS,
        rows=tuple(rows),
        left_out=len(told.rules) - len(rows),
    )
