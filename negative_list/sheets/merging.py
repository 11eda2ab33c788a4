"""Putting drafts into a list: what is new, what changes, what ends.

``replace``: the sheet is the whole class, so that rules of the class which it does not hold end; ``add``: every row is
new; ``action``: the column 操作 says 新增, 调整 or 停用. What ends is kept with its last day, so that old findings
explain. A rule whose row was rejected stays as it is: a slip of the pen withdraws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from negative_list.parse import Parsed, Place
from negative_list.rules import Rule, RuleList
from negative_list.sheets.agreement import about, refused_sex, same_rule, together
from negative_list.sheets.cells import CellError, refusal
from negative_list.sheets.convert import identity_of, rules_of, values_of
from negative_list.sheets.drafts import Draft
from negative_list.sheets.rows import Bad
from negative_list.validate import validate

if TYPE_CHECKING:
    from negative_list.sheets.families import Family

__all__ = ["Merged", "Mode", "merged"]

Mode: TypeAlias = Literal["replace", "add", "action"]
"""How a sheet is taken: as the whole class, as additions, or by its own column."""


class Merged(Struct, frozen=True, kw_only=True, eq=False):
    """The list with the sheet in it, and how many rules were added, changed, ended, found unchanged and kept."""

    rules: RuleList
    made: Mapping[str, Draft]
    bad: tuple[Bad, ...]
    counts: Mapping[str, int]


def merged(
    existing: RuleList, drafts: Iterable[Draft], rejected: Iterable[Bad], family: Family, mode: Mode, on: date | None
) -> Merged:
    """Put drafts into a list. ``on`` is the day the sheet holds from; what it ends has its last day the day before."""
    merging = _Merging(existing, family, mode, on)
    # what ends goes first, wherever it stands: a rule may take the place of one the same sheet ends
    for draft in sorted(drafts, key=lambda draft: draft.values.get("operation") != "end"):
        merging.take(draft)
    if mode == "replace":
        merging.end_the_rest(rejected)
    return Merged(
        rules=RuleList(rules=tuple(merging.rules.values()), sets=existing.sets),
        made=merging.made,
        bad=tuple(merging.bad),
        counts=merging.counts,
    )


class _Merging:
    """One merging: the rules by id, and what became of them."""

    def __init__(self, existing: RuleList, family: Family, mode: Mode, on: date | None) -> None:
        self.rules = {rule.id: rule for rule in existing.rules}
        self._before = dict(self.rules)
        self.made: dict[str, Draft] = {}
        self.bad: list[Bad] = []
        self.counts = dict.fromkeys(("added", "changed", "ended", "unchanged", "kept"), 0)
        self._family = family
        self._mode = mode
        self._on = on
        self._sets = existing.sets
        own = [rule for rule in existing.rules if rule.class_id == family.class_id]
        self._known = {identity_of(family, rule): rule.id for rule in own}
        self._own = {rule.id for rule in own}
        self._by_sex: dict[str, set[str]] = {}
        for rule in own if mode != "replace" else ():
            self._note_sex(rule)

    def take(self, draft: Draft) -> None:
        """Put one draft in; what cannot be is rejected with every row of it."""
        try:
            self._take(draft)
        except CellError as error:
            self.bad.extend(row.rejected(str(error), error.column) for row in draft.rows)

    def _take(self, draft: Draft) -> None:
        operation = self._operation(draft.values)
        if operation == "end":
            self._end(draft)
            return
        if self._family.shape.grouped and operation != "any" and (group := self._found(draft)) is not None:
            self._widen(group, draft)
            return
        if operation == "add":
            self._reopen(draft)
        base = self._base(draft, operation)
        for rule in rules_of(self._family, draft.values, base):
            self._put(rule, draft, base)

    def _widen(self, group: Rule, draft: Draft) -> None:
        """Rows of a group that is there already join it."""
        codes = tuple(dict.fromkeys((*group.trigger.codes, *draft.values.get("codes", ()))))
        told = values_of(self._family, group) or {}
        values = {**{k: v for k, v in told.items() if k != "version"}, "codes": codes}
        self._regroup(values, draft, group)

    def _regroup(self, values: Mapping[str, Any], draft: Draft, group: Rule) -> None:
        """A group with other members: its next version, however many rows of one sheet change it."""
        for rule in rules_of(self._family, values, group):
            self._validate(rule)
            before = self._before.get(rule.id)
            self.counts["changed"] += rule.id not in self.made
            self.made[rule.id] = draft
            self.rules[rule.id] = replace(rule, version=before.version + 1) if before else rule

    def _operation(self, values: Mapping[str, Any]) -> str:
        if self._mode != "action":
            if values.get("operation") == "end":
                message = "“停用”行需要按操作列导入 (a row that ends a rule); 请用 --mode action (use --mode action)"
                raise refusal(message, "operation")
            return "any" if self._mode == "replace" else "add"
        if "operation" not in values:
            raise refusal("没有填写操作 (no change is told); 请填 新增、调整 或 停用 (write one of them)", "operation")
        told: str = values["operation"]
        return told

    def _base(self, draft: Draft, operation: str) -> Rule | None:
        """The rule a draft changes; ``None`` for a new one."""
        found = self._found(draft)
        if operation == "change" and found is None:
            raise self._unknown(draft)
        if found is not None and found.id in self.made:
            raise same_rule(self.made[found.id])
        if operation == "add" and found is not None:
            message = f"规则 `{found.id}` 已存在 (the rule is there already); 请改为 调整 (make it a change)"
            raise refusal(message, "operation" if "operation" in draft.values else "codes")
        return found

    def _found(self, draft: Draft) -> Rule | None:
        named = draft.values.get("rule_id")
        if named:
            return self.rules.get(named)
        try:
            made = rules_of(self._family, {**draft.values, "document": "-"})[0]
        except CellError:
            return self._by_items(draft)
        known = self._known.get(identity_of(self._family, made))
        return self.rules.get(made.id) or (self.rules[known] if known else None)

    def _by_items(self, draft: Draft) -> Rule | None:
        """The one rule of exactly these items, for a row that tells nothing else."""
        codes, name = set(draft.values.get("codes", ())), draft.values.get("name", "")
        own = [self.rules[rule_id] for rule_id in self._own if rule_id in self.rules]
        told = [r for r in own if (set(r.trigger.codes) == codes if codes else name and name in r.trigger.names)]
        return told[0] if len(told) == 1 else None

    def _unknown(self, draft: Draft) -> CellError:
        codes = set(draft.values.get("codes", ()))
        partly = next((r for r in self.rules.values() if r.id in self._own and codes & set(r.trigger.codes)), None)
        hint = f"规则 `{partly.id}` 只有部分编码相同 (shares some codes)；" if partly else ""
        message = f"列表中没有这条规则 (no such rule in the list); {hint}请核对编码或规则编号 (check codes and id)"
        return refusal(message, "rule_id" if draft.values.get("rule_id") else "codes")

    def _put(self, rule: Rule, draft: Draft, base: Rule | None) -> None:
        if rule.id in self.made:
            raise same_rule(self.made[rule.id])
        self._validate(rule)
        before = base if base is not None and base.id == rule.id else self.rules.get(rule.id)
        if before is None:
            rule = replace(rule, valid_from=rule.valid_from or self._on)
        elif not _says_the_same(before, rule, draft):
            rule = self._succeeding(before, rule, draft)
        self._agree(rule)
        self.made[rule.id] = draft
        if before is not None and _says_the_same(before, rule, draft):
            self.counts["unchanged"] += 1
            return
        self.counts["added" if before is None else "changed"] += 1
        if before is not None and rule.valid_from != before.valid_from:
            self._keep_until(before, rule.valid_from)
        self.rules[rule.id] = rule
        self._note_sex(rule)

    def _succeeding(self, before: Rule, rule: Rule, draft: Draft) -> Rule:
        """The next version of a rule, from the day it holds; one that had ended goes on without its old last day."""
        begins = draft.values.get("valid_from") or self._on
        if begins is None or (before.valid_from is not None and begins <= before.valid_from):
            begins = rule.valid_from
        ended = before.valid_to is not None and "valid_to" not in draft.values
        if ended and (begins is None or begins == before.valid_from):
            message = (
                f"规则 `{before.id}` 已于 {before.valid_to} 停用 (the rule has ended); 请填生效日期 (from which day)"
            )
            raise refusal(message, "valid_from")
        return replace(rule, valid_from=begins, valid_to=None if ended else rule.valid_to)

    def _keep_until(self, before: Rule, begins: date | None) -> None:
        """Keep the version before under an id of its own, up to the day before the next: nothing is without a rule."""
        if begins is None or (before.valid_from is not None and before.valid_from >= begins):
            return
        last = begins - timedelta(days=1)
        kept = replace(before, id=f"{before.id}-v{before.version}", valid_to=min(last, before.valid_to or last))
        self.rules[kept.id] = kept

    def _reopen(self, draft: Draft) -> None:
        """A rule that this sheet ends and states anew: what ended stays under an id of its own."""
        found = self._found(draft)
        if found is None or found.id not in self.made or self.made[found.id].values.get("operation") != "end":
            return
        del self.rules[found.id], self.made[found.id]
        self._known = {identity: known for identity, known in self._known.items() if known != found.id}
        self._keep_until(found, found.valid_to and found.valid_to + timedelta(days=1))

    def _agree(self, rule: Rule) -> None:
        """Refuse a rule that limits to one sex what another limits to the other: together they refuse everybody."""
        sex = refused_sex(rule)
        for code in sorted(about(rule)) if sex else ():
            others = [self.rules[named] for named in self._by_sex.get(code, ()) if named in self.rules]
            for other in others:
                if other.id != rule.id and refused_sex(other) != sex and together(rule, other):
                    message = (
                        f"`{code}` 在规则 `{other.id}` 中限另一性别 (another rule limits it to the other sex)"
                        "; 请核对，以新的为准时先停用那一条 (check it; end that rule where this one is right)"
                    )
                    raise refusal(message, "sex")

    def _note_sex(self, rule: Rule) -> None:
        for code in about(rule) if refused_sex(rule) else ():
            self._by_sex.setdefault(code, set()).add(rule.id)

    def _validate(self, rule: Rule) -> None:
        """Refuse a rule that a list would be refused for."""
        parsed = Parsed(
            rules=RuleList(rules=(rule,), sets=self._sets),
            rule_places=(_NOWHERE,),
            set_places=(_NOWHERE,) * len(self._sets),
            problems=(),
        )
        found = "；".join(f"{problem.path}: {problem.message}" for problem in validate(parsed))
        if found:
            raise refusal(f"规则不成立 (the rule cannot be meant): {found}")

    def _end(self, draft: Draft) -> None:
        found = self._found(draft)
        if found is None:
            raise self._unknown(draft)
        left = tuple(code for code in found.trigger.codes if code not in draft.values.get("codes", ()))
        if self._family.shape.grouped and left and len(left) < len(found.trigger.codes):
            self._narrow(found, left, draft)
            return
        last = draft.values.get("valid_to") or self._last_day(found)
        self.made[found.id] = draft
        self._ended(found, last)

    def _narrow(self, group: Rule, left: tuple[str, ...], draft: Draft) -> None:
        """Codes leave a group that stays."""
        told = values_of(self._family, group) or {}
        values = {**{k: v for k, v in told.items() if k != "version"}, "codes": left}
        self._regroup(values, draft, group)

    def _last_day(self, rule: Rule) -> date:
        if self._on is None:
            message = f"不知道规则 `{rule.id}` 何时停用 (no last day); 请填失效日期，或用 --on 给出生效日 (fill it in)"
            raise refusal(message, "valid_to")
        return self._on - timedelta(days=1)

    def _ended(self, rule: Rule, last: date) -> None:
        """End a rule; one that has not begun by then was never in force, and nobody needs it."""
        if rule.valid_from is not None and rule.valid_from > last:
            del self.rules[rule.id]
        else:
            self.rules[rule.id] = replace(rule, valid_to=min(last, rule.valid_to or last))
        self.counts["ended"] += 1

    def end_the_rest(self, rejected: Iterable[Bad]) -> None:
        """End the rules of the class that no row is about; those a rejected row may be about are kept."""
        rest = [self.rules[rule_id] for rule_id in sorted(self._own - self.made.keys())]
        kept = _doubtful((*rejected, *self.bad), rest)
        for rule in rest:
            if rule.id in kept:
                self.counts["kept"] += 1
            elif rule.valid_to is None or self._on is None or rule.valid_to >= self._on:
                self._ended(rule, self._last_day(rule))


_NOWHERE = Place(file="", locate=lambda _path: (0, 0))


def _says_the_same(before: Rule, rule: Rule, draft: Draft) -> bool:
    version = rule.version if "version" in draft.values else before.version
    return replace(rule, version=version) == before


def _doubtful(rejected: Iterable[Bad], rules: Iterable[Rule]) -> set[str]:
    """The rules rejected rows may be about: all of them, where a row cannot be told to be about any."""
    listed = list(rules)
    found: set[str] = set()
    for bad in rejected:
        about = {rule.id for rule in listed if _names(rule) & set(_told(bad))}
        found |= about or {rule.id for rule in listed}
    return found


def _names(rule: Rule) -> set[str]:
    told = (*rule.trigger.codes, *rule.trigger.names, *rule.trigger.diagnoses, *rule.trigger.operations)
    return {rule.id, rule.title.partition("：")[0], *told}


def _told(bad: Bad) -> Iterator[str]:
    for key in ("codes", "main_codes", "other_codes", "diagnosis_codes", "operation_codes"):
        yield from bad.values.get(key, ())
    yield from (bad.values[key] for key in ("rule_id", "name", "group") if bad.values.get(key))
