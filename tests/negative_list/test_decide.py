"""The whole way to a decision: two passes, one question, order, ids, and the same answer every time."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.decide import NOT_READ, Fuller, begin, decide
from negative_list.output import FINDING_KEYS, NOT_EVALUATED_KEYS, decision_json
from negative_list.policy import Policy, Setting, shipped
from negative_list.prescription import History, Note, Prescription
from negative_list.rules import Action, OnUnknown, Rule, Trigger
from tests.negative_list.builders import (
    ADULT,
    AT,
    OTHER,
    day_limit,
    decided,
    fact,
    line,
    listed,
    prescription,
    rule,
)

if TYPE_CHECKING:
    from negative_list.decision import Decision

MONTH = c.Lines(window=c.Window(unit="days", length=30, whose="patient"))
TWICE = c.Count(lines=MONTH, above=Decimal(1))
FIRST_USE = rule(TWICE, id="month", class_id="R31", action="warn", suggestions=("drop",))
ASKS = OnUnknown(action="remind")


class Reads:
    """A reader that remembers what it was asked, and answers with history and with facts of the encounter."""

    def __init__(self, history: History | None = None, **facts: Any) -> None:
        self.asked: list[tuple[frozenset[str], datetime]] = []
        self._history = history
        self._facts = {f"encounter.{name}": value for name, value in facts.items()}

    def __call__(self, body: Prescription, needs: frozenset[str], at: datetime) -> Fuller:
        """Fills in what is known."""
        self.asked.append((needs, at))
        encounter = msgspec.structs.replace(body.encounter, facts=dict(body.encounter.facts) | self._facts)
        return Fuller(prescription=msgspec.structs.replace(body, encounter=encounter), history=self._history)


def told(decision: Decision) -> list[tuple[str, Action, tuple[str, ...]]]:
    """Rule, action and lines of the findings, in order."""
    return [(found.rule_id, found.action, found.lines) for found in decision.findings]


# -- two passes


def test_nothing_is_read_where_everything_is_decided() -> None:
    """A reader is not called when no rule is undecided."""
    reads = Reads()
    assert decided(rule(), read=reads).decision == "block"
    assert decided(rule(), on=prescription(sex="女"), read=reads).decision == "pass"
    assert reads.asked == []


def test_the_first_step_says_what_reading_may_decide() -> None:
    """History and facts; what only the body can tell is not asked for, nor anything where all is decided."""
    ward = rule(fact("encounter.ward", "W1"), id="ward")
    ill = rule(c.Diagnosis(codes=("I10",)), id="ill")
    assert begin(listed(FIRST_USE, ward, ill), prescription(), AT).needs == {"history", "encounter.ward"}
    assert begin(listed(rule()), prescription(), AT).needs == frozenset()


def test_the_two_steps_come_to_what_one_does() -> None:
    """Whether the reader is asked between them or by the second."""
    ward = rule(fact("encounter.ward", "W1"), id="ward")
    compiled, on = listed(FIRST_USE, ward), prescription()
    reads = Reads(History(since=datetime(2020, 1, 1)), ward="W1")
    begun = begin(compiled, on, AT)
    apart = decide(compiled, on, AT, begun=begun, fuller=reads(on, begun.needs, AT))
    assert apart == decide(compiled, on, AT, read=reads)
    assert [found.rule_id for found in apart.findings] == ["ward"]


def test_an_answer_without_what_was_not_read_says_so() -> None:
    """A note, and the reason at the rules that reading might have decided; at no other."""
    ill = rule(c.Diagnosis(codes=("I10",)), id="ill")
    compiled = listed(FIRST_USE, ill)
    answer = decide(compiled, prescription(), AT, unread=True)
    assert [(skipped.rule_id, skipped.reason) for skipped in answer.not_evaluated] == [
        ("ill", "missing_facts"),
        ("month", "not_read"),
    ]
    assert [note.code for note in answer.notes] == [NOT_READ]
    english = decide(compiled, prescription(), AT, unread=True, language="en")
    assert "could not be read in time" in english.notes[0].message


def test_what_is_lacking_is_read_once_for_all_rules() -> None:
    """One call names all needs of all undecided rules, at the decision's instant; certain rules name none."""
    reads = Reads()
    ward = rule(fact("encounter.ward", "W1"), id="ward")
    decided(rule(), ward, FIRST_USE, on=prescription(line(), line("b", OTHER)), read=reads)
    assert reads.asked == [(frozenset({"encounter.ward"}), AT)]
    decided(rule(), ward, FIRST_USE, read=reads)
    assert reads.asked[1:] == [(frozenset({"encounter.ward", "history"}), AT)]


def test_what_was_read_decides_what_was_open() -> None:
    """History and store facts are merged into the same prescription; decided rules are not judged again."""
    earlier = line("old", begins=AT - timedelta(days=5), current=False, encounter_id="E0")
    ward = rule(fact("encounter.ward", "W1"), id="ward", action="warn", class_id="R13")
    reads = Reads(History(lines=(earlier,), since=AT - timedelta(days=60)), ward="W1")
    decision = decided(FIRST_USE, rule(), ward, read=reads)
    assert told(decision) == [("r", "block", ("a",)), ("month", "warn", ("a",)), ("ward", "warn", ("a",))]
    assert decision.findings[1].involved == ("old",)
    assert decision.not_evaluated == ()


def test_what_was_read_also_acquits() -> None:
    """A history that covers the window and shows nothing makes the rule false, not unknown."""
    reads = Reads(History(since=AT - timedelta(days=60)))
    decision = decided(FIRST_USE, read=reads)
    assert (decision.decision, decision.not_evaluated, len(reads.asked)) == ("pass", (), 1)


def test_without_a_reader_the_open_rules_are_listed() -> None:
    """What is lacking stays lacking, and is said: coverage for history, missing facts for facts."""
    ward = rule(fact("encounter.ward", "W1"), id="ward")
    decision = decided(FIRST_USE, ward)
    assert [(each.rule_id, each.needs, each.reason, each.lines) for each in decision.not_evaluated] == [
        ("month", ("history",), "coverage", ("a",)),
        ("ward", ("encounter.ward",), "missing_facts", ("a",)),
    ]
    assert (decision.decision, decision.findings) == ("pass", ())


# -- unknown rules and the question


def test_every_unknown_rule_is_listed_and_only_those_that_ask_are_findings() -> None:
    """Unknown is never silent: each rule stands in not_evaluated with all its lines, whatever its on_unknown says."""
    silent, asking = rule(id="silent"), rule(id="asking", on_unknown=ASKS)
    decision = decided(silent, asking, on=prescription(line(), line("b"), sex=None))
    assert [(each.rule_id, each.lines) for each in decision.not_evaluated] == [
        ("asking", ("a", "b")),
        ("silent", ("a", "b")),
    ]
    assert told(decision) == [("asking", "remind", ("a",))]
    assert decision.findings[0].unknown


def test_lacking_coverage_alone_never_asks() -> None:
    """Nobody can be asked for what other institutions did."""
    asking = msgspec.structs.replace(FIRST_USE, on_unknown=OnUnknown(action="warn"))
    decision = decided(asking)
    assert (decision.findings, len(decision.not_evaluated)) == ((), 1)


def test_at_most_one_question_the_one_that_decides_most() -> None:
    """Of all that ask one is shown, with the one fact that most of them lack."""
    ward, bed = fact("encounter.ward", "W1"), fact("encounter.bed", "B1")
    asking = (
        rule(fact("encounter.rescue", yes=True), id="q1", on_unknown=OnUnknown(action="warn")),
        rule(c.All(of=(ward, bed)), id="q2", on_unknown=ASKS),
        rule(bed, id="q3", on_unknown=ASKS),
    )
    decision = decided(*asking)
    (found,) = decision.findings
    assert (found.rule_id, found.needs) == ("q2", ("encounter.bed",))
    assert "请补充" in found.message
    assert len(decision.not_evaluated) == 3


def test_the_question_is_one_that_can_be_answered() -> None:
    """Where a rule lacks history and a fact, the fact is asked for."""
    both = c.All(of=(TWICE, fact("line.take_home", yes=True)))
    decision = decided(rule(both, on_unknown=ASKS))
    assert decision.not_evaluated[0].needs == ("history", "line.take_home")
    assert decision.findings[0].needs == ("line.take_home",)


def test_a_rule_says_what_is_worth_asking() -> None:
    """Of the needs those the rule names are asked for."""
    both = c.All(of=(fact("encounter.bed", "B1"), fact("encounter.ward", "W1")))
    decision = decided(rule(both, on_unknown=OnUnknown(action="warn", ask=("encounter.ward",))))
    assert decision.findings[0].needs == ("encounter.ward",)
    assert decision.not_evaluated[0].needs == ("encounter.bed", "encounter.ward")


NEVER = ("encounter.ward", "encounter.bed")


def test_a_rule_that_lacks_only_what_is_never_sent_asks_nobody() -> None:
    """It makes no finding, whatever its on_unknown says, and stays among the rules not evaluated with its reason."""
    ward, bed = fact("encounter.ward", "W1"), fact("encounter.bed", "B1")
    lacking = rule(c.All(of=(ward, bed)), id="r1", on_unknown=OnUnknown(action="warn", ask=("encounter.bed",)))
    history_too = rule(c.All(of=(TWICE, ward)), id="r2", on_unknown=ASKS)
    on = msgspec.structs.replace(prescription(), never_sent=NEVER)
    decision = decided(lacking, history_too, on=on)
    assert (decision.decision, decision.findings) == ("pass", ())
    assert [(each.rule_id, each.needs, each.reason) for each in decision.not_evaluated] == [
        ("r1", ("encounter.bed", "encounter.ward"), "never_sent"),
        ("r2", ("encounter.ward", "history"), "never_sent"),
    ]


def test_of_several_facts_only_those_that_are_sent_are_asked_for() -> None:
    """A rule that also lacks something people can tell asks for that alone."""
    both = c.All(of=(fact("encounter.ward", "W1"), fact("encounter.rescue", yes=True)))
    asking = rule(both, on_unknown=OnUnknown(action="warn", ask=("encounter.ward",)))
    decision = decided(asking, on=msgspec.structs.replace(prescription(), never_sent=NEVER))
    assert decision.findings[0].needs == ("encounter.rescue",)
    assert decision.not_evaluated[0].reason == "missing_facts"


def test_what_is_never_sent_decides_where_it_is_told_after_all() -> None:
    """The store may know it; then the rule is decided as anywhere, and lacking coverage alone keeps its own reason."""
    ward = rule(fact("encounter.ward", "W1"), id="ward", on_unknown=ASKS)
    on = msgspec.structs.replace(prescription(), never_sent=NEVER)
    assert [found.rule_id for found in decided(ward, on=on, read=Reads(ward="W1")).findings] == ["ward"]
    assert [each.reason for each in decided(FIRST_USE, on=on).not_evaluated] == ["coverage"]


def test_a_question_never_blocks() -> None:
    """Whatever the policy says, an unknown finding is a warning at most."""
    policy = Policy(set_=(Setting(action="block", why="w"),))
    decision = decided(rule(on_unknown=ASKS), on=prescription(sex=None), policy=policy)
    assert (decision.decision, decision.findings[0].action) == ("warn", "warn")


# -- the answer


def test_findings_are_ordered_by_action_line_and_rule() -> None:
    """Strongest first, then the first offending line as sent, then the rule's id; the encounter's before its lines'."""
    rules = (
        rule(id="z"),
        rule(id="c", action="remind"),
        rule(id="b", action="warn"),
        rule(id="a", trigger=Trigger(encounter=True), action="warn"),
        rule(id="y"),
    )
    decision = decided(*rules, on=prescription(line("2"), line("1")))
    assert told(decision) == [
        *(("y", "block", ("2",)), ("z", "block", ("2",)), ("y", "block", ("1",)), ("z", "block", ("1",))),
        *(("a", "warn", ()), ("b", "warn", ("2",)), ("b", "warn", ("1",))),
        *(("c", "remind", ("2",)), ("c", "remind", ("1",))),
    ]


@pytest.mark.parametrize(
    ("lowest", "shown", "decision"),
    [
        ("pass", ["block", "warn", "remind"], "block"),
        ("remind", ["block", "warn", "remind"], "block"),
        ("warn", ["block", "warn"], "block"),
        ("block", ["block"], "block"),
    ],
)
def test_a_caller_may_want_strong_findings_only(lowest: Action, shown: list[str], decision: str) -> None:
    """Weaker findings than the caller's lowest action are not returned; shadowed ones never are."""
    rules = (rule(), rule(id="s", action="warn"), rule(id="t", action="remind"), rule(id="u"))
    policy = msgspec.structs.replace(shipped(), set_=(Setting(action="pass", why="w", rule="u"),))
    answer = decided(*rules, lowest_action=lowest, policy=policy)
    assert ([found.action for found in answer.findings], answer.decision) == (shown, decision)


def test_the_decision_is_the_strongest_finding_shown() -> None:
    """Without a finding the answer is pass."""
    assert decided(rule(), on=prescription(sex="女")).decision == "pass"
    assert decided(rule(action="warn"), lowest_action="block").decision == "pass"


def test_the_policy_sees_the_department() -> None:
    """A setting for a department holds for encounters of that department."""
    policy = msgspec.structs.replace(shipped(), set_=(Setting(action="remind", why="w", department="D1"),))
    assert decided(rule(), on=prescription(department_code="D1"), policy=policy).decision == "remind"
    assert decided(rule(), on=prescription(department_code="D2"), policy=policy).decision == "block"


def test_the_answer_names_what_it_was_made_of() -> None:
    """Policy digest, decision id, release and the body's notes are in every answer, a pass too."""
    notes = (Note(code="unknown_code", message="x"),)
    for body in (prescription(), prescription(sex="女")):
        answer = decided(rule(), on=msgspec.structs.replace(body, notes=notes), decision_id="D", release="7")
        assert (answer.policy, answer.decision_id, answer.release) == (shipped().digest, "D", "7")
        assert (answer.notes, answer.journaled, answer.receipt) == (notes, False, None)


def ids(**given: Any) -> list[str]:
    """The finding ids of two rules on two lines."""
    body = prescription(line(), line("b"), request_id=given.pop("request_id", "M"))
    return [
        found.finding_id for found in decided(rule(), rule(id="s", **given.pop("rule", {})), on=body, **given).findings
    ]


def test_finding_ids_are_short_and_tell_everything_apart() -> None:
    """At most 36 characters; different for each rule, version, line and decision; the same when made again."""
    assert ids(decision_id="D1") == ids(decision_id="D1")
    every = ids(decision_id="D1") + ids(decision_id="D2") + ids() + ids(request_id="N")
    assert len(set(every)) == 16
    assert {len(each) for each in every} == {32}
    named = ids(decision_id=(own := "01JDZ0000000000000000000AB"))
    assert {(each[:26], len(each)) for each in named} == {(own, 36)}
    assert set(ids(rule={"version": 2})) & set(ids()) == set(ids()[::2])


def test_the_same_question_has_the_same_answer() -> None:
    """Deciding twice, and with a list compiled anew, gives the same canonical JSON; nothing given is changed."""
    rules = (rule(suggestions=("drop",)), FIRST_USE, rule(fact("encounter.ward", "W1"), id="w", on_unknown=ASKS))
    body = prescription(line(), line("b"), line("c", OTHER))
    before = msgspec.json.encode((rules, body.encounter.facts, body.encounter.lines))
    compiled = listed(*rules)
    answers = {decision_json(decide(one, body, AT)) for one in (compiled, compiled, listed(*rules)) for _ in range(3)}
    assert len(answers) == 1
    assert msgspec.json.encode((rules, body.encounter.facts, body.encounter.lines)) == before


def test_one_compiled_list_serves_many_prescriptions() -> None:
    """What is remembered of one prescription never reaches the next."""
    compiled = listed(rule(), rule(ADULT, id="s", class_id="R65"))
    sexes = ["男", "女", None, "男"]
    answers = [decide(compiled, prescription(sex=sex), AT) for sex in sexes]
    assert [[found.rule_id for found in answer.findings] for answer in answers] == [
        ["r", "s"],
        ["s"],
        ["s"],
        ["r", "s"],
    ]


def test_the_json_has_the_keys_of_the_contract() -> None:
    """Findings, open rules, suggestions, facts and notes have exactly the keys of the commands' contract."""
    limit = rule(day_limit(1), id="s", suggestions=("quantity",), action="warn")
    asking = rule(fact("encounter.ward", "W1"), id="w", on_unknown=ASKS)
    body = prescription(line(facts={"quantity": Decimal("2.5")}))
    body = msgspec.structs.replace(body, notes=(Note(code="unknown_code", message="x", line="a", field="f"),))
    answer = msgspec.json.decode(decision_json(decided(rule(), limit, asking, on=body, decision_id="D")))
    assert list(answer) == [
        *("decision", "decision_id", "receipt", "release", "journaled", "policy"),
        *("findings", "not_evaluated", "notes", "elapsed_us"),
    ]
    assert {tuple(found) for found in answer["findings"]} == {FINDING_KEYS}
    assert {tuple(each) for each in answer["not_evaluated"]} == {NOT_EVALUATED_KEYS}
    assert set(answer["notes"][0]) == {"code", "line", "field", "message"}
    assert answer["findings"][1]["suggestions"][0].keys() == {"kind", "lines", "text", "value"}
    assert answer["findings"][1]["suggestions"][0]["value"] == 1
    quantity = {"fact": "line.quantity", "subject": "a", "value": 2.5, "unit": "", "source": "request"}
    assert quantity in answer["findings"][1]["facts"]


def test_an_empty_list_of_triggers_is_a_quick_pass() -> None:
    """A prescription no rule concerns passes with nothing to say."""
    answer = decided(rule(), on=prescription(line(code=OTHER)))
    assert (answer.decision, answer.findings, answer.not_evaluated) == ("pass", (), ())


@pytest.mark.parametrize("begins", [datetime(1, 1, 2), datetime(9999, 12, 30)])
@pytest.mark.parametrize("window", ["hours", "days", "course", "month", "quarter", "year", "day", "hour", "instant"])
def test_times_at_the_ends_of_the_calendar_are_decided(begins: datetime, window: Any) -> None:
    """A line in the year 1 or 9999 does no harm, whatever the window; nor does a bare date there."""
    length = 30 if window in {"hours", "days", "course"} else None
    lines = c.Lines(window=c.Window(unit=window, length=length, whose="patient"))
    rules: tuple[Rule, ...] = (
        rule(c.Count(lines=lines, above=Decimal(1)), id="count"),
        rule(c.DaysOfUse(lines=lines, above=Decimal(1)), id="days"),
        rule(c.Since(event="last_use", lines=lines, below=Decimal(3), unit="hour"), id="since"),
        rule(c.Age(below=Decimal(3), unit="month"), id="age"),
    )
    body = prescription(line(begins=begins), line("b", begins=begins, has_clock=False))
    history = History(since=datetime(2020, 1, 1))
    answer = decided(*rules, on=body, read=lambda given, _needs, _at: Fuller(prescription=given, history=history))
    assert {found.rule_id for found in answer.findings} <= {"count", "days", "since", "age"}
