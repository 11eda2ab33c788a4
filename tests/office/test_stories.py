"""Every story of the field, decided by a sidecar that is told everything, is explained from its journal alone."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reminder.journal.engine import engine
from reminder.journal.opening import open_journal
from reminder.office.explained import explained
from reminder.office.layout import laid_out
from reminder.office.tree import parts_of
from tests.cases.stories import stories
from tests.cases.telling import answered

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.office.explained import Explained
    from reminder.office.words import Language


def told_of(folder: Path, language: Language) -> list[Explained]:
    """Every decision of a sidecar's journal, explained."""
    with contextlib.closing(open_journal(folder / "var")) as journal:
        rows = journal.period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), ("decision",))
        idents = [row.decision_id for row in rows]
        return [explained(journal, ident, language, engine()) for ident in idents]


@pytest.mark.parametrize("name", sorted(stories()))
def test_a_story_is_explained_as_it_was_decided(tmp_path: Path, name: str) -> None:
    """Each finding has its rule and its conditions, which answer as they did, on facts that are named with a source."""
    story = stories()[name]
    answers = answered(story, tmp_path)
    told = told_of(tmp_path, "zh")
    assert told != []
    after = next(one for one in told if one.decision_id == answers.after.decision_id)
    assert {one.found.rule_id for one in after.found} >= {one.rule_id for one in answers.after.findings}
    assert [one.differs for one in told if one.differs] == []
    for one in (found for explanation in told for found in explanation.found):
        parts = [part for walked in one.walked for top in walked.parts for part in parts_of(top)]
        assert one.rule is not None
        assert any(part.holds for part in parts if part.role == "violation") or one.found.unknown
        assert all(fact.source for part in parts for fact in part.facts)
    for language in ("zh", "en"):
        texts = [laid_out(one, None, language) for one in told_of(tmp_path, language)]
        assert all(one.decision_id in text for one, text in zip(told, texts, strict=True))
        assert [text for text in texts if "None" in text] == []


def test_lines_of_history_are_told_with_their_source_and_day(tmp_path: Path) -> None:
    """Of thirteen sessions in a month twelve come from history, each on a day of its own."""
    answered(stories()["03-dialysis-over-the-month"], tmp_path)
    text = laid_out(told_of(tmp_path, "zh")[-1], None, "zh")
    assert text.count("数量（line.quantity） = 1") == 13
    assert text.count("(来源 历史)") == 12
    assert "(来源 历史)  [#F1125 血液透析 003110000060000 2026-11-25]" in text
    assert "历史：12行，1次就诊，自2026-01-01起完整" in text
