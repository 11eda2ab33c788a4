"""The compiled form: read back it is the list, damaged it is refused, and no step of reading it is long."""

from __future__ import annotations

import gc
import io
from array import array
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

import negative_list
from negative_list import compiled_form
from negative_list.compile import canonical_lines, compile, digest_of
from negative_list.compiled_form import FormError, form_of, loading_of, opened, read
from negative_list.decide import decide
from negative_list.engine import match
from negative_list.generate import generate
from negative_list.on_demand import PIECE_ROWS, Index, Rows
from negative_list.parse import read_parsed
from negative_list.rules import RuleList, Trigger
from negative_list.terms import SHARD_TERMS
from negative_list.validate import check
from negative_list.warming import asked_again
from tests.forms import through_form
from tests.generators import draw_case
from tests.generators_lists import draw_list
from tests.negative_list.builders import AT, DRUG, OTHER, line, prescription, rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.compile import BoundRule, CompiledList

LISTS = Path(negative_list.__file__).parent / "lists"


def named(index: Mapping[str, tuple[BoundRule, ...]]) -> dict[str, list[str]]:
    """What an index finds, by rule ids."""
    return {key: [bound.rule.id for bound in rules] for key, rules in index.items()}


def contents(compiled: CompiledList) -> list[object]:
    """All that a list holds, the bound conditions aside."""
    indexes = (compiled.by_code, compiled.by_type, compiled.by_name, compiled.by_diagnosis, compiled.by_operation)
    return [
        [(bound.rule, bound.days, bound.overridden, bound.dated, bound.local) for bound in compiled.rules],
        [named(index) for index in indexes],
        {length: named(index) for length, index in compiled.by_prefix.items()},
        [bound.rule.id for bound in compiled.of_encounter],
        (len(compiled.terms), compiled.digest, compiled.details, compiled.changes),
        b"".join(compiled.lines()),
    ]


@pytest.mark.parametrize("name", ["sample", "classes", "hardest"])
def test_a_shipped_list_comes_back_as_it_was(name: str) -> None:
    """Rules, what finds them, dates, terms, and the list's own text with the cases."""
    rules = check(read_parsed(LISTS / name))
    assert contents(through_form(rules)) == contents(compile(rules))


def test_numbers_come_back_as_they_were_written() -> None:
    """A limit of 1.50 is not one of 1.5 in a message."""
    rules = check(read_parsed(LISTS / "classes"))
    assert [repr(bound.rule) for bound in through_form(rules).rules] == [repr(b.rule) for b in compile(rules).rules]


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_list_comes_back_as_it_was(seed: int) -> None:
    """Whatever can stand in a list."""
    rules = draw_list(seed)
    assert contents(through_form(rules)) == contents(compile(rules))


def test_rules_that_stand_in_for_others_come_back() -> None:
    """With the days on which they do."""
    until, since = date(2026, 3, 31), date(2026, 4, 1)
    rules = RuleList(
        rules=(rule(id="a", valid_to=until), rule(id="b", overrides=("a",)), rule(id="c", valid_from=since))
    )
    compiled = through_form(rules)
    assert contents(compiled) == contents(compile(rules))
    assert {date.fromordinal(day) for day in compiled.changes} == {since}


@pytest.mark.parametrize(("moment", "found"), [("2026-03-31 23:59:59", "old"), ("2026-04-01 00:00:00", "new")])
def test_dates_take_effect_at_midnight_without_a_reload(moment: str, found: str) -> None:
    """Of one list in memory the last second of a day answers by the old rule, the next by the new."""
    rules = (rule(id="old", valid_to=date(2026, 3, 31)), rule(id="new", valid_from=date(2026, 4, 1)))
    compiled = through_form(RuleList(rules=rules))
    at = datetime.fromisoformat(moment)
    decision = decide(compiled, prescription(line(begins=at)), at)
    assert [finding.rule_id for finding in decision.findings] == [found]


def test_a_rule_is_bound_when_it_is_asked_for_and_kept() -> None:
    """What nobody asks about stays text; two askers get the same object."""
    rules = RuleList(rules=(rule(id="a"), rule(id="b", trigger=Trigger(codes=(OTHER, DRUG)))))
    compiled = through_form(rules)
    assert isinstance(compiled.by_code, Index)
    assert len(compiled.by_code.found) == 0
    found = match(compiled, prescription(line(codes=(OTHER,))), AT).judgements
    assert [one.rule.rule.id for one in found] == ["b"]
    assert compiled.by_code[DRUG][1] is compiled.by_code[OTHER][0] is compiled.rules[1] is compiled.rules[-2:][1]
    assert compiled.by_code.get("nobody") is None
    with pytest.raises(KeyError, match="nobody"):
        compiled.by_code["nobody"]
    with pytest.raises(IndexError):
        compiled.rules[2]


def test_rows_are_a_sequence() -> None:
    """Counted from either end, and by slices."""
    rows = Rows(array("I", (0, 1, 1, 3)).tobytes(), memoryview(b"abc"))
    assert [bytes(row) for row in rows] == [b"a", b"", b"bc"]
    assert [bytes(row) for row in (rows[-1], rows[-3], *rows[1:])] == [b"bc", b"a", b"", b"bc"]
    for place in (3, -4):
        with pytest.raises(IndexError):
            rows[place]


def test_no_step_of_loading_is_long() -> None:
    """A step takes in so many rows or shards and reads none of them; a shard is read when a key of it is asked for."""
    rules = generate(20_000, 1)
    loading = loading_of(io.BytesIO(form_of(rules)))
    keys = compiled_form.SHARD_KEYS * compiled_form.PART_SHARDS
    assert sum(1 for _ in loading) > len(rules.rules) // PIECE_ROWS + rules.details // keys
    compiled = loading.compiled
    assert max(len(each) for part in compiled.parts for each in part if isinstance(each, Rows)) == PIECE_ROWS
    assert len(compiled.terms) <= SHARD_TERMS * len(compiled.parts[-1])
    assert not read_shards(compiled)
    assert compiled.by_code.get("nobody") is None
    (shard,) = read_shards(compiled)
    assert 0 < len(shard) <= compiled_form.SHARD_KEYS


def read_shards(compiled: CompiledList) -> list[dict[str, int]]:
    """The shards that were looked into."""
    return [each for part in compiled.parts if isinstance(part, list) for each in part if isinstance(each, dict)]


def test_a_coming_list_is_asked_what_the_one_before_was() -> None:
    """Its rules are bound and its names read before anybody asks it; what it has no more is passed over."""
    by_prefix = Trigger(prefixes=(OTHER[:5],))
    before = through_form(RuleList(rules=(rule(id="a"), rule(id="b", trigger=by_prefix))))
    coming = through_form(RuleList(rules=(rule(id="c"), rule(id="d", trigger=by_prefix))))
    other = through_form(RuleList(rules=(rule(id="e", trigger=Trigger(codes=("Z",))),)))
    match(before, prescription(line(), line(codes=(OTHER,))), AT)
    before.terms.in_name("高血压")
    assert sum(1 for _ in asked_again(before, coming)) == 3
    indexes = (coming.by_code, *coming.by_prefix.values())
    assert [len(index.found) for index in indexes if isinstance(index, Index)] == [1, 1]
    assert coming.terms.remembered() == ("高血压",)
    assert sum(1 for _ in asked_again(before, other)) == 2
    assert isinstance(other.by_code, Index)
    assert not other.by_code.found
    assert sum(1 for _ in asked_again(compile(RULES), coming)) == 0


def test_nothing_in_a_list_holds_itself() -> None:
    """A list dies when the last who uses it has ended: kept out of the collector's way, it would live for ever."""
    for seed in range(6):
        form, case = form_of(draw_list(seed)), draw_case(Random(seed))
        gc.collect()
        gc.disable()
        try:
            loading = loading_of(io.BytesIO(form))
            for _ in loading:
                pass
            compiled = loading.compiled
            for bound in compiled.rules:
                assert bound.rule.id
            del bound, compiled, loading
            assert gc.collect() == 0, f"list {seed}"
        finally:
            gc.enable()
        decide(through_form(draw_list(seed)), case.prescription, case.at)


RULES = RuleList(rules=(rule(id="a"), rule(id="b", amount_share=Decimal("0.50"))))


def test_a_form_on_disk_is_read_back(tmp_path: Path) -> None:
    """It is read by who made it."""
    path = tmp_path / "a.compiled"
    path.write_bytes(form_of(RULES, maker="me"))
    assert contents(read(path, digest=digest_of(RULES), maker="me")) == contents(compile(RULES))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"maker": "another"}, "another version of the program made it"),
        ({"maker": "me", "digest": "0" * 64}, "it is of another list"),
    ],
)
def test_a_form_of_another_is_refused(tmp_path: Path, asked: dict[str, str], told: str) -> None:
    """Of another program, or of another list."""
    path = tmp_path / "a.compiled"
    path.write_bytes(form_of(RULES, maker="me"))
    with pytest.raises(FormError, match=told):
        opened(path, **asked)


def test_a_missing_form_is_told(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(FormError, match=r"`a\.compiled` cannot be read"):
        opened(tmp_path / "a.compiled")


def test_any_change_of_a_form_is_seen(tmp_path: Path) -> None:
    """Every length it may be cut to, and every byte that may be changed."""
    path, whole = tmp_path / "a.compiled", form_of(RULES)
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole[:k] + bytes([whole[k] ^ 0x10]) + whole[k + 1 :] for k in range(0, len(whole), 3)]
    for form in damaged:
        path.write_bytes(form)
        with pytest.raises(FormError, match=r"`a\.compiled`"):
            read(path, digest=digest_of(RULES))


def test_a_loading_has_no_list_before_its_end() -> None:
    """Whoever stops half-way has nothing."""
    loading = loading_of(io.BytesIO(form_of(RULES)))
    next(iter(loading))
    with pytest.raises(FormError, match="not been loaded"):
        _ = loading.compiled


def test_the_text_of_a_list_is_whole() -> None:
    """Cases and sets, too: its digest is that of the list."""
    rules = check(read_parsed(LISTS / "classes"))
    assert b"".join(through_form(rules).lines()) == b"".join(canonical_lines(rules))
