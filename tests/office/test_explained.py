"""A decision is shown as it was, from its entry alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from negative_list.compile import canonical_lines
from reminder.journal.base import Artifact, Draft
from reminder.journal.chain import rows_of
from reminder.journal.coding import encode
from reminder.journal.entries import Feedback
from reminder.journal.opening import open_journal
from reminder.office import search
from reminder.office.appeals import appeal, listed, row_of
from reminder.office.desk import OfficeError, opened, write
from reminder.office.explained import Explained, explained
from reminder.office.key_files import live_keys, rotate
from reminder.office.layout import laid_out
from reminder.office.tree import parts_of
from reminder.stores.keys import Keys
from tests.office.decided import DECIDED, ENCOUNTER, ENGINE, INSTITUTION, LIST, PATIENT, rules_of, write_decision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reminder.journal.base import JournalStore

LATER = DECIDED + timedelta(days=30)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """The secrets of a data folder."""
    return Keys.open(tmp_path / "keys")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalStore]:
    """An empty journal."""
    opened_ = open_journal(tmp_path)
    yield opened_
    opened_.close()


def told(journal: JournalStore, ident: str, *, engine: str = ENGINE) -> Explained:
    """The explanation of a decision in Chinese."""
    return explained(journal, ident, "zh", engine)


def test_each_condition_is_shown_with_its_facts_and_their_source(journal: JournalStore, keys: Keys) -> None:
    """The state came from the ledger, the rescue from triage, and both parts answered as they did then."""
    row = write_decision(journal, keys)
    (found,) = told(journal, row.decision_id).found
    (walked,) = found.walked
    seen = {
        (fact.fact, fact.value, fact.source) for part in walked.parts for one in parts_of(part) for fact in one.facts
    }
    assert ("line.doctor_state", "suspended", "points ledger") in seen
    assert ("encounter.rescue", False, "triage") in seen
    assert (walked.line, walked.parts[-1].holds, found.found.action) == ("R13", True, "block")


def test_a_finding_id_leads_to_its_decision(journal: JournalStore, keys: Keys) -> None:
    """Its first characters are the decision's."""
    row = write_decision(journal, keys)
    (found,) = told(journal, row.decision_id).found
    assert told(journal, found.found.finding_id).decision_id == row.decision_id


def test_an_unknown_id_is_told(journal: JournalStore) -> None:
    """Nothing is guessed."""
    with pytest.raises(OfficeError, match="no decision `01K`"):
        told(journal, "01K")


def test_rules_not_evaluated_say_what_they_need(journal: JournalStore, keys: Keys) -> None:
    """Nobody told whether it was a rescue."""
    explanation = told(journal, write_decision(journal, keys, rescue=None).decision_id)
    assert [(one.rule_id, one.needs) for one in explanation.not_evaluated] == [
        ("class-E30-doctor", ("encounter.rescue",))
    ]
    assert explanation.found == ()


@pytest.mark.parametrize("english", [False, True])
def test_the_text_tells_all_of_it(journal: JournalStore, keys: Keys, english: bool) -> None:
    """Decision, rule, basis, conditions, values, sources, place in the chain; no id of the patient or the encounter."""
    row = write_decision(journal, keys)
    explanation = explained(journal, row.decision_id, "en" if english else "zh", ENGINE)
    text = laid_out(explanation, None, "en" if english else "zh")
    wanted = [
        "class-E30-doctor",
        "points ledger" if english else "记分台账",
        "医保支付资格管理经办规程",
        row.receipt,
        "D0313",
        "31.50",
        "R13",
        "2026.11",
    ]
    wanted += (
        ["block", "[true]", "receipt"]
        if english
        else ["拦截", "[成立]", "回执", "医保支付资格状态（line.doctor_state） = 暂停"]
    )
    assert [word for word in wanted if word not in text] == []
    assert PATIENT not in text
    assert ENCOUNTER not in text


def test_a_list_that_is_gone_leaves_the_stored_evidence(journal: JournalStore, keys: Keys) -> None:
    """It says so, and shows what was stored then."""
    explanation = told(journal, write_decision(journal, keys, kept=False).decision_id)
    (found,) = explanation.found
    assert (explanation.list_kept, found.rule, found.walked) == (False, None, ())
    text = laid_out(explanation, None, "zh")
    assert "清单已不在日志中" in text
    assert "医保支付资格状态（line.doctor_state） = 暂停" in text


def test_an_edited_list_is_no_evidence(journal: JournalStore, keys: Keys) -> None:
    """What stands under the digest of another list explains nothing; what was stored then is shown."""
    row = write_decision(journal, keys, kept=False)
    content = b"".join(canonical_lines(rules_of())).replace("记分".encode(), "加分".encode())
    journal.keep(Artifact(digest=LIST, kind="list", content=content, first_at=DECIDED))
    explanation = told(journal, row.decision_id)
    assert (explanation.list_kept, explanation.found[0].rule) == (False, None)
    text = laid_out(explanation, None, "zh")
    assert ("或已被改动" in text, "加分" in text) == (True, False)


def test_another_version_of_the_program_is_told(journal: JournalStore, keys: Keys) -> None:
    """What is walked now is what this one answers."""
    row = write_decision(journal, keys)
    assert told(journal, row.decision_id).engine_same
    explanation = told(journal, row.decision_id, engine="2.0+other")
    assert not explanation.engine_same
    assert f"不同（{ENGINE}）" in laid_out(explanation, None, "zh")
    assert explanation.differs == ()


def test_feedback_and_appeals_since_are_shown(journal: JournalStore, keys: Keys, tmp_path: Path) -> None:
    """In their order, each with its receipt."""
    row = write_decision(journal, keys)
    finding = told(journal, row.decision_id).found[0].found.finding_id
    word = Feedback(
        engine=ENGINE,
        at=DECIDED + timedelta(minutes=1),
        finding_id=finding,
        decision_id=row.decision_id,
        done="overridden",
        reason_text="抢救用药",
        doctor_id="D0313",
        done_at=DECIDED + timedelta(minutes=1),
    )
    rows, _ = rows_of(
        journal.head("a"), [Draft(kind="feedback", at=word.at, decision_id=row.decision_id, body=encode(word))]
    )
    journal.append(rows)
    stage = appeal(journal, finding, "raised", at=LATER, engine="1.0", text="医保局反馈", amount_fen=3150, keys=keys)
    (written,) = write(journal, tmp_path, "appeal", [stage])
    explanation = told(journal, row.decision_id)
    assert [type(one.told).__name__ for one in explanation.words] == ["Feedback", "Appeal"]
    text = laid_out(explanation, None, "zh")
    assert "说明理由后继续 抢救用药 D0313" in text
    assert f"申诉提出 医保局反馈 31.50元  [{written.receipt}]" in text


def test_an_appeal_is_about_a_finding_there_is(journal: JournalStore, keys: Keys) -> None:
    """And only a result says what became of it."""
    row = write_decision(journal, keys)
    finding = told(journal, row.decision_id).found[0].found.finding_id
    with pytest.raises(OfficeError, match="no finding"):
        appeal(journal, row.decision_id + "0000000009", "raised", at=LATER, engine="1.0")
    with pytest.raises(OfficeError, match="--upheld"):
        appeal(journal, finding, "result", at=LATER, engine="1.0")
    with pytest.raises(OfficeError, match="--upheld"):
        appeal(journal, finding, "raised", at=LATER, engine="1.0", upheld=True)


def test_appeals_are_listed_by_finding_and_stage(journal: JournalStore, keys: Keys, tmp_path: Path) -> None:
    """All three stages, in the order they were entered, in a chain of the office's own."""
    row = write_decision(journal, keys)
    finding = told(journal, row.decision_id).found[0].found.finding_id
    for days, (stage, upheld) in enumerate([("raised", None), ("answered", None), ("result", True)]):
        at = LATER + timedelta(days=days)
        entry = appeal(journal, finding, stage, at=at, engine="1", upheld=upheld, keys=keys)  # type: ignore[arg-type]
        write(journal, tmp_path, "appeal", [entry])
    stages = listed(journal)
    assert [one.told.stage for one in stages] == ["raised", "answered", "result"]
    assert [row_of(one)["upheld"] for one in stages] == ["", "", "yes"]
    assert len(journal.heads()) == 2


def test_what_an_appeal_says_names_nobody(journal: JournalStore, keys: Keys) -> None:
    """Numbers of persons by their form, the patient's own id by its key."""
    row = write_decision(journal, keys)
    finding = told(journal, row.decision_id).found[0].found.finding_id
    text = f"患者{PATIENT} 电话13800138000 已说明"
    entry = appeal(journal, finding, "raised", at=LATER, engine="1.0", text=text, keys=keys)
    assert PATIENT not in entry.text
    assert "13800138000" not in entry.text


def test_a_patient_is_found_under_every_secret(journal: JournalStore, keys: Keys, tmp_path: Path) -> None:
    """One decision before the secret was changed, one after it; the latest first."""
    before = write_decision(journal, keys)
    rotate(tmp_path)
    now = live_keys(tmp_path)
    after = write_decision(journal, now, number=2)
    begin, end = DECIDED - timedelta(days=1), DECIDED + timedelta(days=1)
    hits = search.of_patient(journal, now, "psn", PATIENT, begin, end)
    assert {hit.decision_id for hit in hits} == {before.decision_id, after.decision_id}
    assert {hit.decision_id for hit in search.of_encounter(journal, now, INSTITUTION, ENCOUNTER, begin, end)} == {
        before.decision_id,
        after.decision_id,
    }
    assert search.of_patient(journal, now, "psn", PATIENT, end, end + timedelta(days=1)) == []
    assert search.of_patient(journal, now, "psn", "P-other", begin, end) == []
    assert search.row_of(hits[0], english=False)["found"] == "class-E30-doctor 拦截"


def test_a_folder_without_journal_is_told(tmp_path: Path) -> None:
    """No journal is made by asking for one."""
    with pytest.raises(OfficeError, match="holds no journal"), opened(tmp_path / "wrong"):
        pass
    assert not (tmp_path / "wrong").exists()
