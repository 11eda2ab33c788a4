"""Facts compared: texts by terms in them, several words by those they share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list import findings, gather
from tests.negative_list.builders import SERVICE, decided, judged, line, needs, prescription, rule

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


def test_lines_that_lack_what_others_share_are_gathered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stay of hundreds of lines that do not tell the fact each is undecided, and few lines are looked at."""
    lines = [line(f"l{n}", facts={"eye": None if n else "left"}) for n in range(300)]
    asked: list[str] = []
    monkeypatch.setattr(findings, "MANY_UNDECIDED", 100)

    class Seen(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return super().get(name, default)

    seen = [msgspec.structs.replace(each, facts=Seen(each.facts)) for each in lines]
    limit = c.Sum(lines=c.Lines(same=("line.eye",)), above=Decimal(5))
    decision = decided(rule(limit), on=prescription(*seen))
    assert [(each.needs, len(each.lines)) for each in decision.not_evaluated] == [(("line.eye",), 300)]
    assert len(asked) < 300 * 40


def test_undecided_lines_of_one_rule_with_the_same_needs_are_one_entry() -> None:
    """Lines that lack another fact make an entry of their own."""
    both = c.All(of=(c.Fact(fact="line.days", above=Decimal(1)), c.Fact(fact="line.eye", any_of=("left",))))
    lines = (line(), line("b"), line("c", facts={"eye": "left"}))
    entries = decided(rule(both), on=prescription(*lines)).not_evaluated
    assert [(each.needs, each.lines) for each in entries] == [
        (("line.days", "line.eye"), ("a", "b")),
        (("line.days",), ("c",)),
    ]
