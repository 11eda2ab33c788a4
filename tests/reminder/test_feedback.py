"""What a doctor says was done is kept whatever is odd about it, understood, and said back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reminder.journal.entries import DONE, Age
from reminder.recording import Recorder
from reminder.stores.base import StoreError
from tests.journal.memory_store import MemoryJournalStore
from tests.reminder.around import KEYS, Room, room, until
from tests.reminder.deciding import ALBUMIN, COUNTED, INDICATED, NOW, decided, drafted, visit

if TYPE_CHECKING:
    from reminder.journal.base import Row

BLOCK = decided(visit(INDICATED))
BLOCKED = BLOCK.found[0].finding_id
WARN = decided(visit(COUNTED, quantity=5), 2)
WARNED = WARN.found[0].finding_id
NOBODYS = "01KDZZZZZZ00000000000000090123456789"


class Locked(MemoryJournalStore):
    """A store that can be read and, while it is ``locked``, not written."""

    locked = False

    def append(self, rows: Sequence[Row]) -> None:
        """As told."""
        if self.locked:
            raise StoreError("locked", "told to be locked")
        super().append(rows)


def story(tell: Callable[[Room], Awaitable[Any]], *known: Any, store: MemoryJournalStore | None = None) -> Any:
    """Something told in a room whose journal knows decisions; a block and a warning where none are named."""

    async def whole() -> Any:
        async with room(store) as here:
            await here.knows(*(known or (BLOCK, WARN)))
            return await tell(here)

    return asyncio.run(whole())


def item(finding_id: str = WARNED, done: str = "changed", **fields: Any) -> dict[str, Any]:
    """An item of a request."""
    return {"finding_id": finding_id, "done": done} | fields


def override(finding_id: str = WARNED, **fields: Any) -> dict[str, Any]:
    """Gone on with a reason."""
    return item(finding_id, **({"done": "overridden", "reason_code": "result_supports"} | fields))


@pytest.mark.parametrize("done", DONE)
def test_a_word_is_kept_with_what_its_finding_is(done: str) -> None:
    """Rule, class, reminders, lines and keys come from the decision's entry."""

    async def tell(here: Room) -> None:
        told = await here.told(
            item(done=done, reason_code="wrong_rule", answer_ms=1200), doctor_id="D1", request_id="M1"
        )
        assert [(one.status, one.finding_id) for one in told.items] == [("kept", WARNED)]
        assert told.journaled
        (entry,) = here.kept()
        found = WARN.found[0]
        assert (entry.done, entry.rule_id, entry.class_id) == (done, "counted", "E01")
        assert (entry.reminders, entry.lines, entry.known) == (found.reminders, ("R1",), True)
        assert (entry.decision_id, entry.encounter_key, entry.patient_key) == (WARN.decision_id, "e", "p")
        assert (entry.doctor_id, entry.request_id, entry.answer_ms, entry.face) == ("D1", "M1", 1200, "json")
        assert (entry.institution_id, entry.zone, entry.done_at) == ("H1", "Asia/Shanghai", entry.at)

    story(tell)


def test_an_id_nobody_knows_is_named_and_kept() -> None:
    """Never journaled, of another system, or typed wrong."""

    async def tell(here: Room) -> None:
        ids = (NOBODYS, "ABC", f"{BLOCK.decision_id}0000000000")
        told = await here.told(*(item(one) for one in ids))
        assert [one.status for one in told.items] == ["unknown_finding"] * 3
        assert all(f"`{name}`" in one.message for name, one in zip(ids, told.items, strict=True))
        assert [(entry.known, entry.rule_id) for entry in here.kept()] == [(False, "")] * 3
        assert [entry.decision_id for entry in here.kept()] == [NOBODYS[:26], "", BLOCK.decision_id]

    story(tell)


def test_the_very_same_word_again_is_a_repetition() -> None:
    """It is kept, with how often it was told before and when it was told first."""

    async def tell(here: Room) -> None:
        told = [await here.one(override(), doctor_id="D1") for _ in range(3)]
        assert [one.status for one in told] == ["kept", "repeated", "repeated"]
        first, *again = here.kept()
        assert [entry.times for entry in again] == [1, 2]
        assert {entry.done_at for entry in again} == {first.done_at}

    story(tell)


@pytest.mark.parametrize(
    "other",
    [{"done": "withdrawn"}, {"reason_code": "consultation"}, {"reason_text": "会诊意见"}, {"doctor_id": "D2"}],
)
def test_another_word_is_no_repetition(other: dict[str, str]) -> None:
    """Of another deed, reason, text or doctor; the last one stands."""

    async def tell(here: Room) -> None:
        doctor = other.get("doctor_id", "D1")
        fields = {name: text for name, text in other.items() if name != "doctor_id"}
        await here.one(override(), doctor_id="D1")
        assert (await here.one(override(**fields), doctor_id=doctor)).status == "kept"
        first, last = here.kept()
        assert (last.times, last.done_at > first.done_at) == (0, True)

    story(tell)


def test_a_persons_word_after_the_systems_is_no_repetition() -> None:
    """Nobody had said it yet: its time and how long it took are the person's; the system's again is one."""

    async def tell(here: Room) -> None:
        words = [override(automatic=True), override(automatic=True), override(answer_ms=4000)]
        told = [await here.one(word, doctor_id="D1", request_id="M1") for word in words]
        assert [one.status for one in told] == ["kept", "repeated", "kept"]
        last = here.kept()[-1]
        assert (last.automatic, last.times, last.answer_ms, last.done_at) == (False, 0, 4000, last.at)

    story(tell)


def test_a_changed_mind_that_is_changed_back_counts() -> None:
    """The first word told after another one is a new word, unless the very request came again, late."""

    async def tell(here: Room) -> None:
        steps = [("changed", "M1"), ("withdrawn", "M2"), ("changed", "M1"), ("changed", "M3")]
        told = [await here.one(item(done=done), request_id=name) for done, name in steps]
        assert [one.status for one in told] == ["kept", "kept", "repeated", "kept"]
        late, last = here.kept()[2:]
        assert (late.times, late.done_at) == (1, here.kept()[0].done_at)
        assert max(here.kept(), key=lambda entry: (entry.done_at, entry.at)) == last

    story(tell)


def test_a_repetition_is_known_to_another_worker() -> None:
    """By the journal, which is all they share."""
    store = MemoryJournalStore()
    story(lambda here: here.one(override()), store=store)

    async def again(here: Room) -> None:
        assert (await here.one(override())).status == "repeated"

    story(again, decided(visit(ALBUMIN), 3), store=store)


def test_the_same_item_twice_in_a_request_is_a_repetition() -> None:
    """Whether or not the first one is on disk already."""

    async def tell(here: Room) -> None:
        assert [one.status for one in (await here.told(override(), override())).items] == ["kept", "repeated"]

    story(tell)


def test_when_it_was_done_is_told_or_now() -> None:
    """A clock that is ahead of ours does not make a word the last one for ever."""

    async def tell(here: Room) -> None:
        await here.told(item(done_at="2026-01-01 00:30:00"), item(BLOCKED, done_at="2036-01-01 00:00:00"))
        early, ahead = here.kept()
        assert early.done_at == NOW - timedelta(minutes=30)
        assert ahead.done_at == ahead.at

    story(tell)


@pytest.mark.parametrize(
    ("code", "done", "said"),
    [
        ("burns", "overridden", ""),
        ("result_supports", "overridden", ""),
        ("patient_pays", "withdrawn", "is a reason for self_paid, overridden; kept as told"),
        ("burnz", "overridden", "neither a reason of this rule nor a standard one; did you mean `burns`?; kept"),
    ],
)
def test_a_reason_is_the_rules_own_or_a_standard_one(code: str, done: str, said: str) -> None:
    """Another one, or one for another deed, is named and kept as told."""
    albumin = decided(visit(ALBUMIN), 3)

    async def tell(here: Room) -> None:
        answer = await here.one(item(albumin.found[0].finding_id, done, reason_code=code))
        assert (answer.status, said in answer.message, bool(answer.message)) == ("kept", True, bool(said))
        assert here.kept()[0].reason_code == code

    story(tell, albumin)


def test_junk_is_counted_and_refused_only_where_the_caller_can_ask_again() -> None:
    """What is refused is not kept; what is kept says why it is junk."""

    async def tell(here: Room) -> None:
        told = await here.told(override(reason_text="啊啊啊"), override(reason_text="啊啊啊", refusable=True))
        assert [one.status for one in told.items] == ["kept", "refused"]
        assert all("the reason says nothing: the same again and again" in one.message for one in told.items)
        assert [entry.junk for entry in here.kept()] == ["repeated"]
        assert here.logged == [{"event": "feedback", "words": 2, "kept": 1, "unknown": 0, "junk": 1, "journaled": True}]
        metrics = here.metrics.text().decode()
        assert 'reminder_junk_total{why="repeated"} 1.0' in metrics
        assert 'reminder_feedback_total{done="overridden",status="refused"} 1.0' in metrics

    story(tell)


@pytest.mark.parametrize("text", ["检验检查结果支持", "该药限急性心肌梗死", "result_supports", "限急性心肌梗死。"])
def test_a_text_copied_from_the_form_is_junk(text: str) -> None:
    """The reason's own label, the reminder's message or a sentence of it, the code."""

    async def tell(here: Room) -> None:
        shown = BLOCK.answer.findings[0].message
        copied = shown if text.startswith("该药") else text
        await here.one(override(BLOCKED, reason_text=copied))
        assert here.kept()[0].junk in {"copied", "code"}

    story(tell)


def test_names_and_numbers_in_a_reason_are_masked() -> None:
    """By form, and by the keys of the request's own names and ids, spaced or not."""
    names = (KEYS.patient("name", "张三丰"), KEYS.patient("name", "JohnSmith"))
    base = visit(COUNTED, quantity=5)
    base["patient"]["id"], base["encounter"]["id"] = KEYS.patient("psn", "PAT0042"), KEYS.encounter("H1", "VISIT77")
    entry = decided(base, 4, names=names)

    async def tell(here: Room) -> None:
        text = "患者张三丰(PAT0042/VISIT77)电话13812345678，张 三 丰要求，John Smith同意"
        await here.told(
            override(entry.found[0].finding_id, reason_text=text), doctor_id="13812345678", request_id="M张三丰"
        )
        (kept,) = here.kept()
        for private in ("张三丰", "张 三 丰", "PAT0042", "VISIT77", "13812345678", "John Smith"):
            assert private not in repr(kept)
        assert kept.reason_text.startswith("患者")
        assert kept.reason_text.endswith("同意")

    story(tell, entry)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("生于1987-06-05", "生于〔已隐去〕"),
        ("19870605、1987/6/5、1987年6月5日", "〔已隐去〕、〔已隐去〕、〔已隐去〕"),
        ("1987-02-31", "1987-02-31"),
        ("2025-12-30起发热，1958年患结核", "2025-12-30起发热，1958年患结核"),
    ],
)
def test_a_birth_date_in_a_reason_is_masked(text: str, kept: str) -> None:
    """Any day that fits the patient's age; other days are part of the reason."""
    entry = decided(visit(COUNTED, quantity=5), 4, age=Age(months=38 * 12 + 6))

    async def tell(here: Room) -> None:
        await here.told(override(entry.found[0].finding_id, reason_text=text))
        assert here.kept()[0].reason_text == kept

    story(tell, entry)


def test_words_about_nobody_known_are_not_kept() -> None:
    """Nobody can say whom they name: that there were some is kept, and codes that can be no name."""

    async def tell(here: Room) -> None:
        word = override(NOBODYS, reason_text="张三要求", reason_code="张三")
        answer = await here.one(word, doctor_id="D1", request_id="M 张三")
        assert "its words were not kept" in answer.message
        (kept,) = here.kept()
        assert (kept.reason_text, kept.reason_code, kept.request_id) == ("〔已隐去〕", "〔已隐去〕", "〔已隐去〕")
        assert (kept.doctor_id, kept.finding_id, kept.known) == ("D1", NOBODYS, False)

    story(tell)


def test_automatic_answers_say_so() -> None:
    """As told; whether a person could have read so fast is for the report."""

    async def tell(here: Room) -> None:
        await here.told(item(automatic=True, answer_ms=3))
        assert [(entry.automatic, entry.answer_ms) for entry in here.kept()] == [(True, 3)]

    story(tell)


def test_a_thousand_items_are_answered_in_their_order() -> None:
    """One request, one answer for each."""

    async def tell(here: Room) -> None:
        ids = [f"01KDZZZZZZ{number:016}0123456789" for number in range(997)]
        told = await here.told(*(item(one) for one in (*ids, WARNED, BLOCKED, WARNED)))
        assert [one.finding_id for one in told.items] == [*ids, WARNED, BLOCKED, WARNED]
        assert [one.status for one in told.items[-3:]] == ["kept", "kept", "repeated"]
        assert len(here.kept()) == 1000
        instants = [entry.at for entry in here.kept()]
        assert instants == sorted(set(instants))

    story(tell)


def test_without_a_journal_nothing_is_taken() -> None:
    """The caller hears that nothing could keep it."""

    async def tell(here: Room) -> None:
        here.journal = None
        with pytest.raises(StoreError):
            await here.told(item())

    story(tell)


def test_while_the_journal_is_away_a_word_waits() -> None:
    """It is not looked up, said so, and written when the journal is back."""

    async def tell(here: Room) -> None:
        here.store.fault = "gone"
        told = await here.told(item(), item(NOBODYS))
        assert not told.journaled
        assert [one.status for one in told.items] == ["kept", "kept"]
        assert all("could not be looked up" in one.message for one in told.items)
        here.store.fault = None
        await until(lambda: len(here.kept()) == 2)
        assert [(entry.known, entry.rule_id) for entry in here.kept()] == [(True, "")] * 2

    story(tell)


def test_a_long_entry_is_waited_for_longer_but_never_past_the_caller() -> None:
    """A body of a thousand encounters is read and judged for seconds: fifty milliseconds never sufficed to write it."""

    async def tell(here: Room) -> None:
        assert here.journal is not None
        recorder = Recorder(here.journal, KEYS, here.exits, 0.05, shared=False)
        assert recorder.within_s(None) == recorder.within_s(None, 64 * 1024) == 0.05
        assert recorder.within_s(None, 64 * 1024 + 2 * 1024**2) == pytest.approx(0.45)
        assert recorder.within_s(0.2, 4 * 1024**2) == pytest.approx(0.1)

    story(tell)


def test_a_finding_whose_entry_waits_is_known() -> None:
    """The journal can be read and not written: the reason is judged and kept, not taken for one of nobody."""
    store, answered = Locked(), decided(visit(ALBUMIN), 3)

    async def tell(here: Room) -> None:
        store.locked = True
        assert here.journal is not None
        recorder = Recorder(here.journal, KEYS, here.exits, 0.01, shared=False)
        await recorder.write(answered.answer, drafted(answered), late=False, left_s=None)
        answer = await here.one(override(answered.found[0].finding_id, reason_text="会诊意见"))
        assert (answer.status, answer.message) == ("kept", "")
        store.locked = False
        await until(lambda: bool(here.kept()))
        (word,) = here.kept()
        assert (word.known, word.rule_id, word.reason_text) == (True, "albumin", "会诊意见")
        assert here.exits.answer(answered.decision_id) is None

    story(tell, store=store)


def test_an_answer_of_this_process_is_known_while_the_journal_is_away() -> None:
    """So that a block can be left in an outage, too."""

    async def tell(here: Room) -> None:
        here.exits.answered(drafted(BLOCK))
        here.store.fault = "gone"
        answer = await here.one(item(BLOCKED, "exited", reason_code="system_fault"))
        assert (answer.status, answer.message, answer.exit_until) == ("kept", "", "2026-01-02 09:00:01")
        assert [one.rule_id for one in await here.exits.of(("e",), here.now(), 60.0)] == ["indicated"]
        here.store.fault = None  # so that the end waits for nothing

    story(tell)
