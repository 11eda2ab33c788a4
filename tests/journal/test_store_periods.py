"""Long reads: periods in their order, sorted by the database, in memory that does not grow with them."""

from __future__ import annotations

import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from reminder.journal.chain import rows_of
from tests.journal.memory_store import part_of
from tests.journal.records import EMPTY, T0, after, draft, drafts, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reminder.journal.base import Kind, Row
    from reminder.journal.store import SqlJournal

ROWS = 50_000
MOST_BYTES = 8_000_000
"""Far under what the rows are: 50,000 of some 700 bytes each."""


def test_a_period_holds_its_begin_and_not_its_end(journal: SqlJournal) -> None:
    """To the microsecond, by instant, whatever order they were written in; of some kinds or all."""
    rows = written(journal, [draft(k, kind=kind) for k, kind in ((3, "gap"), (1, "saved"), (2, "decision"))])
    close = written(journal, [draft(at=after(1.000001)), draft(at=after(0.999999))])
    assert list(journal.period(after(1), after(3))) == [rows[1], close[0], rows[2]]
    assert list(journal.period(after(1), after(1.000001))) == [rows[1]]
    assert list(journal.period(T0, after(9), ["gap", "saved"])) == [rows[1], rows[0]]
    assert list(journal.period(after(9), T0)) == []
    assert journal.count(after(1), after(3)) == 3
    assert journal.count(T0, after(9), ["gap", "saved"]) == 2


def test_entries_of_one_instant_are_in_the_order_of_chains(journal: SqlJournal) -> None:
    """By the chain's name, not by which was first, then by number."""
    later = written(journal, [draft(1), draft(1)], chain="b")
    first = written(journal, [draft(1), draft(1)], chain="a")
    assert list(journal.period(T0, after(9))) == first + later
    assert list(journal.briefs(T0, after(9), by_encounter=False)) == [bare(row) for row in first + later]
    more = written(journal, [draft(2, encounter_key=key) for key in "zy"], chain="c")
    assert list(journal.period(after(2), after(3))) == more
    assert list(journal.briefs(after(2), after(3), by_encounter=True)) == [bare(row) for row in more[::-1]]


def bare(row: Row) -> Row:
    """An entry without its body."""
    return replace(row, body=b"")


def test_briefs_come_by_institution_and_encounter(journal: SqlJournal) -> None:
    """Then by instant, chain and number, as a plain sort has them; those without an encounter first."""
    draw = random.Random(4)
    rows: list[Row] = []
    for chain in ("a", "b"):
        fields = [{"institution_id": f"H{draw.randrange(3)}", "encounter_key": draw.choice(["", "e", "E", "é", "e1"])}
                  for _ in range(60)]  # fmt: skip
        rows += written(journal, [draft(draw.randrange(20), **told) for told in fields], chain)
    within = [bare(row) for row in rows if after(2) <= row.at < after(15)]
    told = journal.briefs(after(2), after(15), by_encounter=True)
    assert list(told) == sorted(within, key=lambda r: (r.institution_id, r.encounter_key, r.at, r.chain, r.seq))
    told = journal.briefs(after(2), after(15), by_encounter=False)
    assert list(told) == sorted(within, key=lambda r: (r.at, r.chain, r.seq))


def test_briefs_come_in_parts(journal: SqlJournal) -> None:
    """Each encounter in one of them, what has none in the first, feedback that has none in every part."""
    draw = random.Random(5)
    kinds: tuple[Kind, ...] = ("decision", "feedback", "saved")
    keys = ["", *(f"{draw.getrandbits(64):x}" for _ in range(9))]
    written(journal, [draft(n, kind=draw.choice(kinds), encounter_key=draw.choice(keys)) for n in range(90)])
    whole = list(journal.briefs(after(2), after(80), by_encounter=True))
    for parts in (1, 2, 3):
        for part in range(parts):
            told = journal.briefs(after(2), after(80), by_encounter=True, part=part, parts=parts)
            assert list(told) == list(part_of(whole, part, parts))


def test_a_long_read_sees_one_moment(journal: SqlJournal) -> None:
    """What is written meanwhile is not in it, and does not wait for it."""
    rows = written(journal, drafts(3000))
    for told in (
        journal.chain("a"),
        journal.period(T0, after(9999)),
        journal.briefs(T0, after(9999), by_encounter=True),
    ):
        first = next(told)
        rows += written(journal, [draft(8000)])
        assert first.seq == 1
        assert sum(1 for _ in told) == len(rows) - 2


def test_a_long_read_may_be_left_early(journal: SqlJournal) -> None:
    """Nothing is held by it afterwards."""
    rows = written(journal, drafts(2000))
    told = journal.chain("a")
    assert [next(told), next(told)] == rows[:2]
    del told
    assert list(journal.chain("a")) == rows


@pytest.fixture
def many(journal: SqlJournal) -> SqlJournal:
    """A journal of tens of thousands of entries."""
    head, texts = EMPTY, random.Random(1).randbytes(700)
    for begin in range(0, ROWS, 1000):
        group = [
            draft(number, encounter_key=f"{number * 7919 % 10_007:032}", brief=texts[:300], body=texts)
            for number in range(begin, begin + 1000)
        ]
        rows, head = rows_of(head, group)
        journal.append(rows)
    return journal


@pytest.mark.slow
def test_memory_does_not_grow_with_what_is_read(many: SqlJournal) -> None:
    """Neither of entries nor of briefs that are sorted first."""
    end = after(ROWS)
    for told in (many.period(T0, end), many.briefs(T0, end, by_encounter=True)):
        count, most = counted(told)
        assert count == ROWS
        assert most < MOST_BYTES


def counted(told: Iterator[Row]) -> tuple[int, int]:
    """How many entries, and the most bytes Python held meanwhile."""
    tracemalloc.start()
    try:
        return sum(1 for _ in told), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
