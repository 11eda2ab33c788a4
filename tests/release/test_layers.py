"""Lists in rising precedence become one: later ones replace, each rule keeps whose it is, contradictions are named."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from negative_list.compile import compile as compiled
from negative_list.compile import digest_of
from negative_list.errors import ListError
from negative_list.release.building import build, flat_list, layers_of
from negative_list.release.opening import rules_of
from tests.negative_list.builders import DRUG, OTHER, rule_yaml
from tests.release.made import about, key, layer, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negative_list.release.layering import Source
    from negative_list.rules import Rule

NATIONAL = layer(
    "sets:\n- {set: s, codes: ['" + OTHER + "']}\nrules:\n"
    + rule_yaml(id="a", title="国家甲")
    + rule_yaml(id="b", title="国家乙", trigger="{sets: [s]}"),
    "national", "points.yaml",
)  # fmt: skip
"""Two national rules, one by a set."""


def flat(*sources: Source) -> dict[str, Rule]:
    """The rules of the flat list by id."""
    return {rule.id: rule for rule in flat_list(sources).parsed.rules.rules}


def wrong(*sources: Source) -> list[str]:
    """What is wrong with some layers."""
    with pytest.raises(ListError) as caught:
        flat_list(sources)
    return [str(problem) for problem in caught.value.problems]


def test_a_later_rule_of_the_same_id_replaces_the_earlier_wholly() -> None:
    """Nothing of the earlier one is left, not even what the later one does not say."""
    before = layer("rules:\n" + rule_yaml(id="a", action="block", title="国家甲"), "national")
    after = layer("rules:\n" + rule_yaml(id="a", title="本院甲"), "hospital")
    rules = flat(before, after)
    assert [(r.title, r.action, r.origin) for r in rules.values()] == [("本院甲", "warn", "hospital")]


def test_a_later_set_of_the_same_id_replaces_the_earlier_wholly() -> None:
    """A rule of an earlier layer then means the later set's codes."""
    own = layer("sets:\n- {set: s, codes: ['" + DRUG + "']}\nrules:\n" + rule_yaml(id="c"), "hospital", "own.yaml")
    matching = compiled(flat_list([NATIONAL, own]).parsed.rules)
    assert {code: [r.rule.id for r in rules] for code, rules in matching.by_code.items()} == {DRUG: ["a", "b", "c"]}


def test_each_rule_keeps_whose_it_is() -> None:
    """One that does not say is of its layer's origin; of a list without origin it stays as it was."""
    rules = flat(NATIONAL, layer("rules:\n" + rule_yaml(id="c"), "city"), layer("rules:\n" + rule_yaml(id="d")))
    assert {name: rule.origin for name, rule in rules.items()} == {
        "a": "national",
        "b": "national",
        "c": "city",
        "d": "",
    }


def test_the_origin_of_a_layer_is_what_its_rules_say_where_nothing_else_is_said() -> None:
    """Where they say several things, it has none."""
    one = layer("rules:\n" + rule_yaml(id="c", origin="province") + rule_yaml(id="d", origin="province"))
    two = layer("rules:\n" + rule_yaml(id="e", origin="city") + rule_yaml(id="f", origin="hospital"))
    assert (one.whose, two.whose, NATIONAL.whose) == ("province", "", "national")


def test_the_manifest_tells_the_layers_and_what_was_replaced() -> None:
    """For each layer the digest of its own list, how many of its rules stand, and which do not."""
    own = layer("rules:\n" + rule_yaml(id="a") + rule_yaml(id="c"), "hospital", "own.yaml")
    read = opened(build([NATIONAL, own], [key()], about()))
    told = [(row.origin, row.name, row.rules, row.overridden) for row in read.manifest.layers]
    assert told == [("national", "points.yaml", 1, ("a",)), ("hospital", "own.yaml", 2, ())]
    assert [row.digest for row in read.manifest.layers] == [digest_of(s.parsed.rules) for s in (NATIONAL, own)]
    assert [rule.id for rule in rules_of(read).rules] == ["a", "b", "c"]


def test_a_rule_stands_in_for_one_of_an_earlier_layer_on_its_days() -> None:
    """`overrides` reach across layers: both rules stay, and the days decide."""
    own = layer("rules:\n" + rule_yaml(id="z", overrides="[a]", valid_from="2026-12-01"), "hospital")
    bound = {rule.rule.id: rule for rule in compiled(flat_list([NATIONAL, own]).parsed.rules).rules}
    assert bound["a"].overridden == ((date(2026, 12, 1).toordinal(), date.max.toordinal()),)


def test_the_same_layers_make_the_same_file() -> None:
    """Signatures of Ed25519 need no randomness: who builds again can compare."""
    assert build([NATIONAL], [key()], about()) == build([NATIONAL], [key()], about())


def test_a_layer_alone_is_the_list_itself() -> None:
    """But for whose it is, nothing is added or lost."""
    plain = layer("rules:\n" + rule_yaml(id="a") + rule_yaml(id="b"))
    made = flat_list([plain])
    assert digest_of(made.parsed.rules) == digest_of(plain.parsed.rules)
    assert [row.overridden for row in layers_of([plain], made)] == [()]


CONTRADICTIONS: dict[str, tuple[Sequence[Source], list[str]]] = {
    "falling": (
        [layer("rules:\n" + rule_yaml(id="c"), "hospital", "own.yaml"), NATIONAL],
        [("points.yaml: a list of `national` comes after `own.yaml` of `hospital`; "
         "give lists in the order national, province, city, hospital")],
    ),
    "another class": (
        [NATIONAL, layer("rules:\n" + rule_yaml(id="a", cls="R10"), "hospital", "own.yaml")],
        [("own.yaml:2:3: id: `a` of class R10 would replace the rule of class R67 at points.yaml:4; "
         "give it another id, and name the other in its `overrides`")],
    ),
    "another origin": (
        [layer("rules:\n" + rule_yaml(id="c", origin="province"), "hospital", "own.yaml")],
        ["own.yaml:9:3: origin: `province` in a list of `hospital`; take it out, or name another origin"],
    ),
    "upwards": (
        [layer("rules:\n" + rule_yaml(id="c", overrides="[d]"), "national", "points.yaml"),
         layer("rules:\n" + rule_yaml(id="d"), "hospital", "own.yaml")],
        [("points.yaml:9:15: overrides[0]: stands in for `d` of a later layer, at own.yaml:2; "
         "give both the same id in their layers, or take the override out")],
    ),
    "twice": (
        [layer("rules:\n" + rule_yaml(id="c") + rule_yaml(id="c"), "national", "points.yaml")],
        ["points.yaml:9:3: id: rule `c` stands at points.yaml:2 already; give it another id"],
    ),
    "unreadable": (
        [NATIONAL, layer("rules:\n" + rule_yaml(id="c", action="stop"), "hospital", "own.yaml")],
        ["own.yaml:9:3: action: `stop` is not one of remind, warn, block"],
    ),
    "a set of other codes": (
        [NATIONAL, layer("sets:\n- {set: s, codes: [A01]}\nrules:\n" + rule_yaml(id="c"), "hospital", "own.yaml")],
        [("points.yaml:14:20: trigger.sets[0]: set `s` is used for items, but `A01` is a code of diagnoses; "
         "make it a set of its own")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_layers_that_contradict_each_other_are_refused_with_every_place(name: str) -> None:
    """File and row of what is wrong, and of what it contradicts."""
    sources, problems = CONTRADICTIONS[name]
    assert wrong(*sources) == problems
