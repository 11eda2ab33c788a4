"""Decisions derived again from their entries: the same bits; after a planted change of a bound just those it meets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings

from negative_list import hurry
from negative_list.compile import CompiledList, compile
from negative_list.conditions import Age, All, Diagnosis, Elapsed, Not
from negative_list.decide import Fuller, begin, decide, decide_whole
from negative_list.hurry import EVERY, Halt
from negative_list.items import item_of, order_date_of
from negative_list.policy import Setting, shipped
from negative_list.prescription import Diagnosed
from negative_list.readers.stored import StoreFact, supplement
from negative_list.rules import RuleList
from reminder.ids import decision_id
from reminder.journal.again import answer_of, decided_again
from reminder.journal.artifacts import list_artifact, policy_artifact, policy_of, rules_of
from reminder.journal.chain import rows_of
from reminder.journal.coding import decode
from reminder.journal.drafts import MASKED, Digests, Made, decided_draft
from reminder.journal.engine import engine
from reminder.journal.entries import Decided, Exit
from reminder.journal.masking import MASK
from reminder.journal.opening import open_journal
from reminder.journal.rederive import Rederived, list_of, matched_of, rederive
from reminder.stores.keys import Keys
from reminder.under_keys import under_keys
from tests.generators import Case, draw_case, seeds
from tests.negative_list.builders import AT, line, listed, prescription, rule
from tests.negative_list.test_any_decision import drawn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.policy import Policy
    from negative_list.prescription import Prescription
    from reminder.journal.base import Draft
    from reminder.journal.store import SqlJournal

KEYS = Keys((b"k" * 32,))
NOW = datetime(2026, 3, 15, 2, 30, tzinfo=UTC)
SHADOW = msgspec.structs.replace(shipped(), set_=(Setting(action="pass", why="shadow", class_id="R67"),))
SEEDS = (1, 2, 3)
PRESCRIPTIONS = 25
HOW: tuple[dict[str, Any], ...] = (
    {},
    {"exits": True},
    {"unread": True},
    *({"looks": looks, "exits": looks % 2 == 0} for looks in range(7)),
)


@dataclass
class Deciding:
    """Decisions of one list, as a sidecar makes them."""

    compiled: CompiledList
    policy: Policy
    number: int = 0

    def draft(self, case: Case, **given_: Any) -> Draft:
        """The draft of a case: read where something is lacking, and left by every exit where ``exits`` says so.

        ``looks``: after how many looks at the clock the time is up.
        """
        self.number += 1
        looks = count(given_.pop("looks", 10**6), -1)
        halt = Halt(lambda _part: next(looks) <= 0)
        keyed = under_keys(KEYS, msgspec.structs.replace(case.prescription, **given_.pop("body", {})))
        ident = decision_id(1_700_000_000_000 + self.number, self.number)
        begun = begin(self.compiled, keyed.prescription, case.at, halt)
        needs = begun.needs
        fuller: Fuller | None = None
        facts: tuple[StoreFact, ...] = ()
        unread = given_.pop("unread", False) and bool(needs)
        if needs and not unread:
            facts = told_of(keyed.prescription, case.at)
            by_subject = {fact.subject: (fact,) for fact in facts}
            filled = supplement(keyed.prescription, by_subject, case.at)
            fuller = Fuller(prescription=filled, history=case.history)
        exits = exits_of(keyed.prescription, self.compiled) if given_.pop("exits", False) else ()
        whole = decide_whole(
            self.compiled,
            keyed.prescription,
            case.at,
            self.policy,
            begun=begun,
            fuller=fuller,
            unread=unread,
            halt=halt,
            exits=frozenset((each.rule_id, each.item, each.order_date) for each in exits),
            decision_id=ident,
        )
        made = Made(
            keyed=keyed,
            now=NOW + timedelta(seconds=self.number),
            at=case.at,
            zone="Asia/Shanghai",
            whole=whole,
            digests=Digests(engine=engine(), list=self.compiled.digest, policy=self.policy.digest),
            stopped=whole.stopped,
            read=bool(needs),
            unread=unread,
            facts=facts,
            history=fuller.history if fuller is not None else None,
            exits=exits,
        )
        return decided_draft(made, KEYS, self.compiled, self.policy)[0]


def told_of(body: Prescription, at: datetime) -> tuple[StoreFact, ...]:
    """What a store knows of the encounter."""
    name, found_at = "encounter.susceptibility_test", at - timedelta(hours=3)
    return (StoreFact(subject=body.encounter.id, fact=name, value=True, valid_from=found_at, source="laboratory"),)


def exits_of(body: Prescription, compiled: CompiledList) -> tuple[Exit, ...]:
    """An exit for the first line, of every rule."""
    first = body.encounter.lines[0]
    item, day = item_of(first), order_date_of(first)
    rules = sorted(bound.rule.id for bound in compiled.rules)
    return tuple(Exit(rule_id=each, item=item, order_date=day, until=NOW + timedelta(days=1)) for each in rules)


def entry_of(draft: Draft) -> Decided:
    """What a draft says, read back."""
    entry = decode(draft.body)
    assert isinstance(entry, Decided)
    return entry


@pytest.fixture(autouse=True, scope="module")
def often() -> Iterator[None]:
    """The clock is looked at before every step, so that small prescriptions are stopped anywhere."""
    with pytest.MonkeyPatch.context() as patch:
        for part in EVERY:
            patch.setitem(EVERY, part, 1)
        patch.setattr(hurry, "TOLD_LEAST", 0)
        yield


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_every_decision_is_derived_again_bit_for_bit(seed: int) -> None:
    """With history, store facts, unknown and shadow findings, exits; where nothing could be read or time was up."""
    compiled = compile(drawn(seed))
    case = draw_case(Random(seed))
    for policy in (shipped(), SHADOW):
        for how in HOW:
            entry = entry_of(Deciding(compiled, policy).draft(case, **how))
            assert answer_of(decided_again(entry, compiled, policy)) == answer_of(entry.answer)


def test_lists_and_policies_are_kept_whole() -> None:
    """What is read back decides alike and has the same digest."""
    for seed in SEEDS:
        rules = drawn(seed)
        compiled = compile(rules)
        artifact = list_artifact(compiled, NOW)
        again = list_of(artifact)
        assert (again.digest, compile(rules_of(artifact)).digest) == (compiled.digest, compiled.digest)
        case = draw_case(Random(seed))
        assert decide(again, case.prescription, case.at) == decide(compiled, case.prescription, case.at)
    assert policy_of(policy_artifact(SHADOW, NOW)) == SHADOW
    assert policy_of(policy_artifact(SHADOW, NOW)).digest == SHADOW.digest


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    """An empty journal."""
    store = open_journal(tmp_path)
    yield store
    store.close()


def write(store: SqlJournal, drafts: list[Draft]) -> None:
    """Append drafts to a chain, and keep what they name."""
    store.append(rows_of(store.head("c"), drafts)[0])


def whole(store: SqlJournal, **given_: Any) -> Rederived:
    """Everything derived again."""
    return rederive(store, NOW - timedelta(days=1), NOW + timedelta(days=1), **given_)


def test_three_releases_are_derived_again_without_a_difference(journal: SqlJournal) -> None:
    """Over lists and policies that follow each other; progress is told on the way."""
    drafts = []
    for number, seed in enumerate(SEEDS):
        policy = (shipped(), SHADOW)[number % 2]
        deciding = Deciding(compile(drawn(seed)), policy, 1000 * number)
        drafts += [deciding.draft(draw_case(Random(seed * 100 + n)), **HOW[n % 3]) for n in range(PRESCRIPTIONS)]
        journal.keep(list_artifact(deciding.compiled, NOW))
        journal.keep(policy_artifact(policy, NOW))
    write(journal, drafts)
    told = whole(journal)
    assert told.counts == {"derived": 3 * PRESCRIPTIONS}
    assert told.sound


def test_after_a_planted_change_just_the_decisions_it_meets_differ(journal: SqlJournal) -> None:
    """A bound moved by a year: those whose answer is another one are named, with both answers."""
    adult = Age(at_least=Decimal(18))
    rules = listed(rule(adult, id="adult"), rule(id="sex"))
    changed_rules = tuple(
        msgspec.structs.replace(bound.rule, violation=Age(at_least=Decimal(19)))
        if bound.rule.id == "adult"
        else bound.rule
        for bound in rules.rules
    )
    changed = compile(RuleList(rules=changed_rules))
    deciding = Deciding(rules, shipped())
    drafts, expected = [], []
    for years in range(1, 40):
        birth = AT.date().replace(year=AT.year - years)
        body = prescription(line(), sex="女")
        patient = msgspec.structs.replace(body.patient, facts={**body.patient.facts, "patient.birth_date": birth})
        body = msgspec.structs.replace(body, patient=patient)
        draft = deciding.draft(_case(body))
        drafts.append(draft)
        args = {"decision_id": draft.decision_id}
        if answer_of(decide(rules, body, AT, **args)) != answer_of(decide(changed, body, AT, **args)):  # type: ignore[arg-type]
            expected.append(draft.decision_id)
    journal.keep(list_artifact(rules, NOW))
    journal.keep(policy_artifact(shipped(), NOW))
    write(journal, drafts)
    told = whole(journal, replaced={rules.digest: changed})
    assert [each.decision_id for each in told.differences] == expected
    assert len(expected) == 1
    assert told.counts["derived"] == len(drafts) - 1
    assert not told.sound
    assert told.differences[0].now == '["pass",[],[]]'
    assert '"value":18' in told.differences[0].was


@pytest.mark.parametrize("seed", SEEDS)
def test_a_planted_change_of_any_list_meets_just_what_it_meets(journal: SqlJournal, seed: int) -> None:
    """One rule of a drawn list is turned round: the decisions that differ are those that would have been others."""
    rules = drawn(seed)
    fired = rules.rules[seed % len(rules.rules)]
    turned = msgspec.structs.replace(fired, violation=Not(of=fired.violation))
    changed = msgspec.structs.replace(rules, rules=tuple(turned if one is fired else one for one in rules.rules))
    was, now = Deciding(compile(rules), shipped()), Deciding(compile(changed), shipped())
    cases = [draw_case(Random(seed * 100 + number)) for number in range(PRESCRIPTIONS)]
    drafts, others = [was.draft(case) for case in cases], [now.draft(case) for case in cases]
    pairs = zip(map(entry_of, drafts), map(entry_of, others), strict=True)
    expected = [one.decision_id for one, other in pairs if answer_of(one.answer) != answer_of(other.answer)]
    journal.keep(list_artifact(was.compiled, NOW))
    journal.keep(policy_artifact(shipped(), NOW))
    write(journal, drafts)
    assert whole(journal).counts == {"derived": PRESCRIPTIONS}
    told = whole(journal, replaced={was.compiled.digest: now.compiled})
    assert [each.decision_id for each in told.differences] == expected
    assert 0 < len(expected) < PRESCRIPTIONS


def _case(body: Prescription) -> Any:
    """A case without history at the instant of the builders."""
    return Case(prescription=body, at=AT, history=None)


def test_what_cannot_be_derived_is_counted_apart(journal: SqlJournal) -> None:
    """Another engine, a list that is gone, a text that had a part in the decision, an entry nobody can read."""
    deciding = Deciding(listed(rule()), shipped())
    good = deciding.draft(_case(prescription(line())))
    entry = msgspec.json.decode(good.body)
    other = msgspec.structs.replace(good, decision_id="o", body=msgspec.json.encode(entry | {"engine": "older"}))
    lost = msgspec.structs.replace(good, decision_id="l", body=msgspec.json.encode(entry | {"list": "none"}))
    masked = msgspec.structs.replace(good, decision_id="m", body=msgspec.json.encode(entry | {"derivable": MASKED}))
    damaged = msgspec.structs.replace(good, decision_id="d", body=b"{}")
    journal.keep(list_artifact(deciding.compiled, NOW))
    journal.keep(policy_artifact(shipped(), NOW))
    write(journal, [good, other, lost, masked, damaged])
    counts = whole(journal).counts
    assert counts == {"derived": 1, "other_engine": 1, "missing": 1, "not_derivable": 1, "damaged": 1}


def test_a_text_that_had_a_part_says_so() -> None:
    """A rule that asks for a term somebody is called by cannot be decided again on the masked text."""
    named = Diagnosed(name="高血压")
    for patient_name, why in (("高血", MASKED), ("张三", "")):
        body = prescription(line(), sex="女")
        patient = msgspec.structs.replace(body.patient, facts={**body.patient.facts, "patient.name": patient_name})
        body = msgspec.structs.replace(
            body, patient=patient, encounter=msgspec.structs.replace(body.encounter, diagnoses=(named,))
        )
        compiled = listed(rule(Diagnosis(terms=("高血压",)), id="bp"))
        entry = entry_of(Deciding(compiled, shipped()).draft(_case(body)))
        assert entry.derivable == why


ADMITTED = All(
    of=(Age(below=Decimal(28), unit="day"), Elapsed(fact="encounter.admitted_at", at_least=Decimal(7), unit="day"))
)
BORN = AT - timedelta(days=9)


@pytest.mark.parametrize("name", [None, "张三", "阿帕他胺"], ids=("nameless", "named", "named like the item"))
def test_a_newborn_admitted_on_its_birthday_is_decided_again(name: str | None) -> None:
    """The day stands in the entry as the admission's, so the answer may tell it; a text that holds it may not."""
    body = prescription(line(), birth=BORN.date(), admitted_at=BORN, department_name=f"新生儿科{BORN:%Y-%m-%d}")
    told = {**body.patient.facts, "patient.name": name} if name else body.patient.facts
    body = msgspec.structs.replace(body, patient=msgspec.structs.replace(body.patient, facts=told))
    compiled = listed(rule(ADMITTED, id="long"))
    entry = entry_of(Deciding(compiled, shipped()).draft(_case(body)))
    (found,) = entry.answer.findings
    assert entry.prescription.encounter.facts["encounter.department_name"] == f"新生儿科{MASK}"
    assert answer_of(decided_again(entry, compiled, shipped())) == answer_of(entry.answer)
    assert entry.derivable == ""
    assert str(BORN) in found.message


def test_what_the_engine_found_is_found_again() -> None:
    """For whoever explains: the same judgements, over the same lines."""
    compiled = listed(rule())
    entry = entry_of(Deciding(compiled, shipped()).draft(_case(prescription(line()))))
    matched = matched_of(entry, compiled)
    assert [(each.rule.rule.id, each.holds) for each in matched.judgements] == [("r", True)]
