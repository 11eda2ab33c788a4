"""What changed between two lists as lines of text an office reads: Chinese first, English by switch."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from negative_list.classes import classes
from negative_list.differences.words import ACTION_MARKS, phrase, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from negative_list.differences.records import Change, ChangedRule, ChangedSet, Differences, RuleTold, Side

__all__ = ["lines_of"]

_EXAMPLES = 5
"""Codes, terms and rules that are shown of many."""


def lines_of(found: Differences, *, most: int, english: bool) -> Iterator[str]:
    """The text, line by line; ``most`` rules or sets a section, 0 all."""
    tell = _Telling(most, english=english)
    yield from tell.summary(found)
    if _nothing(found):
        yield tell.said("两份清单没有差别" if _same(found) else "只有写法不同，含义没有差别", _alike(found))
        return
    yield from tell.by_class(found)
    yield from tell.section("新增规则", "new rules", found.new, tell.rule)
    yield from tell.section("取消规则", "rules gone", found.gone, tell.rule)
    yield from tell.section("变更规则", "rules changed", found.changed, tell.changed)
    yield from tell.section("代码集变化", "sets changed", found.sets, tell.changed_set)
    moved = [(one.before, one.rule) for one in found.renumbered]
    yield from tell.section("换了编号、内容未变", "the same under another id", moved, tell.moved)


def _same(found: Differences) -> bool:
    return found.before.digest == found.after.digest


def _alike(found: Differences) -> str:
    return "the lists are the same" if _same(found) else "written otherwise, but nothing means anything else"


def _nothing(found: Differences) -> bool:
    return not (found.new or found.gone or found.changed or found.renumbered or found.sets)


class _Telling:
    """One language, and how many rows a section shows."""

    def __init__(self, most: int, *, english: bool) -> None:
        self._most = most
        self._english = english

    def said(self, chinese: str, english: str) -> str:
        return english if self._english else chinese

    # -- the beginning

    def summary(self, found: Differences) -> Iterator[str]:
        before, after = found.before, found.after
        yield self.said(f"{_called(before)} → {_called(after)}", f"{_called(before)} → {_called(after)}")
        yield self.said(
            f"规则 {before.rules} → {after.rules}：新增 {len(found.new)}，取消 {len(found.gone)}，"
            f"变更 {len(found.changed)}，换编号 {len(found.renumbered)}，未变 {found.unchanged}",
            f"rules {before.rules} → {after.rules}: {len(found.new)} new, {len(found.gone)} gone, "
            f"{len(found.changed)} changed, {len(found.renumbered)} renumbered, {found.unchanged} unchanged",
        )
        yield self.said(
            f"明细 {before.details} → {after.details}（{after.details - before.details:+d}）",
            f"details {before.details} → {after.details} ({after.details - before.details:+d})",
        )
        if found.through_sets:
            yield self.said(
                f"另有 {found.through_sets} 条规则本身未变，但所用代码集变了",
                f"{found.through_sets} more rules are unchanged themselves, but a set they name is not",
            )
        yield from self._fields(found)
        yield from self._blocking(found)

    def _fields(self, found: Differences) -> Iterator[str]:
        """In how many rules each field changed."""
        counts = Counter(name for row in found.changed for name in {change.where[0] for change in row.changes})
        told = [f"{word(name, english=self._english)} {count}" for name, count in counts.most_common()]
        if told:
            yield self.said("变更内容：" + "，".join(told), "what changed: " + ", ".join(told))

    def _blocking(self, found: Differences) -> Iterator[str]:
        """The headline: what will newly stop a prescription, and what no longer will."""
        counts = (
            sum(rule.action == "block" for rule in found.new),
            sum(change.path == "action" and change.after == "block" for c in found.changed for change in c.changes),
            sum(rule.action == "block" for rule in found.gone),
            sum(change.path == "action" and change.before == "block" for c in found.changed for change in c.changes),
        )
        if any(counts):
            yield self.said(
                f"拦截：新增 {counts[0]} 条拦截规则，{counts[1]} 条改为拦截；"
                f"取消 {counts[2]} 条，{counts[3]} 条不再拦截",
                f"blocks: {counts[0]} new rules block, {counts[1]} changed to block; "
                f"{counts[2]} gone, {counts[3]} block no longer",
            )

    def by_class(self, found: Differences) -> Iterator[str]:
        yield ""
        yield self.said("类别\t新增\t取消\t变更\t明细", "class\tnew\tgone\tchanged\tdetails")
        for row in found.classes:
            name = self.said(row.name, classes()[row.class_id].en)
            yield f"{row.class_id} {name}\t{row.new}\t{row.gone}\t{row.changed}\t{row.details[0]} → {row.details[1]}"

    # -- sections

    def section(
        self, chinese: str, english: str, rows: Sequence[Any], told: Callable[[Any], Iterator[str]]
    ) -> Iterator[str]:
        if not rows:
            return
        yield ""
        yield self.said(f"{chinese} {len(rows)} 条", f"{english}: {len(rows)}")
        shown = rows[: self._most] if self._most else rows
        for row in shown:
            yield from told(row)
        if more := len(rows) - len(shown):
            yield self.said(f"  还有 {more} 条（--most 0 全部列出）", f"  {more} more (--most 0 shows all)")

    def rule(self, rule: RuleTold) -> Iterator[str]:
        days = [
            f"{word(key, english=self._english)} {day}"
            for key, day in (("valid_from", rule.valid_from), ("valid_to", rule.valid_to))
            if day is not None
        ]
        details = self.said(f"明细 {rule.details}", f"{rule.details} details")
        whose = [phrase(rule.origin, english=self._english)] if rule.origin else []
        yield "  " + self.said("，", ", ").join([self._head(rule), details, *days, *whose])

    def _head(self, rule: RuleTold) -> str:
        mark = ACTION_MARKS[rule.action][self._english]
        return f"{self.said(f'【{mark}】', f'[{mark}] ')}{rule.class_id} {rule.id} {rule.title}"

    def moved(self, row: tuple[str, RuleTold]) -> Iterator[str]:
        yield f"  {row[0]} → {row[1].id} {row[1].title}"

    def changed(self, row: ChangedRule) -> Iterator[str]:
        yield f"  {self._head(row.rule)}"
        for change in row.changes:
            yield f"    {self._place(change)}{self.said('：', ': ')}{self._what(change)}"

    def _place(self, change: Change) -> str:
        steps = zip(("", *change.where), change.where, strict=False)
        words = [word(step, before, english=self._english) for before, step in steps if step != "of" or before == "sum"]
        return self.said(" · ", " > ").join(dict.fromkeys(words))

    def _what(self, change: Change) -> str:
        if change.kind == "writing":
            return self.said("内容未变，次序或写法变了", "the same in another order, or written otherwise")
        if change.kind == "value":
            key = change.where[-2] if change.where[-1] == "unit" and len(change.where) > 1 else change.where[-1]
            return " → ".join(phrase(side, key, english=self._english) for side in (change.before, change.after))
        sides = (("增加", "added", change.added), ("减少", "removed", change.removed))
        told = [self._some(self.said(zh, en), items, change.where[-1]) for zh, en, items in sides if items]
        return self.said("；", "; ").join(told)

    def _some(self, verb: str, items: Sequence[Any], key: str) -> str:
        mark = self.said("、", ", ")
        shown = mark.join(phrase(item, key, english=self._english) for item in items[:_EXAMPLES])
        more = self.said("等", ", …") if len(items) > _EXAMPLES else ""
        return self.said(f"{verb} {len(items)} 个（{shown}{more}）", f"{verb} {len(items)} ({shown}{more})")

    def changed_set(self, row: ChangedSet) -> Iterator[str]:
        kind = {"new": ("新增", "new"), "gone": ("取消", "gone"), "changed": ("变更", "changed")}[row.kind]
        title = f" {row.title}" if row.title else ""
        used = self.said(f"{len(row.rules)} 条规则使用", f"named by {len(row.rules)} rules")
        yield f"  {self.said(*kind)} {row.id}{title}{self.said('，', ', ')}{used}"
        for zh, en, codes in (("增加", "added", row.added), ("减少", "removed", row.removed)):
            if codes:
                yield f"    {self._some(self.said(zh, en), codes, 'codes')}"
        if row.rules:
            yield f"    {self._some(self.said('规则', 'rules'), row.rules, 'id')}"


def _called(side: Side) -> str:
    return f"{side.name} {side.version}".strip()
