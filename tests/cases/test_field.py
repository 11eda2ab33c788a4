"""Named stories of the field: what a hospital's other systems told turns a request, each by one named fact.

Every story is decided by the library, told everything at once; by ``negative-list match``, where files can tell it; and
by a sidecar over its sockets, whose store was fed as the field feeds it (``reminder facts import``, PutFacts,
PutHistory, RecordSaved).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from typer.testing import CliRunner

from negative_list.cli import app
from negative_list.compile import CompiledList
from negative_list.compile import compile as compiled
from negative_list.dictionary import load
from tests.cases.stories import Expected, Story, Turn, shipped_rules, stories, turned
from tests.cases.telling import answered, match_words, matched

if TYPE_CHECKING:
    from negative_list.decision import Decision, Finding

WANTED = {
    "01-another-persons-card",
    "02-cards-in-one-hand",
    "03-dialysis-over-the-month",
    "04-dialysis-without-weights",
    "05-empty-bed",
    "06-split-stay",
    "07-doctor-not-signed-in",
    "08-doctor-signed-in-elsewhere",
    "09-sale-from-zero-stock",
    "10-trace-code-sold-twice",
    "11-same-drug-from-another-hospital",
    "12-settlement-list-scored",
    "13-suspended-doctor",
    "14-rescue-by-a-suspended-doctor",
    "15-early-refill-across-hospitals",
}
FILES = {"facts", "history", "put_facts", "put_history"}
"""What `match` is told by its two files."""

TURNS = [(name, number) for name, story in stories().items() for number in range(len(story.turns))]
FIRST = [(name, 0) for name in stories()]

of_every_story = pytest.mark.parametrize("name", sorted(stories()))


@cache
def all_shipped() -> CompiledList:
    """The shipped rules of every class, ready to judge by."""
    return compiled(shipped_rules())


def told(finding: Finding) -> dict[str, Any]:
    """What a story says of a finding, as the answer has it; of texts and facts the story names only parts."""
    names = ("rule_id", "class_id", "action", "addressee", "lines", "amount_fen")
    return {name: getattr(finding, name) for name in names} | {"involved": set(finding.involved)}


def wanted(expected: Expected) -> dict[str, Any]:
    """The same of what is expected."""
    names = ("class_id", "action", "addressee", "lines", "amount_fen")
    own = {"rule_id": expected.rule, "involved": set(expected.involved)}
    return own | {name: getattr(expected, name) for name in names}


def check_findings(decision: Decision, expected: tuple[Expected, ...]) -> None:
    """The certain findings are those expected, each with its words and facts."""
    certain = {finding.rule_id: finding for finding in decision.findings if not finding.unknown}
    assert {name: told(finding) for name, finding in certain.items()} == {one.rule: wanted(one) for one in expected}
    for one in expected:
        check_words(certain[one.rule], one)


def check_words(finding: Finding, expected: Expected) -> None:
    """The message holds what it has to say; the facts are those named, told by whom the story says."""
    assert [words for words in expected.says if words not in finding.message] == [], finding.message
    values = {fact.fact: list(v) if isinstance(v := fact.value, tuple) else v for fact in finding.facts}
    assert {name: values.get(name) for name in expected.facts} == expected.facts
    sources = {fact.fact: fact.source for fact in finding.facts}
    assert {name: sources.get(name) for name in expected.sources} == expected.sources


def undecided(decision: Decision) -> set[str]:
    """The rules that could not be evaluated."""
    return {skipped.rule_id for skipped in decision.not_evaluated}


def check_turn(story: Story, turn: Turn, decision: Decision) -> None:
    """What becomes of the findings is what the turn says."""
    rules = set(turn.rules or story.names)
    if turn.then == "found":
        check_findings(decision, story.expect if isinstance(turn.expect, msgspec.UnsetType) else turn.expect)
        return
    rest = tuple(one for one in story.expect if one.rule not in rules)
    check_findings(decision, rest if isinstance(turn.expect, msgspec.UnsetType) else turn.expect)
    assert undecided(decision) & rules == (rules if turn.then == "undecided" else set())


def test_every_story_is_there() -> None:
    """Each story that was asked for has its file, and no file is left out."""
    assert set(stories()) == WANTED


def test_half_of_the_requests_are_bodies_of_the_national_interface() -> None:
    """A HIS sends 3101, or our own JSON."""
    national = [name for name, story in stories().items() if story.is_national]
    assert len(stories()) / 2 <= len(national) < len(stories())


@of_every_story
def test_the_library_finds_what_the_story_tells(name: str, tmp_path: Path) -> None:
    """Class, action, addressee, lines, amount and words are those expected, and nothing else is found."""
    story = stories()[name]
    decision = matched(story, tmp_path)
    check_findings(decision, story.expect)
    assert undecided(decision) == set()


@pytest.mark.parametrize("name", [n for n, s in stories().items() if {feed.how for feed in s.told} <= FILES])
def test_the_command_tells_what_the_library_finds(name: str, tmp_path: Path) -> None:
    """``negative-list match`` with a file of facts and one of history prints the same findings."""
    story = stories()[name]
    done = CliRunner().invoke(app, ["match", *map(str, match_words(story, tmp_path))])
    assert done.exit_code == 0, done.output
    told_ = {finding["rule_id"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert told_.keys() == {one.rule for one in story.expect}
    for one in story.expect:
        finding = told_[one.rule]
        assert (finding["action"], finding["lines"]) == (one.action, list(one.lines))
        assert [words for words in one.says if words not in finding["message"]] == []


@of_every_story
def test_among_all_shipped_rules_the_story_is_found_and_nothing_besides(name: str, tmp_path: Path) -> None:
    """With the rules of every class in force, shipped findings are there, and other classes have none for certain."""
    story = stories()[name]
    certain = {f.rule_id: f.class_id for f in matched(story, tmp_path, all_shipped()).findings if not f.unknown}
    expected = {one.rule: one.class_id for one in story.expect}
    assert {rule for rule in expected if rule in story.rules} <= certain.keys()
    assert set(certain.values()) <= set(expected.values())


@of_every_story
def test_a_sidecar_finds_what_the_story_tells(name: str, tmp_path: Path) -> None:
    """Before anything was told it says what it lacks; told bit by bit, it answers as the library does."""
    story = stories()[name]
    answers = answered(story, tmp_path)
    check_findings(answers.before, ())
    assert undecided(answers.before) == set(story.names)
    check_findings(answers.after, story.expect)
    assert undecided(answers.after) == set()
    if answers.national is not None:
        results = answers.national["output"]["result"]
        assert [result["vola_cont"] for result in results] == [finding.message for finding in answers.after.findings]
        assert [result["action"] for result in results] == [finding.action for finding in answers.after.findings]


@pytest.mark.parametrize(("name", "number"), TURNS)
def test_one_fact_turns_the_story(name: str, number: int, tmp_path: Path) -> None:
    """With one field changed the findings are gone for certain, cannot be decided, or stay, as the story says."""
    story = stories()[name]
    turn = story.turns[number]
    check_turn(story, turn, matched(turned(story, turn), tmp_path))


@pytest.mark.parametrize(("name", "number"), FIRST)
def test_the_same_fact_turns_the_sidecar(name: str, number: int, tmp_path: Path) -> None:
    """The first turn of each story, told to a sidecar."""
    story = stories()[name]
    turn = story.turns[number]
    check_turn(story, turn, answered(turned(story, turn), tmp_path).after)


@of_every_story
def test_the_fact_that_turns_has_a_name(name: str) -> None:
    """Each turn names a fact of the dictionary and changes one value; the first makes the story silent or found."""
    story = stories()[name]
    assert [turn.fact for turn in story.turns if turn.fact not in load()] == []
    assert [turn.change for turn in story.turns if isinstance(turn.to, dict | list)] == []
    assert story.turns[0].then == ("silent" if story.expect else "found")
