"""Of two conditions: does the one imply the other, exclude it, or are the two all there is?

Each answer is "yes, for certain" or "not seen". Only truth is looked at: a condition implies another when it is never
true without it. Unknown values do not disturb that, for a comparison with an unknown is not true.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from negative_list import conditions as c
from negative_list.codes import expand_ranges, normal
from negative_list.deep.extents import Span, everything_between, excluded_by, extent_of, within
from negative_list.text import normalise

__all__ = ["Implying", "branches_of", "conjuncts_of"]


def conjuncts_of(condition: c.Condition | None) -> tuple[c.Condition, ...]:
    """What must hold for the condition to hold, as far as it is written side by side."""
    if condition is None:
        return ()
    if isinstance(condition, c.All):
        return tuple(inner for child in condition.of for inner in conjuncts_of(child))
    return (condition,)


def branches_of(condition: c.Condition) -> tuple[c.Condition, ...]:
    """What each suffices for the condition to hold, as far as it is written side by side."""
    if isinstance(condition, c.Any):
        return tuple(inner for child in condition.of for inner in branches_of(child))
    return (condition,)


class Implying:
    """Compares the conditions of one list. ``sets`` are its named sets, codes by name."""

    def __init__(self, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._sets = sets
        self._known: dict[tuple[str, c.Condition, c.Condition], bool] = {}

    def implies(self, one: c.Condition, other: c.Condition) -> bool:
        """Whether ``other`` holds whenever ``one`` does."""
        return one == other or self._once("implies", one, other)

    def excludes(self, one: c.Condition, other: c.Condition) -> bool:
        """Whether the two never hold together."""
        return self._once("excludes", one, other)

    def never(self, condition: c.Condition) -> bool:
        """Whether the condition never holds."""
        if isinstance(condition, c.All):
            parts = conjuncts_of(condition)
            pairs = ((one, other) for place, one in enumerate(parts) for other in parts[place + 1 :])
            return any(map(self.never, condition.of)) or any(self.excludes(*pair) for pair in pairs)
        if isinstance(condition, c.Any):
            return all(map(self.never, condition.of))
        if isinstance(condition, c.AtLeast):
            return sum(not self.never(child) for child in condition.of) < condition.count
        return False

    def covers(self, one: c.Condition, other: c.Condition) -> bool:
        """Whether one of the two always holds, where what they measure is known."""
        for left in branches_of(one):
            for right in branches_of(other):
                ours, theirs = extent_of(left), extent_of(right)
                if ours is not None and theirs is not None and everything_between(ours, theirs):
                    return True
                if any(
                    isinstance(each, c.Not) and self.implies(each.of, beside)
                    for each, beside in ((left, right), (right, left))
                ):
                    return True
        return False

    def items_within(self, inner: c.Items, outer: c.Items) -> bool:
        """Whether whatever the one selection means, the other means too."""
        narrowed = outer.types or outer.except_codes or outer.except_names
        same = ("types", "except_codes", "except_names")
        if narrowed and any(getattr(inner, name) != getattr(outer, name) for name in same):
            return False
        if not (outer.codes or outer.prefixes or outer.sets or outer.names):
            return True
        if not (inner.codes or inner.prefixes or inner.sets or inner.names):
            return False
        prefixes = tuple(map(normal, outer.prefixes))
        mine = self._item_codes(outer)
        beginnings = map(normal, inner.prefixes)
        return (
            all(code in mine or code.startswith(prefixes) for code in self._item_codes(inner))
            and all(beginning.startswith(prefixes) for beginning in beginnings)
            and set(map(normalise, inner.names)) <= set(map(normalise, outer.names))
        )

    def _item_codes(self, items: c.Items) -> frozenset[str]:
        return frozenset(
            (*map(normal, items.codes), *(normal(code) for name in items.sets for code in self._sets.get(name, ())))
        )

    def _once(self, question: str, one: c.Condition, other: c.Condition) -> bool:
        key = (question, one, other)
        answer = self._known.get(key)
        if answer is None:
            answer = self._known[key] = (self._implies if question == "implies" else self._excludes)(one, other)
        return answer

    # -- implies

    def _implies(self, one: c.Condition, other: c.Condition) -> bool:
        if isinstance(other, c.All):
            return all(self.implies(one, child) for child in other.of)
        if isinstance(one, c.Any):
            return all(self.implies(child, other) for child in one.of)
        if isinstance(one, c.All) and any(self.implies(child, other) for child in one.of):
            return True
        if isinstance(other, c.Any) and any(self.implies(one, child) for child in other.of):
            return True
        return self._leaf_implies(one, other)

    def _leaf_implies(self, one: c.Condition, other: c.Condition) -> bool:
        ours, theirs = extent_of(one), extent_of(other)
        if ours is not None and theirs is not None and within(ours, theirs):
            return True
        if isinstance(one, c.Diagnosis) and isinstance(other, c.Diagnosis):
            return self._diagnosis_implies(one, other)
        if isinstance(one, c.Some) and isinstance(other, c.Some):
            return self._lines_within(one.lines, other.lines)
        if isinstance(one, (c.Count, c.Sum)) and type(one) is type(other):
            return self._more_lines(one, other)
        return False

    def _diagnosis_implies(self, one: c.Diagnosis, other: c.Diagnosis) -> bool:
        """Every way to the one is a way to the other; a term is compared whole."""
        looser = (one.main or not other.main) and (other.past or not one.past)
        if not looser or other.stage not in ("any", one.stage):
            return False
        beginnings = tuple(self._diagnosis_codes(other))
        if not set(map(normalise, one.terms)) <= set(map(normalise, other.terms)):
            return False
        return all(beginnings and code.startswith(beginnings) for code in self._diagnosis_codes(one))

    def _diagnosis_codes(self, condition: c.Diagnosis) -> frozenset[str]:
        named = (code for name in condition.sets for code in self._sets.get(name, ()))
        return expand_ranges((*condition.codes, *named))

    def _lines_within(self, inner: c.Lines, outer: c.Lines) -> bool:
        """The same lines but for the items, of which the one has no more."""
        bare = c.Items()
        alike = msgspec.structs.replace(inner, items=bare) == msgspec.structs.replace(outer, items=bare)
        return alike and self.items_within(inner.items, outer.items)

    def _more_lines(self, one: c.Count | c.Sum, other: c.Count | c.Sum) -> bool:
        """More than so many of fewer items are more than so many of all, where nothing counts less than 0."""
        if any(getattr(each, "weights", ()) for each in (one, other)):
            return False
        aligned = msgspec.structs.replace(one, lines=other.lines)
        ours, theirs = extent_of(aligned), extent_of(other)
        if not (isinstance(ours, Span) and isinstance(theirs, Span)) or theirs.high is not None:
            return False
        return within(ours, theirs) and self._lines_within(one.lines, other.lines)

    # -- excludes

    def _excludes(self, one: c.Condition, other: c.Condition) -> bool:
        if isinstance(one, c.Any):
            return all(self.excludes(child, other) for child in one.of)
        if isinstance(other, c.Any):
            return all(self.excludes(one, child) for child in other.of)
        if isinstance(one, c.All):
            return any(self.excludes(child, other) for child in one.of)
        if isinstance(other, c.All):
            return any(self.excludes(one, child) for child in other.of)
        ours, theirs = extent_of(one), extent_of(other)
        if ours is not None and theirs is not None and excluded_by(ours, theirs):
            return True
        negated = ((one, other), (other, one))
        return any(isinstance(left, c.Not) and self.implies(right, left.of) for left, right in negated)
