"""The columns of a forecast's tables: what stands in them, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from negative_list.classes import classes
from negative_list.dictionary import load
from reminder.reports.table import Column, Kind

if TYPE_CHECKING:
    from reminder.forecast.record import Row

__all__ = ["ACTION_WORDS", "CLASSES", "PLACES", "RULES", "SHEET", "Cell", "class_words", "fact_name"]

ACTION_WORDS = {
    "block": ("拦截", "block"),
    "warn": ("警告", "warn"),
    "remind": ("提醒", "remind"),
    "pass": ("通过", "pass"),
}
"""What actions are called, the strongest first."""

_STATES = {
    "new": ("新增", "new"),
    "gone": ("删除", "gone"),
    "changed": ("判定有改", "judges otherwise"),
    "worded": ("仅改文字", "wording only"),
    "same": ("未变", "same"),
    "": ("", ""),
}
_CHANGES = {"newly": ("新", "new"), "gone": ("消", "gone"), "changed": ("改", "changed")}


class Cell:
    """A column of these tables, and where its cell is found.

    Args:
        name: for programs.
        zh: heading.
        en: heading in English.
        kind: what it holds.
        cell: its value in a row; true for English.
    """

    def __init__(self, name: str, zh: str, en: str, kind: Kind, cell: Callable[[Row, bool], Any]) -> None:
        self.column = Column(name=name, zh=zh, en=en, kind=kind)
        self.cell = cell


def fact_name(fact: str, *, english: bool) -> str:
    """What a lacking fact is called."""
    known = load().get(fact)
    return fact if english or known is None else known.zh


def class_words(class_id: str, *, english: bool) -> str:
    """A class with its name."""
    known = classes().get(class_id)
    return class_id if known is None else f"{class_id} {known.en if english else known.name}"


def _count(name: str, zh: str, en: str) -> Cell:
    return Cell(name, zh, en, "count", lambda row, _: getattr(row, name))


def _of_reminders(name: str, zh: str, en: str, kind: Kind = "count") -> Cell:
    return Cell(f"reminders_{name}", zh, en, kind, lambda row, _: getattr(row.reminders, name))


def _shows(side: str, zh: str, en: str) -> Cell:
    return Cell(f"shows_{side}", zh, en, "count", lambda row, _: row.interruptions(side))


def _state(row: Row, english: bool) -> str:
    held = (" · 未确认", " · unconfirmed")[english] if row.unconfirmed else ""
    return _STATES[row.state][english] + held


def _class(row: Row, english: bool) -> str:
    return class_words(row.class_id, english=english)


def _by_action(side: str) -> Callable[[Row, bool], str]:
    """The decisions of a side by action, the strongest first."""

    def cell(row: Row, english: bool) -> str:
        counts: dict[str, int] = getattr(row, side)
        told = [f"{words[english]} {counts[action]:,}" for action, words in ACTION_WORDS.items() if counts.get(action)]
        return " ".join(told) or "—"

    return cell


def _examples(row: Row, english: bool) -> str:
    """Decisions to look at by ``reminder explain``, with what they are examples of."""
    return "\n".join(_named(row.newest, english=english))


def _named(examples: dict[str, list[str]], *, english: bool) -> Iterable[str]:
    for change, words in _CHANGES.items():
        if idents := examples.get(change):
            yield f"{words[english]} {' '.join(idents)}"


def _lacks(row: Row, english: bool) -> str:
    return " ".join(f"{fact_name(one.fact, english=english)} {one.decisions:,}" for one in row.lacks)


_KEY = Cell("key", "编号", "id", "text", lambda row, _: row.key)
_PLACE = Cell("key", "编号", "id", "text", lambda row, english: row.key or ("（未报）", "(not told)")[english])
_TITLE = Cell("title", "名称", "title", "text", lambda row, _: row.title)
_CLASS = Cell("class", "规则类", "class", "text", _class)
_STATE = Cell("state", "名单中", "in the list", "text", _state)
_CHECKS = _count("checks", "审方次数", "checks")
_NEWLY = _count("newly", "新触发", "newly firing")
_GONE = _count("gone", "不再触发", "no longer")
_CHANGED = _count("changed", "动作改变", "another action")
_OPEN = _count("open_", "不可重放", "not replayable")
_LACKS = Cell("lacks", "缺少的信息", "what lacks", "text", _lacks)
_SIDES = (
    Cell("before", "现行", "now", "text", _by_action("before")),
    Cell("after", "启用时", "at activation", "text", _by_action("after")),
    Cell("confirmed", "确认后", "once confirmed", "text", _by_action("confirmed")),
)
_REMINDERS = (
    _of_reminders("new", "新增提醒", "new reminders"),
    _of_reminders("gone", "不再提醒", "reminders no more"),
    _of_reminders("new_fen", "新增金额(元)", "new (yuan)", "yuan"),
    _of_reminders("gone_fen", "不再金额(元)", "no more (yuan)", "yuan"),
)
_DOCTORS = _of_reminders("doctors", "新涉及医师", "doctors newly affected")
_EXAMPLES = Cell("examples", "示例（reminder explain 可查）", "examples (reminder explain)", "text", _examples)

RULES = (_TITLE, _KEY, _STATE, _NEWLY, _GONE, _CHANGED, _OPEN, *_SIDES, *_REMINDERS, _DOCTORS, _EXAMPLES)
"""Of rules."""

CLASSES = (_CLASS, _NEWLY, _GONE, _CHANGED, _OPEN, *_SIDES, *_REMINDERS, _DOCTORS)
"""Of classes."""

PLACES = (
    _PLACE,
    _CHECKS,
    _shows("before", "现行打断", "interruptions now"),
    _shows("after", "启用时打断", "interruptions at activation"),
    _shows("confirmed", "确认后打断", "interruptions once confirmed"),
    *_REMINDERS,
)
"""Of departments and doctors."""

SHEET = (
    *(_KEY, _TITLE, _CLASS, _STATE, _CHECKS, _NEWLY, _GONE, _CHANGED),
    _count("changed_confirmed", "确认后动作改变", "another action once confirmed"),
    *(_OPEN, _LACKS, *_SIDES, *_REMINDERS),
    _of_reminders("action", "换动作的提醒", "reminders with another action"),
    *(_DOCTORS, _EXAMPLES),
)
"""All of them, for a spreadsheet."""
