"""Facts compared: texts by terms in them, several words by those they share."""

from __future__ import annotations

from decimal import Decimal

import pytest

from negative_list import conditions as c
from negative_list import gather
from tests.negative_list.builders import SERVICE, judged, line, needs

REHABILITATION = c.Fact(fact="line.remark", terms=("康复医学", "ICU"))
SAME_PACK = c.Some(lines=c.Lines(same=("line.trace_codes",)))
OTHER_PACK = c.Some(lines=c.Lines(different=("line.trace_codes",)))
PACKS = [
    (("A", "B"), ("B", "C"), True),
    (("A",), ("B", "C"), False),
    (("A", "B"), ("A", "B"), True),
    (("A",), None, None),
]


@pytest.mark.parametrize(
    ("told", "held"),
    [("限康复医学科使用", True), ("限ＩＣＵ", True), ("限MICU", False), ("", False), ("限住院", False), (None, None)],
)
def test_terms_are_looked_for_in_a_text(told: str | None, *, held: bool | None) -> None:
    """One that stands in the text makes it true, none in a told text false; a text never told is unknown."""
    assert judged(REHABILITATION, line(facts={"remark": told})) is held


def test_a_text_that_is_not_told_is_asked_for() -> None:
    """The fact itself is what a condition with terms needs."""
    assert needs(REHABILITATION, line()) == ["line.remark"]


@pytest.mark.parametrize("many", [0, 99])
@pytest.mark.parametrize(("ours", "theirs", "shared"), PACKS)
def test_facts_of_several_words_are_equal_when_they_share_one(
    ours: tuple[str, ...],
    theirs: tuple[str, ...] | None,
    shared: bool | None,
    many: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One pack on two lines is found though each line has other packs too, in a short body as in a long stay."""
    monkeypatch.setattr(gather, "MANY_LINES", many)
    lines = (line(facts={"trace_codes": ours}), line("b", SERVICE, facts={"trace_codes": theirs}))
    assert judged(SAME_PACK, *lines) is shared
    assert judged(OTHER_PACK, *lines) is (None if shared is None else not shared)


def test_lines_that_share_a_word_are_counted() -> None:
    """Of three lines the one that shares no word with the trigger line is left out."""
    lines = [
        line(ident, facts={"trace_codes": codes}) for ident, codes in (("a", ("1", "2")), ("b", ("2",)), ("c", ("3",)))
    ]
    assert judged(c.Count(lines=c.Lines(same=("line.trace_codes",)), above=Decimal(1)), *lines)
    assert judged(c.Count(lines=c.Lines(same=("line.trace_codes",)), above=Decimal(2)), *lines) is False
