"""Emergency exits: a block that was left only warns, for the item and order day it was left for."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from negative_list.decide import decide_whole
from negative_list.items import item_of, order_date_of, order_day_of
from negative_list.prescription import Line
from tests.negative_list.builders import AT, line, listed, prescription, rule

BEGUN = datetime(2026, 1, 5, 9)


def test_a_block_that_was_left_warns_and_says_so() -> None:
    """Only where every line it offends on was left, and for that order day; the rule's own action is still told."""
    first = replace(line(), begins=BEGUN)
    body = prescription(first)
    key = ("r", item_of(first), "2026-01-05")
    whole = decide_whole(listed(rule()), body, AT, exits=frozenset({key}))
    (found,) = whole.decision.findings
    assert (whole.decision.decision, found.action, found.exited) == ("warn", "warn", True)
    assert found.message.startswith("【警告】")
    assert "已紧急放行" in found.message
    assert [(one.action, one.exited) for one in whole.graded] == [("block", False)]
    for other in (("s", *key[1:]), ("r", "X", key[2]), ("r", key[1], "2026-01-06")):
        assert decide_whole(listed(rule()), body, AT, exits=frozenset({other})).decision.decision == "block"


def test_a_line_tells_its_item_and_order_day() -> None:
    """Its first code, else the hospital's own, else its name; the day of the decision where it tells none."""
    bare = Line(id="a", encounter_id="E", name="维生素 Ｃ")
    assert item_of(bare) == "维生素c"
    assert item_of(replace(bare, facts={"line.local_code": "L1"})) == "L1"
    assert item_of(replace(bare, codes=("A", "B"), facts={"line.local_code": "L1"})) == "A"
    assert (order_date_of(bare), order_day_of(bare, BEGUN)) == ("", "2026-01-05")
    assert order_day_of(replace(bare, begins=datetime(2026, 1, 2)), BEGUN) == "2026-01-02"
