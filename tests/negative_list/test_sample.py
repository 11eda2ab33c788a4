"""The shipped sample: enough rules over every class, and prescriptions that show each decision beside a milder twin."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.codes import usable_item
from negative_list.compile import CompiledList, compile
from negative_list.decide import decide
from negative_list.generate import FAMILIES
from negative_list.messages import HEAD_LENGTH
from negative_list.parse import read_parsed
from negative_list.readers import read_body
from negative_list.rules import ACTIONS, RuleList
from negative_list.site import Sites
from negative_list.text import normalise
from negative_list.validate import check
from negative_list.walk import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list import conditions as c
    from negative_list.decision import Decision

SAMPLE = Path(str(files("negative_list") / "lists" / "sample"))
REQUESTS = sorted((SAMPLE / "requests").glob("*.json"))
TWINS = [file for file in REQUESTS if file.name.endswith(".twin.json")]


@cache
def sample_list() -> tuple[RuleList, CompiledList]:
    """The list, checked and compiled once."""
    rules = check(read_parsed(SAMPLE))
    return rules, compile(rules)


def read(file: Path) -> dict[str, Any]:
    """A body, parsed."""
    body: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return body


def answered(file: Path) -> Decision:
    """What is decided about a sample, at its own time."""
    prescription = read_body(read(file), Sites(), None)
    assert isinstance(prescription.at, datetime)
    return decide(sample_list()[1], prescription, prescription.at)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf of a body with its path."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from leaves(child, f"{path}[{place}]")
    else:
        yield path, value


def terms_of(condition: c.Condition | None) -> Iterator[str]:
    """The terms of a condition and of all inside it."""
    if condition is not None:
        yield from getattr(condition, "terms", ())
        for child in children_of(condition):
            yield from terms_of(child)


def test_the_sample_list_covers_the_classes() -> None:
    """At least 60 rules, over the 20 classes of the published points and working age."""
    rules, _ = sample_list()
    assert len(rules.rules) >= 60
    assert {rule.class_id for rule in rules.rules} == {family.class_id for family in FAMILIES} | {"R29"}


def test_the_sample_list_has_real_codes_and_whole_texts() -> None:
    """Item codes have national structure, ids begin with the sample's name, texts are in both languages."""
    rules, _ = sample_list()
    codes = [code for rule in rules.rules for code in rule.trigger.codes]
    codes += [code for named in rules.sets for code in named.codes]
    assert [code for code in codes if not usable_item(code)] == []
    for rule in rules.rules:
        assert rule.id.startswith(f"sample-{rule.class_id}-")
        assert all((rule.message.en, rule.title, rule.basis.document, rule.basis.article))
        assert "禁止" not in rule.message.zh or not rule.fund_only


def test_every_term_is_found_in_its_own_text() -> None:
    """Each term of the list, written as a diagnosis, is found in it: by itself, in a sentence and in wide letters."""
    rules, compiled = sample_list()
    terms = {term for rule in rules.rules for each in (rule.scope, rule.violation) for term in terms_of(each)}
    assert len(terms) > 10
    for term in terms:
        for name in (term, f"高血压，{term}（重度）"):
            found = [found for stated in compiled.terms.in_name(name).values() for found in stated]
            assert normalise(term) in found, name


def test_there_are_enough_samples_with_their_twins() -> None:
    """At least twelve prescriptions; every one with a finding stands beside its twin."""
    names = {file.stem for file in REQUESTS}
    assert len(names) - len(TWINS) >= 12
    alone = {file.stem for file in REQUESTS if f"{file.stem}.twin" not in names and file not in TWINS}
    assert {name for name in alone if answered(SAMPLE / "requests" / f"{name}.json").findings} == set()


@pytest.mark.parametrize("twin", TWINS, ids=lambda file: file.stem)
def test_a_twin_differs_in_the_one_field_it_names(twin: Path) -> None:
    """Beside its title a twin differs from its sample in one field, and is milder."""
    original = twin.with_name(twin.name.replace(".twin", ""))
    one, two = (dict(leaves({**read(file), "sample": None})) for file in (original, twin))
    changed = [path for path in {*one, *two} if one.get(path, ...) != two.get(path, ...)]
    told = read(twin)["sample"]
    assert len(changed) == 1
    assert changed[0].rpartition(".")[2] == told["changed"]
    assert told["twin_of"] == original.stem
    assert ACTIONS.index(answered(twin).decision) < ACTIONS.index(answered(original).decision)


def test_every_kind_of_decision_is_shown() -> None:
    """Among the samples that are no twins and their twins are a block, a warning, a reminder and a pass."""
    assert {answered(file).decision for file in REQUESTS} == set(ACTIONS)


@pytest.mark.parametrize("file", REQUESTS, ids=lambda file: file.stem)
def test_samples_are_answered_without_notes_and_with_readable_texts(file: Path) -> None:
    """Nothing in a sample had to be noted; each text begins with its mark, fits its head and has a basis."""
    decision = answered(file)
    assert decision.notes == ()
    for found in decision.findings:
        head = found.message.partition("。")[0]
        assert head.startswith("【")
        assert len(head) <= HEAD_LENGTH
        assert found.basis
        assert "示例患者" not in found.message
    assert all(read(file)["sample"][language] for language in ("zh", "en"))


def test_a_suggestion_is_offered_for_every_sample_that_blocks() -> None:
    """A doctor who is stopped is always shown a way out."""
    for file in REQUESTS:
        blocks = [found for found in answered(file).findings if found.action == "block"]
        assert all(found.suggestions for found in blocks)
