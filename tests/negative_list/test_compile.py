"""A compiled list: what finds a rule, what is shared, what its digest names; and made-up lists of any size."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.codes import usable_item
from negative_list.compile import canonical_lines, compile, digest_of
from negative_list.decide import decide
from negative_list.generate import FAMILIES, generate
from negative_list.parse import read_list, read_parsed
from negative_list.prescription import Diagnosed, Operated
from negative_list.rules import NamedSet, RuleList, Trigger
from negative_list.stats import stats_of
from negative_list.validate import check
from tests.negative_list.builders import (
    ADULT,
    AT,
    DRUG,
    HERB,
    MALE,
    OTHER,
    SERVICE,
    line,
    listed,
    prescription,
    rule,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

HERBS = NamedSet(id="herbs", codes=(HERB, "T000700683"))
DISEASES = (Diagnosed(codes=("I63.9",), name="脑梗死"), Diagnosed(codes=("E11.900x001",), name="糖尿病待排"))

TRIGGERS = [
    (Trigger(codes=(DRUG,)), ["drug"]),
    (Trigger(codes=(DRUG.lower(),)), ["drug"]),
    (Trigger(codes=(DRUG, SERVICE)), ["drug", "service"]),
    (Trigger(prefixes=("X",)), ["drug", "other"]),
    (Trigger(prefixes=("XL02", "0012")), ["drug", "service"]),
    (Trigger(prefixes=("X",), except_codes=("XJ",)), ["drug"]),
    (Trigger(prefixes=("X",), except_codes=(DRUG,)), ["other"]),
    (Trigger(sets=("herbs",)), ["herb"]),
    (Trigger(types=("herb",)), ["herb"]),
    (Trigger(types=("herb",), prefixes=("T", "X")), ["herb"]),
    (Trigger(names=("阿帕他胺",)), ["named"]),
    (Trigger(codes=(DRUG,), names=("阿帕他胺",)), ["drug", "named"]),
    (Trigger(encounter=True), [""]),
    (Trigger(diagnoses=("I60-I69",)), [""]),
    (Trigger(diagnoses=("I63.9", "I63")), [""]),
    (Trigger(diagnoses=("E11",)), []),
    (Trigger(operations=("36.07",)), [""]),
    (Trigger(operations=("35-37",)), [""]),
    (Trigger(codes=(DRUG,), encounter=True), ["drug", ""]),
]


@pytest.mark.parametrize(("trigger", "found"), TRIGGERS, ids=range(len(TRIGGERS)))
def test_a_rule_is_found_by_each_way_of_its_trigger(trigger: Trigger, found: list[str]) -> None:
    """Codes, prefixes, sets, types, names, diagnoses, operations and the encounter each find the rule, once a line."""
    herb = {"item_type": "herb"}
    lines = (
        line("drug"),
        line("other", OTHER, facts={"item_type": "drug"}),
        line("herb", HERB, facts=herb),
        line("service", SERVICE),
        line("named", "", name="阿帕他胺片"),
        line("before", current=False),
    )
    body = prescription(*lines, diagnoses=DISEASES)
    operations = (Operated(codes=("36.0700",), name="支架"),)
    body = msgspec.structs.replace(body, encounter=msgspec.structs.replace(body.encounter, operations=operations))
    decision = decide(listed(rule(trigger=trigger), sets=[HERBS]), body, AT)
    assert sorted("".join(each.lines) for each in decision.findings) == sorted(found)


def test_a_rule_is_found_once_however_many_ways_lead_to_it() -> None:
    """A line that a code, a prefix, a set and a type all name is one finding."""
    everything = Trigger(codes=(HERB, HERB), prefixes=("T", "T0"), sets=("herbs",), types=("herb",))
    body = prescription(line("a", HERB, facts={"item_type": "herb"}))
    assert len(decide(listed(rule(trigger=everything), sets=[HERBS]), body, AT).findings) == 1


def test_equal_conditions_are_bound_once() -> None:
    """Rules that say the same share one test, also where they say it inside another condition."""
    both = c.All(of=(MALE, ADULT))
    compiled = listed(rule(both), rule(both, id="s"), rule(c.Not(of=MALE), id="t", scope=MALE))
    first, second, third = compiled.rules
    assert first.violation is second.violation
    assert third.scope is compiled.binder.bind(c.Fact(fact="patient.sex", any_of=("男",)))


def test_equal_items_and_lines_are_bound_once() -> None:
    """A selection of lines that several conditions measure is gathered by one gatherer."""
    lines = c.Lines(items=c.Items(codes=(DRUG,)))
    binder = listed(rule(c.Sum(lines=lines, above=Decimal(1)))).binder
    assert binder.gatherer(lines) is binder.gatherer(c.Lines(items=c.Items(codes=(DRUG,))))
    assert binder.members(lines.items) is binder.members(c.Items(codes=(DRUG,)))


def test_terms_of_all_conditions_are_collected() -> None:
    """Terms of diagnoses, operations, items and triggers are found, however deep they stand, and each once."""
    deep = c.Lines(items=c.Items(names=("人参",)), where=c.Not(of=c.Operation(terms=("支架",))))
    whole = c.Any(
        of=(
            c.Diagnosis(terms=("糖尿病", "糖尿病")),
            c.Some(lines=deep),
            c.Every(lines=c.Lines(), among=c.Items(names=("黄芪",))),
            c.Pair(main=c.Items(names=("主项",)), contained=c.Items(names=("含项",)), window=c.Window(unit="day")),
        )
    )
    compiled = listed(rule(whole, trigger=Trigger(names=("阿帕他胺",))), rule(whole, id="s", scope=whole))
    assert len(compiled.terms) == 7


def test_the_digest_names_what_the_list_says() -> None:
    """Order, file form and written-out defaults make no difference to it; anything that is said does."""
    rules = (rule(), rule(id="s", action="warn"))
    digest = digest_of(RuleList(rules=rules, sets=(HERBS,)))
    assert digest == digest_of(RuleList(rules=rules[::-1], sets=(HERBS,)))
    assert digest == digest_of(RuleList(rules=(rule(version=1, amount="line"), rules[1]), sets=(HERBS,)))
    others = [
        RuleList(rules=rules),
        RuleList(rules=rules[:1], sets=(HERBS,)),
        RuleList(rules=(rule(version=2), rules[1]), sets=(HERBS,)),
        RuleList(rules=(rule(ADULT), rules[1]), sets=(HERBS,)),
    ]
    assert len({digest, *map(digest_of, others)}) == 5
    assert compile(RuleList(rules=rules)).digest == digest_of(RuleList(rules=rules))
    assert compile(RuleList(rules=rules), digest="known").digest == "known"


def test_details_count_rules_with_their_codes() -> None:
    """A detail is one (rule, code); a set counts its codes, a rule without codes counts one."""
    rules = (
        rule(trigger=Trigger(codes=(DRUG, OTHER))),
        rule(id="s", trigger=Trigger(sets=("herbs",), prefixes=("X",))),
    )
    whole = RuleList(rules=(*rules, rule(id="t", trigger=Trigger(encounter=True))), sets=(HERBS,))
    assert whole.details == compile(whole).details == 2 + 3 + 1


# -- made-up lists


def test_the_same_seed_makes_the_same_list() -> None:
    """A list is repeatable from its size and seed, and another seed makes another."""
    assert digest_of(generate(300, 7)) == digest_of(generate(300, 7)) != digest_of(generate(300, 8))


@pytest.mark.parametrize("wanted", [1, 200, 3000, 22_000])
def test_a_list_has_about_the_details_asked_for(wanted: int) -> None:
    """At least one rule of each class, and at most a fiftieth more or less than asked for."""
    made = generate(wanted, 1)
    assert {each.class_id for each in made.rules} == {family.class_id for family in FAMILIES}
    assert len(FAMILIES) == 20
    assert abs(made.details - wanted) <= max(wanted // 50, len(FAMILIES) + 1)


def test_a_made_up_list_has_the_mix_of_the_published_points() -> None:
    """Each class has its share of details, and codes have national structure, each in one rule."""
    made = generate(22_000, 3)
    details = Counter[str]()
    for each in made.rules:
        details[each.class_id] += len(each.trigger.codes)
    published = sum(family.details for family in FAMILIES)
    for family in FAMILIES:
        assert details[family.class_id] == pytest.approx(22_000 * family.details / published, abs=2)
    codes = [code for each in made.rules for code in each.trigger.codes]
    assert all(map(usable_item, codes))
    assert len(set(codes)) == len(codes)


def test_a_made_up_list_is_a_good_list(tmp_path: Path) -> None:
    """What is generated passes every check and reads back the same."""
    made = generate(2000, 5)
    file = written(tmp_path, b"".join(canonical_lines(made)), "made.jsonl")
    assert digest_of(check(read_parsed(file))) == digest_of(made)


def test_counts_of_a_list(tmp_path: Path) -> None:
    """Rules and details by class, blocking and ended ones, and how often each condition kind is used."""
    text = b"".join(canonical_lines(generate(500, 2)))
    counted = stats_of(read_list(written(tmp_path, text, "made.jsonl")))
    made = generate(500, 2)
    assert (counted.rules, counted.details, counted.digest) == (len(made.rules), made.details, digest_of(made))
    assert sum(row.rules for row in counted.classes) == counted.rules
    assert sum(row.details for row in counted.classes) == counted.details
    assert [row.class_id for row in counted.classes] == sorted(row.class_id for row in counted.classes)
    blocking = {row.class_id: row.blocking for row in counted.classes}
    assert blocking["R08"] == 0 < blocking["R67"]
    assert counted.kinds["pair"] == next(row.rules for row in counted.classes if row.class_id == "R25")
    nested = stats_of(RuleList(rules=(rule(c.Not(of=c.Some(lines=c.Lines(where=ADULT)))),)))
    assert nested.kinds == {"age": 1, "not": 1, "some": 1}
