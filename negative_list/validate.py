"""Validation: what a well-formed list says that cannot be meant.

Each check is a function from a rule and what is known of the list to problems (path and message); :data:`CHECKS` names
them in order. All problems come back at once, sorted by their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from negative_list import conditions as c
from negative_list.classes import CLASS_IDS
from negative_list.codes import expand_ranges
from negative_list.conditions import children_of
from negative_list.dictionary import Dictionary, Fact, load
from negative_list.errors import ListError, Problem, UnknownNameError, nearest
from negative_list.text import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.parse import Parsed, Place
    from negative_list.rules import Rule, RuleList

__all__ = ["CHECKS", "SHORTEST_TERM", "Known", "check", "validate"]

SHORTEST_TERM = 2
"""Characters of the shortest term: a single Chinese character occurs inside too many other words."""

Found: TypeAlias = "Iterator[tuple[str, str]]"
_NUMERIC = frozenset({"integer", "number", "money"})


class Known(Struct, frozen=True, kw_only=True):
    """What the checks of one rule may look up: the list's sets and the fact dictionary."""

    sets: frozenset[str]
    facts: Dictionary


def check(parsed: Parsed) -> RuleList:
    """The list, when nothing is wrong with it.

    Raises:
        ListError: with every problem of reading and of validation.
    """
    problems = (*parsed.problems, *validate(parsed))
    if problems:
        raise ListError(problems)
    return parsed.rules


def validate(parsed: Parsed) -> tuple[Problem, ...]:
    """Every problem of a list that could be read, sorted by place."""
    rules = parsed.rules
    if not rules.rules and not parsed.problems:
        file = parsed.set_places[0].file if parsed.set_places else ""
        return (Problem(file=file, message="the list is empty; give it at least one rule"),)
    known = Known(sets=frozenset(named.id for named in rules.sets), facts=load())
    seen = _Seen(known)
    problems = [
        place.problem(path, message)
        for rule, place in zip(rules.rules, parsed.rule_places, strict=True)
        for path, message in seen.problems(rule)
    ]
    problems += _repeated_ids([r.id for r in rules.rules], parsed.rule_places, "rule", "id")
    problems += _repeated_ids([s.id for s in rules.sets], parsed.set_places, "set", "set")
    problems += _bad_sets(parsed)
    return tuple(sorted(problems))


def _repeated_ids(ids: list[str], places: tuple[Place, ...], noun: str, path: str) -> Iterator[Problem]:
    first: dict[str, Place] = {}
    for name, place in zip(ids, places, strict=True):
        there = first.setdefault(name, place)
        if there is not place:
            row, _ = there.locate("")
            yield place.problem(path, f"{noun} `{name}` stands at {there.file}:{row} already; give it another id")


def _bad_sets(parsed: Parsed) -> Iterator[Problem]:
    for named, place in zip(parsed.rules.sets, parsed.set_places, strict=True):
        if not named.codes:
            yield place.problem("codes", f"set `{named.id}` is empty; give it codes or take it out")
        for path, message in _bad_codes(named.codes, "codes"):
            yield place.problem(path, message)


class _Seen:
    """Checks rules, looking at equal conditions only once where nothing was wrong with them."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._good: set[c.Condition] = set()

    def problems(self, rule: Rule) -> Found:
        for rule_check in CHECKS:
            yield from rule_check(rule, self._known)
        for path, condition in (("scope", rule.scope), ("violation", rule.violation)):
            if condition is not None:
                yield from self._condition(condition, path)

    def _condition(self, condition: c.Condition, path: str) -> Found:
        if condition in self._good:
            return
        found = list(_condition_problems(condition, path, self._known))
        for child_path, child in _children(condition, path):
            found.extend(self._condition(child, child_path))
        if not found:
            self._good.add(condition)
        yield from found


def _children(condition: c.Condition, path: str) -> Iterator[tuple[str, c.Condition]]:
    if isinstance(condition, (c.All, c.Any)):
        yield from ((f"{path}.of[{k}]", child) for k, child in enumerate(condition.of))
    else:
        name = "of" if isinstance(condition, c.Not) else "lines.where"
        yield from ((f"{path}.{name}", child) for child in children_of(condition))


# -- rules


def _named(rule: Rule, _known: Known) -> Found:
    """An id, a title and a message are not empty."""
    for name in ("id", "title"):
        if not getattr(rule, name).strip():
            yield name, f"`{name}` is empty; write one"
    if not rule.message.zh.strip():
        yield "message.zh", "the message is empty; say in Chinese what is not met"


def _of_known_class(rule: Rule, _known: Known) -> Found:
    """The class is an official one or an extension."""
    if rule.class_id not in CLASS_IDS:
        hint = nearest(rule.class_id, CLASS_IDS)
        yield "class", f"unknown class `{rule.class_id}`{hint}; use R01-R88 or E01-E31"


def _triggered(rule: Rule, known: Known) -> Found:
    """Something triggers the rule."""
    trigger = rule.trigger
    ways = (trigger.codes, trigger.prefixes, trigger.sets, trigger.names, trigger.types)
    if not any((*ways, trigger.diagnoses, trigger.operations, trigger.encounter)):
        yield "trigger", "nothing triggers the rule; name codes, prefixes, sets, names, types, diagnoses or operations"
    yield from _items_problems(trigger, "trigger", known)
    for name in ("diagnoses", "operations"):
        yield from _bad_ranges(getattr(trigger, name), f"trigger.{name}")


def _in_order(rule: Rule, _known: Known) -> Found:
    """The rule does not end before it begins."""
    if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
        yield "valid_to", f"ends on {rule.valid_to}, before it begins on {rule.valid_from}; swap them"


def _asks_known_facts(rule: Rule, known: Known) -> Found:
    """What is asked for are facts of the dictionary."""
    for place, name in enumerate(rule.on_unknown.ask):
        yield from _unknown_fact(name, f"on_unknown.ask[{place}]", known)


def _words_payment(rule: Rule, _known: Known) -> Found:
    """Where only the fund refuses, the text never sounds like a ban (design 5)."""
    if rule.fund_only and "禁止" in rule.message.zh:
        yield "message.zh", "`禁止` sounds like a ban, but only the fund refuses; write `医保不支付`"


def _blocks_on_codes(rule: Rule, _known: Known) -> Found:
    """An indication read only as terms is suspicious and warns at most (design 4)."""
    if _absent_by_terms(rule.violation, negated=False) and (rule.action == "block" or rule.result == "definite"):
        yield "action", "terms alone prove no absence; make it `result: suspicious` with `action: warn`, or give codes"


def _absent_by_terms(condition: c.Condition, *, negated: bool) -> bool:
    """Whether the condition holds by the absence of a diagnosis that only terms could show."""
    if isinstance(condition, c.Diagnosis):
        return negated and not condition.codes
    inverted = negated is not isinstance(condition, c.Not)
    return any(_absent_by_terms(child, negated=inverted) for child in children_of(condition))


def _has_trigger_line(rule: Rule, _known: Known) -> Found:
    """Conditions about the trigger line need one."""
    trigger = rule.trigger
    if (trigger.diagnoses or trigger.operations or trigger.encounter) and _about_line(rule.violation):
        yield "violation", "`rank`, `overlap` and `pair` look at a trigger line; trigger the rule by items alone"


def _about_line(condition: c.Condition) -> bool:
    if isinstance(condition, (c.Rank, c.Overlap, c.Pair)):
        return True
    return any(map(_about_line, children_of(condition)))


CHECKS: tuple[Callable[[Rule, Known], Found], ...] = (
    _named,
    _of_known_class,
    _triggered,
    _in_order,
    _asks_known_facts,
    _words_payment,
    _blocks_on_codes,
    _has_trigger_line,
)
"""The checks of a rule, in order."""


# -- conditions


def _condition_problems(condition: c.Condition, path: str, known: Known) -> Found:
    for kinds, condition_check in _CONDITION_CHECKS:
        if isinstance(condition, kinds):
            yield from condition_check(condition, path, known)


def _has_children(condition: c.All | c.Any, path: str, _known: Known) -> Found:
    if not condition.of:
        yield f"{path}.of", "`of` is empty; give it at least one condition"


def _fact_problems(condition: c.Fact, path: str, known: Known) -> Found:
    bad_name = list(_unknown_fact(condition.fact, f"{path}.fact", known))
    if bad_name:
        yield from bad_name
        return
    fact = known.facts[condition.fact]
    bounded = _is_bounded(condition)
    if bool(condition.any_of) is bounded:
        yield path, "give either `any_of` or bounds (`above`, `at_least`, `below`, `at_most`)"
    if bounded and fact.type not in _NUMERIC:
        yield path, f"`{condition.fact}` is a {fact.type}, it has no bounds; use `any_of`"
    for place, value in enumerate(condition.any_of):
        yield from _value_problems(fact, value, f"{path}.any_of[{place}]")


def _value_problems(fact: Fact, value: c.Scalar, path: str) -> Found:
    if fact.type == "flag":
        if not isinstance(value, bool):
            yield path, f"`{fact.name}` is a flag; write true or false"
    elif fact.type in _NUMERIC:
        if isinstance(value, (bool, str)):
            yield path, f"`{fact.name}` is a number, `{value}` is none"
    elif not isinstance(value, str):
        yield path, f"`{fact.name}` is a {fact.type}; write `{value}` in quotes"
    elif fact.words and not fact.open and value not in fact.words:
        yield path, f"`{value}` is no value of `{fact.name}`{nearest(value, fact.words)}; use {', '.join(fact.words)}"


def _bounds_problems(condition: Any, path: str, _known: Known) -> Found:
    """Numbers are limited, and the limits leave something between them."""
    if not isinstance(condition, c.Fact) and not _is_bounded(condition):
        yield path, "no bound is given; use `above`, `at_least`, `below` or `at_most`"
    lows = [bound for bound in (condition.above, condition.at_least) if bound is not None]
    highs = [bound for bound in (condition.below, condition.at_most) if bound is not None]
    if lows and highs:
        low, high = max(lows), min(highs)
        touching = low == high and (condition.above == low or condition.below == high)
        if low > high or touching:
            yield path, f"contradictory bounds: nothing lies between {low} and {high}"


def _is_bounded(condition: Any) -> bool:
    bounds = (condition.above, condition.at_least, condition.below, condition.at_most)
    return any(bound is not None for bound in bounds)


def _coded_problems(condition: c.Diagnosis | c.Operation, path: str, _known: Known) -> Found:
    if not (condition.codes or condition.terms):
        yield path, "give codes, terms or both"
    yield from _bad_ranges(condition.codes, f"{path}.codes")
    yield from _bad_terms(condition.terms, f"{path}.terms")


def _lines_problems(condition: Any, path: str, known: Known) -> Found:
    lines: c.Lines = condition.lines
    yield from _items_problems(lines.items, f"{path}.lines.items", known)
    yield from _window_problems(lines.window, f"{path}.lines.window")
    for place, name in enumerate(lines.same):
        where = f"{path}.lines.same[{place}]"
        yield from _unknown_fact(name, where, known)
        if not name.startswith("line."):
            yield where, f"`{name}` is no fact of a line; only line facts can be the same"


def _sum_problems(condition: c.Sum, path: str, known: Known) -> Found:
    bad_name = list(_unknown_fact(condition.of, f"{path}.of", known))
    yield from bad_name
    if not bad_name and (known.facts[condition.of].type not in _NUMERIC or not condition.of.startswith("line.")):
        yield f"{path}.of", f"`{condition.of}` is no number of a line; use `line.quantity` or `line.amount_fen`"


def _every_problems(condition: c.Every, path: str, known: Known) -> Found:
    yield from _items_problems(condition.among, f"{path}.among", known)


def _pair_problems(condition: c.Pair, path: str, known: Known) -> Found:
    for name in ("main", "contained"):
        items = getattr(condition, name)
        if items == c.Items():
            yield f"{path}.{name}", "names no items; a pair needs both sides"
        yield from _items_problems(items, f"{path}.{name}", known)
    yield from _window_problems(condition.window, f"{path}.window")


def _elapsed_problems(condition: c.Elapsed, path: str, known: Known) -> Found:
    bad_name = list(_unknown_fact(condition.fact, f"{path}.fact", known))
    yield from bad_name
    if not bad_name and known.facts[condition.fact].type not in {"date", "time"}:
        yield f"{path}.fact", f"`{condition.fact}` is no time; name a date or time fact"


def _window_problems(window: c.Window, path: str) -> Found:
    counted = window.unit in {"hours", "days", "course"}
    if counted and (window.length is None or window.length < 1):
        yield f"{path}.length", f"a window of `{window.unit}` needs a `length` of at least 1"
    if not counted and window.length is not None:
        yield f"{path}.length", f"a window of `{window.unit}` has no length; take it out"
    if window.unit == "encounter" and window.whose == "patient":
        yield f"{path}.whose", "the window is one encounter; take `whose: patient` out or use `lifetime`"


def _items_problems(items: c.Items, path: str, known: Known) -> Found:
    for name in ("codes", "prefixes", "except_codes"):
        yield from _bad_codes(getattr(items, name), f"{path}.{name}")
    yield from _bad_terms(items.names, f"{path}.names")
    for place, name in enumerate(items.sets):
        if name not in known.sets:
            yield f"{path}.sets[{place}]", f"no set `{name}` in the list{nearest(name, known.sets)}"
    words = known.facts["line.item_type"].words
    for place, word in enumerate(items.types):
        if word not in words:
            yield f"{path}.types[{place}]", f"`{word}` is no item type{nearest(word, words)}; use {', '.join(words)}"


def _bad_codes(codes: Iterable[str], path: str) -> Found:
    for place, code in enumerate(codes):
        if not code or not code.isascii() or not code.isprintable() or " " in code:
            yield f"{path}[{place}]", f"`{_shown(code)}` is no code; codes are letters and digits without blanks"


def _bad_terms(terms: Iterable[str], path: str) -> Found:
    for place, term in enumerate(terms):
        where = f"{path}[{place}]"
        if not _encodable(term):
            yield where, f"term `{_shown(term)}` cannot be written in UTF-8; write it again"
        elif len(normalise(term)) < SHORTEST_TERM:
            yield (
                where,
                f"term `{term}` is shorter than {SHORTEST_TERM} characters; it would be found inside other words",
            )


def _bad_ranges(codes: Iterable[str], path: str) -> Found:
    for place, code in enumerate(codes):
        try:
            expand_ranges((code,))
        except ValueError as error:
            yield f"{path}[{place}]", str(error)


def _unknown_fact(name: str, path: str, known: Known) -> Found:
    try:
        known.facts[name]
    except UnknownNameError as error:
        yield path, str(error)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode() if not _encodable(text) else text


_GATHERING = (c.Some, c.Every, c.Count, c.Sum, c.DaysOfUse, c.Rank, c.Since, c.Overlap)
_CONDITION_CHECKS: tuple[tuple[Any, Callable[[Any, str, Known], Found]], ...] = (
    ((c.All, c.Any), _has_children),
    (c.Fact, _fact_problems),
    (c.Bounds, _bounds_problems),
    ((c.Diagnosis, c.Operation), _coded_problems),
    (_GATHERING, _lines_problems),
    (c.Sum, _sum_problems),
    (c.Every, _every_problems),
    (c.Pair, _pair_problems),
    (c.Elapsed, _elapsed_problems),
)
