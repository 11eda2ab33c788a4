"""One prescription judged by two lists, and the counts of several."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list import conditions as c
from negative_list.decide import Fuller
from negative_list.policy import Setting, shipped
from negative_list.prescription import History, Prescription
from negative_list.rules import OnUnknown, Rule, RuleList, Trigger
from reminder.forecast.folding import forecast_of, known_rules, lists_of
from reminder.forecast.inforce import apart
from reminder.forecast.record import About, Forecast, Row
from reminder.forecast.replay import Case, Pair, Policies, pair_of, replay
from reminder.forecast.tally import Tally, add, join
from tests.negative_list.builders import AT, OTHER, fact, line, past, prescription, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reminder.forecast.replay import Replayed

WOMAN = prescription(sex="女")
WEEK = c.Window(unit="days", length=7, ends="open", side="before", whose="patient")
WEEKLY = rule(c.Count(lines=c.Lines(items=c.Items(codes=(OTHER,)), window=WEEK), above=Decimal(1)), id="weekly")
"""The other drug more than once a week: needs history."""
WEEKLY = msgspec.structs.replace(WEEKLY, trigger=Trigger(codes=(OTHER,)))


def policies(*held: str, **given: Any) -> Policies:
    """The shipped policy; rules held back warn at most when the list is activated."""
    policy = msgspec.structs.replace(shipped(), **given)
    return Policies(before=policy, after=msgspec.structs.replace(policy, unconfirmed=held), confirmed=policy)


def pair(before: Sequence[Rule], after: Sequence[Rule]) -> Pair:
    """Two lists, ready."""
    return pair_of(apart(RuleList(rules=tuple(before)), RuleList(rules=tuple(after))))


def case(body: Prescription | None = None, ident: str = "1", **given: Any) -> Case:
    """A case at the usual instant."""
    body = body or prescription()
    fields: dict[str, Any] = {"ident": ident, "encounter": body.encounter.id, "at": AT, "prescription": body}
    return Case(**fields | given)


def told(before: Sequence[Rule], after: Sequence[Rule], held: Sequence[str] = (), **given: Any) -> Replayed:
    """One case judged."""
    return replay(pair(before, after), policies(*held), case(**given))


def forecast(before: Sequence[Rule], after: Sequence[Rule], *cases: Case, held: Sequence[str] = ()) -> Forecast:
    """Cases judged and counted, in two parts."""
    parts = apart(RuleList(rules=tuple(before)), RuleList(rules=tuple(after)))
    both, ruling, whole = pair_of(parts), policies(*held), Tally()
    for each in cases:
        tally = Tally()
        add(tally, each, replay(both, ruling, each))
        join(whole, tally)
    known = known_rules(before, after, [one.id for one in parts.after.rules], held)
    at = datetime(2026, 12, 1)
    about = About(version="2", digest="d", at=at, made_at=at, replayed=whole.decisions, total=whole.decisions)
    return forecast_of(about, lists_of(known, 0), whole, known)


def row(made: Forecast, rule_id: str = "r") -> Row:
    """The row of a rule."""
    return next(one for one in made.rules if one.key == rule_id)


def test_a_new_rule_fires_newly_and_an_unconfirmed_one_warns_at_most() -> None:
    """Two actions are told: that at activation, and that once the office has confirmed it."""
    made = forecast([], [rule()], case(), case(WOMAN, "2"), held=["r"])
    found = row(made)
    assert (found.state, found.newly, found.gone, found.changed) == ("new", 1, 0, 0)
    assert (found.before, found.after, found.confirmed) == ({}, {"warn": 1}, {"block": 1})
    assert found.newest == {"newly": ["1"]}
    assert made.before.actions["pass"] == 2
    assert (made.after.actions["warn"], made.confirmed.actions["block"]) == (1, 1)
    assert made.after.per_100(2) == 50.0


def test_a_rule_that_is_gone_fires_no_longer() -> None:
    """Also where another list's rule of the same id finds something else."""
    assert row(forecast([rule()], [], case())).gone == 1
    other = rule(fact("patient.sex", "女"))
    found = row(forecast([rule()], [other], case(), case(WOMAN, "2")))
    assert (found.state, found.newly, found.gone) == ("changed", 1, 1)


def test_another_action_of_the_same_finding_is_a_change() -> None:
    """Of the rule itself, or of its being unconfirmed: one that only says it otherwise warns until it is confirmed."""
    weaker = row(forecast([rule()], [rule(action="remind")], case()))
    assert (weaker.changed, weaker.before, weaker.after) == (1, {"block": 1}, {"remind": 1})
    worded = row(forecast([rule()], [rule(title="新")], case(), held=["r"]))
    assert (worded.state, worded.changed, worded.after, worded.confirmed) == ("worded", 1, {"warn": 1}, {"block": 1})
    assert worded.changed_confirmed == 0
    assert forecast([rule()], [rule(title="新")], case()).rules == ()


def test_what_the_entry_did_not_read_is_not_replayable_and_never_no_change() -> None:
    """A new rule that needs history finds where it is known, and says where it is not."""
    body = prescription(line("a", OTHER))
    lacking = told([], [WEEKLY], body=body)
    assert (dict(lacking.after), dict(lacking.open_)) == ({}, {"weekly": ("history",)})
    read = History(lines=(past(1, code=OTHER),), since=AT - timedelta(days=30))
    known = case(body, "2", fuller=Fuller(prescription=body, history=read))
    nothing = case(body, "3", fuller=Fuller(prescription=body, history=History(since=AT - timedelta(days=30))))
    made = forecast([], [WEEKLY], case(body), known, nothing)
    found = row(made, "weekly")
    assert (found.newly, found.open_, made.open_) == (1, 1, 1)
    assert [(lack.fact, lack.decisions) for lack in made.lacks] == [("history", 1)]


def test_a_rule_that_cannot_be_decided_any_more_is_not_said_to_be_gone() -> None:
    """It fired, and the new form needs a fact nobody told."""
    needing = rule(c.All(of=(fact("patient.sex", "男"), c.Fact(fact="patient.weight_kg", above=Decimal(90)))))
    found = row(forecast([rule()], [needing], case()))
    assert (found.gone, found.open_, found.before) == (0, 1, {"block": 1})


def test_a_rule_that_did_not_change_is_no_change_where_both_lists_lack_the_same() -> None:
    """Nothing is new about what neither can decide."""
    made = forecast([WEEKLY], [WEEKLY], case(prescription(line("a", OTHER))))
    assert (made.rules, made.open_) == ((), 0)


def test_a_rule_that_only_does_something_else_is_no_change_where_neither_list_can_decide_it() -> None:
    """It warns where it blocked; one whose limit moved is not replayable there."""
    body, weaker = case(prescription(line("a", OTHER))), msgspec.structs.replace(WEEKLY, action="remind")
    made = forecast([WEEKLY], [weaker], body)
    assert (made.open_, [one.open_ for one in made.rules if one.open_]) == (0, [])
    moved = c.Count(lines=c.Lines(items=c.Items(codes=(OTHER,)), window=WEEK), above=Decimal(2))
    assert forecast([WEEKLY], [msgspec.structs.replace(weaker, violation=moved)], body).open_ == 1


def test_what_a_rule_asks_is_counted_apart() -> None:
    """A question is shown, but no finding is certain."""
    asking = msgspec.structs.replace(WEEKLY, on_unknown=OnUnknown(action="remind", ask=("patient.weight_kg",)))
    asking = msgspec.structs.replace(asking, violation=c.Fact(fact="patient.weight_kg", above=Decimal(90)))
    made = forecast([], [asking], case(prescription(line("a", OTHER))))
    found = row(made, "weekly")
    assert (found.asks_before, found.asks_after, found.newly, found.open_) == (0, 1, 0, 1)
    assert made.after.actions["remind"] == made.after.interruptions == 1


def test_reminders_are_counted_once_however_many_checks_repeat_them() -> None:
    """With the money of a line once, at its largest, and the doctor who is shown something for the first time."""
    body = prescription(line("a"), line("b", OTHER), doctor_id="D1", department_code="0301")
    other = rule(id="other", trigger=Trigger(codes=(OTHER,)))
    again = msgspec.structs.replace(body, request_id="again")
    made = forecast([rule()], [rule(), rule(id="twin"), other], case(body), case(again, "2"))
    assert (made.before.reminders, made.after.reminders) == (1, 3)
    assert (made.before.amount_fen, made.after.amount_fen) == (1000, 2000)
    assert (made.reminders.new, made.reminders.new_fen) == (2, 2000)
    assert (made.before.doctors, made.doctors_new) == (1, 0)
    assert row(made, "twin").reminders.doctors == 1
    assert [(one.key, one.checks) for one in made.departments] == [("0301", 2)]
    assert row(made, "twin").examples == ("2", "1")


def test_a_doctor_who_was_shown_nothing_is_newly_affected() -> None:
    """By code; the department is the one of the order."""
    body = prescription(line("a", facts={"doctor_id": "D7", "department_code": "0102"}), doctor_id="D1")
    made = forecast([], [rule()], case(body))
    assert (made.doctors_new, made.doctors_rid) == (1, 0)
    assert ([one.key for one in made.doctors], [one.key for one in made.departments]) == (["D7"], ["0102"])


def test_what_is_in_shadow_fires_and_is_not_shown() -> None:
    """It counts among what fires, not among reminders or interruptions."""
    shadow = Setting(action="pass", why="shadow", rule="r")
    parts = pair([], [rule()])
    tally = Tally()
    add(tally, case(), replay(parts, policies(set_=(shadow,)), case()))
    assert (tally.rules["r"].newly, dict(tally.rules["r"].after)) == (1, {"pass": 1})
    assert tally.whole.after == {"pass": 1}


def test_ages_go_by_the_case_s_own_clock() -> None:
    """Whoever was a child when it was asked is one in the forecast."""
    minor, undated = rule(c.Age(below=Decimal(18))), line(begins=None)
    body = prescription(undated, birth=date(2010, 1, 1))
    assert [len(told([], [minor], body=body, at=AT + timedelta(days=days)).after) for days in (0, 5000)] == [1, 0]
