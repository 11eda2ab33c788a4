"""Lists as of the day of activation, and what two of them share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.engine import match
from negative_list.rules import NamedSet, RuleList, Text, Trigger
from reminder.forecast.inforce import apart, as_of, later_than
from tests.negative_list.builders import AT, DRUG, MALE, OTHER, prescription, rule

DAY = date(2026, 12, 1)


def ids(rules: RuleList) -> list[str]:
    """Ids of the rules of a list."""
    return [one.id for one in rules.rules]


def test_rules_in_force_on_the_day_lose_their_dates_and_others_are_left_out() -> None:
    """The first and the last day count; a rule of tomorrow is told apart, for nothing is said of it."""
    rules = RuleList(
        rules=(
            rule(id="always"),
            rule(id="begins", valid_from=DAY),
            rule(id="ends", valid_to=DAY),
            rule(id="ended", valid_to=date(2026, 11, 30)),
            rule(id="later", valid_from=date(2026, 12, 2)),
        )
    )
    standing = as_of(rules, DAY)
    assert ids(standing) == ["always", "begins", "ends"]
    assert all(one.valid_from is None and one.valid_to is None for one in standing.rules)
    assert [one.id for one in later_than(rules, DAY)] == ["later"]


def test_a_rule_another_stands_in_for_on_the_day_is_left_out_and_on_another_day_it_is_not() -> None:
    """As the engine judges it on that day."""
    rules = RuleList(rules=(rule(id="old"), rule(id="new", overrides=("old",), valid_from=DAY)))
    assert ids(as_of(rules, DAY)) == ["new"]
    assert ids(as_of(rules, date(2026, 11, 30))) == ["old"]
    assert as_of(rules, DAY).rules[0].overrides == ()


def test_a_list_as_of_a_day_finds_what_the_list_finds_on_that_day() -> None:
    """Judged for lines of that very day, both agree."""
    rules = RuleList(
        rules=(
            rule(id="a", valid_from=AT.date()),
            rule(id="b", valid_to=date(2026, 1, 1)),
            rule(id="c", overrides=("d",)),
            rule(id="d"),
        )
    )
    whole, standing = compile(rules), compile(as_of(rules, AT.date()))
    found = [[one.rule.rule.id for one in match(each, prescription(), AT).true] for each in (whole, standing)]
    assert found[0] == found[1] == ["a", "c"]


def test_rules_that_find_alike_are_shared_whatever_they_say() -> None:
    """A new title, message or version changes no finding; an action, a bound or a class does."""
    same, worded, stronger = rule(id="same"), rule(id="worded"), rule(id="stronger", action="warn")
    bounded = rule(c.Age(above=Decimal(60)), id="bounded")
    replace = msgspec.structs.replace
    parts = apart(
        RuleList(rules=(same, worded, stronger, bounded, rule(id="gone"))),
        RuleList(
            rules=(
                same,
                replace(worded, title="新标题", message=Text(zh="新说明"), version=2),
                replace(stronger, action="block"),
                replace(bounded, violation=c.Age(above=Decimal(65))),
                rule(id="new"),
            )
        ),
    )
    assert ids(parts.shared) == ["same", "worded"]
    assert ids(parts.before) == ["stronger", "bounded", "gone"]
    assert ids(parts.after) == ["stronger", "bounded", "new"]


def test_a_set_with_other_codes_changes_every_rule_that_names_it_and_no_other() -> None:
    """By its trigger or deep in its conditions."""
    by_set = rule(id="by", trigger=Trigger(sets=("s",)))
    lines = c.Lines(items=c.Items(sets=("s",)))
    inside = rule(c.All(of=(MALE, c.Some(lines=lines))), id="inside")
    rules = (by_set, inside, rule(id="beside"))
    parts = apart(
        RuleList(rules=rules, sets=(NamedSet(id="s", codes=(DRUG,)),)),
        RuleList(rules=rules, sets=(NamedSet(id="s", codes=(DRUG, OTHER)),)),
    )
    assert ids(parts.shared) == ["beside"]
    assert ids(parts.after) == ids(parts.before) == ["by", "inside"]
