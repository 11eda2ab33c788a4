"""The list of tomorrow: what stands already and the coming release will stop, so that nobody meets it unprepared.

What waits (:mod:`reminder.forecast.waiting`) is judged as of the planned activation by both lists; what only the coming
one finds, or finds more strongly, is listed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.rules import ACTIONS, Action
from negative_list.running import BEFORE
from reminder.forecast.columns import ACTION_WORDS, class_words
from reminder.forecast.inforce import apart, as_of
from reminder.forecast.making import policies_of
from reminder.forecast.ordered import open_lists, unconfirmed_of
from reminder.forecast.page import Figure, Page, Table
from reminder.forecast.replay import pair_of, replay
from reminder.forecast.waiting import Kind, Waiting, waiting
from reminder.reports.table import Column

if TYPE_CHECKING:
    from negative_list.prescription import Prescription
    from negative_list.rules import Rule
    from reminder.forecast.making import Told
    from reminder.forecast.ordered import Order
    from reminder.forecast.replay import Replayed

__all__ = ["Coming", "Stopped", "coming_of", "tomorrow"]

_MOST_ROWS = 200

_KINDS: dict[Kind, tuple[str, str]] = {
    "running": ("在执行医嘱", "running orders"),
    "draft": ("未见保存的处方", "drafts"),
    "repeat": ("将到期的续方", "repeat prescriptions"),
}


class Stopped(Struct, frozen=True, kw_only=True):
    """An order the coming list finds and the active one does not (or more strongly than it).

    ``action`` is that at activation, ``confirmed`` that once the rule is confirmed, ``before`` the active list's (pass:
    none). ``due_on``: the civil day a repeat is due. What leads to the patient are ward, bed, department and the day of
    admission, or the decision (``reminder explain``); no number of the patient stands here.
    """

    kind: Kind
    action: Action
    confirmed: Action
    before: Action = "pass"
    institution_id: str = ""
    department: str = ""
    ward: str = ""
    bed: str = ""
    admitted_on: str = ""
    doctor: str = ""
    item: str = ""
    line_id: str = ""
    ordered_on: str = ""
    due_on: str = ""
    rule_id: str
    title: str = ""
    class_id: str = ""
    amount_fen: int | None = None
    decision_id: str = ""


class Coming(Struct, frozen=True, kw_only=True):
    """The list of tomorrow: prescriptions looked at, by kind; ``open_`` of them have a rule that cannot be decided."""

    version: str
    at: datetime
    looked_at: dict[str, int]
    open_: int = 0
    out_of_time: bool = False
    rows: tuple[Stopped, ...] = ()


def tomorrow(order: Order, told: Told) -> Page:
    """The page an order asks for; errors as those of :func:`reminder.forecast.making.forecast`."""
    return _page(coming_of(order, told), english=order.wanted.english)


def coming_of(order: Order, told: Told) -> Coming:
    """What the coming list will stop.

    Raises:
        NegativeListError: a list cannot be read.
        StoreError: journal or store cannot be read.
    """
    until_s = time.monotonic() + order.within_s
    active, coming = open_lists(order)
    day = order.at.date()
    new = as_of(coming, day)
    pair = pair_of(apart(as_of(active, day), new))
    policies = policies_of(order, unconfirmed_of(order, active, coming))
    rules = {rule.id: rule for rule in new.rules}
    rows: list[Stopped] = []
    looked_at: Counter[str] = Counter()
    opened, late = 0, False
    for found in waiting(order, pair):
        late = time.monotonic() > until_s
        if late:
            break
        replayed = replay(pair, policies, found.case)
        rows += _stopped(found, replayed, rules)
        looked_at[found.kind] += 1
        opened += bool(replayed.open_)
        if looked_at.total() % 100 == 0:
            told(looked_at.total(), 0)
    return Coming(
        version=order.coming.version,
        at=order.at,
        looked_at=dict(looked_at),
        open_=opened,
        out_of_time=late,
        rows=tuple(sorted(rows, key=_weight)),
    )


def _weight(row: Stopped) -> tuple[Any, ...]:
    strength = -ACTIONS.index(row.confirmed), -ACTIONS.index(row.action)
    return *strength, row.kind, row.institution_id, row.department, row.ward, row.bed, row.item


def _stopped(found: Waiting, told: Replayed, rules: dict[str, Rule]) -> Iterator[Stopped]:
    """What only the coming list finds of something that stands, or finds more strongly."""
    lines = {line.id: line for line in found.case.prescription.encounter.lines}
    for key, fired in told.confirmed.items():
        before = told.before[key].action if key in told.before else "pass"
        line = lines.get(told.lines[key[1]])
        if line is None or ACTIONS.index(fired.action) <= max(ACTIONS.index(before), ACTIONS.index("remind")):
            continue
        rule = rules[key[0]]
        # A running order is judged for the day's use alone; when it was written its part before the day knows.
        written = lines.get(line.id + BEFORE, line).begins
        yield Stopped(
            kind=found.kind,
            action=told.after[key].action,
            confirmed=fired.action,
            before=before,
            **_where(found.case.prescription, told),
            item=line.name or next(iter(line.codes), ""),
            line_id=line.id.removesuffix(BEFORE),
            ordered_on=written.date().isoformat() if written is not None else "",
            due_on=found.due_on,
            rule_id=rule.id,
            title=rule.title,
            class_id=rule.class_id,
            amount_fen=fired.amount_fen,
            decision_id=found.decision_id,
        )


def _where(body: Prescription, told: Replayed) -> dict[str, str]:
    """What leads to the patient, and no number of theirs."""
    facts = body.encounter.facts
    admitted = facts.get("encounter.admitted_at")
    return {
        "institution_id": body.institution_id,
        "department": str(facts.get("encounter.department_name") or told.department),
        "ward": str(facts.get("encounter.ward", "")),
        "bed": str(facts.get("encounter.bed", "")),
        "admitted_on": admitted.date().isoformat() if isinstance(admitted, datetime) else "",
        "doctor": told.doctor,
    }


# -- in words


def _page(coming: Coming, *, english: bool) -> Page:
    def say(zh: str, en: str) -> str:
        return en if english else zh

    counts = Counter((row.kind, row.confirmed) for row in coming.rows)
    figures = [
        Figure(
            name=_KINDS[kind][english],
            value=say(f"拦截 {counts[kind, 'block']:,} · 警告 {counts[kind, 'warn']:,}",
                      f"block {counts[kind, 'block']:,} · warn {counts[kind, 'warn']:,}"),
            note=say(f"看过 {coming.looked_at.get(kind, 0):,} 份", f"of {coming.looked_at.get(kind, 0):,} looked at"),
        )
        for kind in _KINDS
    ]  # fmt: skip
    warnings = []
    if coming.open_:
        warnings.append(
            say(f"{coming.open_:,} 份缺少新规则所需的信息，无法判定，不在下表",
                f"{coming.open_:,} lack what new rules need and cannot be judged; they are not listed")
        )  # fmt: skip
    if coming.out_of_time:
        warnings.append(say("时间已到，其余没有看", "out of time: the rest was not looked at"))
    return Page(
        title=say(
            f"明日清单：名单 {coming.version} 于 {coming.at:%Y-%m-%d %H:%M} 启用后将受影响的医嘱",
            f"Tomorrow: orders list {coming.version} will stop from {coming.at:%Y-%m-%d %H:%M} on",
        ),
        about=(
            say("现行名单不提示（或更轻）、新名单将提示的医嘱；同一行给出启用时和规则确认后的动作。",
                "Orders the active list does not find, or finds more weakly."),
        ),
        warnings=tuple(warnings),
        figures=tuple(figures),
        points=() if coming.rows else (say("没有将受影响的医嘱", "nothing will be stopped"),),
        tables=(_table(coming, english=english, most=_MOST_ROWS),),
        sheet=_table(coming, english=english, most=None),
        data=coming,
    )  # fmt: skip


_COLUMNS = (
    ("kind", "类别", "kind"),
    ("confirmed", "确认后", "once confirmed"),
    ("action", "启用时", "at activation"),
    ("before", "现行", "now"),
    ("institution_id", "医疗机构", "institution"),
    ("department", "科室", "department"),
    ("ward", "病区", "ward"),
    ("bed", "床位", "bed"),
    ("admitted_on", "入院日期", "admitted on"),
    ("doctor", "医师", "doctor"),
    ("item", "项目", "item"),
    ("line_id", "医嘱号", "line"),
    ("ordered_on", "开立日期", "ordered on"),
    ("due_on", "续方日期", "due on"),
    ("title", "规则", "rule"),
    ("class_id", "规则类", "class"),
    ("amount_fen", "金额(元)", "amount (yuan)"),
    ("decision_id", "决定编号", "decision"),
)


def _table(coming: Coming, *, english: bool, most: int | None) -> Table:
    columns = [Column(name=n, zh=zh, en=en, kind="yuan" if n == "amount_fen" else "text") for n, zh, en in _COLUMNS]
    rows = tuple(_cells(row, english=english) for row in coming.rows[:most])
    title = "By action" if english else "逐条"
    return Table(title=title, columns=tuple(columns), rows=rows, left_out=len(coming.rows) - len(rows))


def _cells(row: Stopped, *, english: bool) -> tuple[Any, ...]:
    told: dict[str, Any] = msgspec.structs.asdict(row)
    told["kind"] = _KINDS[row.kind][english]
    told["title"] = row.title or row.rule_id
    told["class_id"] = class_words(row.class_id, english=english)
    told |= {name: ACTION_WORDS[told[name]][english] for name in ("action", "confirmed", "before")}
    return tuple(told[name] for name, _, _ in _COLUMNS)
