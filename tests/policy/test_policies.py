"""The policy in force: the office's rows before the file's, ceilings that hold, rules that are not confirmed."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from negative_list.policy import Ceiling, Policy, Setting, parse_policy
from negative_list.rules import ACTIONS, Action
from reminder.releases.policies import MOST_ROWS, confirmed_in, policy_of, row_of, toml_of, with_row, without_row
from reminder.releases.standing import Chosen, Row, Standing
from tests.negative_list.builders import finding

AT = datetime(2026, 11, 22, 1, tzinfo=UTC)
BLOCKS = Policy(default=Ceiling(definite="block", suspicious="remind"))


def row(action: Action, *, exactly: bool = False, **selectors: Any) -> Row:
    """A row of the office."""
    return row_of(Setting(action=action, why="试行", at_most=not exactly, **selectors), "office", AT)


def standing(*said: Row, **active: Any) -> Standing:
    """What stands after rows were said one after the other, with an active release of these fields."""
    there = Standing(active=Chosen(version="2026.11", digest="d", at=AT, **active))
    for one in said:
        there = with_row(there, one)
    return there


def given(there: Standing, base: Policy = BLOCKS, department: str = "", **fields: Any) -> Action:
    """The action a finding of rule ``r``, class R67, gets."""
    return policy_of(base, there).action_for(finding(**fields), department)


def test_without_anything_said_the_file_is_in_force() -> None:
    """Nothing stands: the very policy of the file, by its digest."""
    assert policy_of(BLOCKS, Standing()) is BLOCKS
    assert policy_of(BLOCKS, standing()).digest == BLOCKS.digest


@pytest.mark.parametrize("selectors", [{"rule": "r"}, {"class_id": "R67"}, {}])
def test_blocks_are_turned_down_by_rule_class_and_for_all(selectors: dict[str, Any]) -> None:
    """A ceiling makes a block a warning and leaves what is weaker as it is."""
    there = standing(row("warn", **selectors))
    assert given(there) == "warn"
    assert given(there, result="suspicious") == "remind"
    assert given(there, rule_id="other", class_id="R65") == ("block" if selectors else "warn")


def test_a_row_for_a_department_is_about_no_other() -> None:
    """Narrowed to a department."""
    there = standing(row("warn", class_id="R67", department="A01"))
    assert (given(there, department="A01"), given(there, department="A02")) == ("warn", "block")


def test_exactly_raises_and_a_later_ceiling_still_holds() -> None:
    """An exception said later stands against an earlier ceiling; a ceiling said last caps every exception."""
    weak: dict[str, Any] = {"result": "suspicious"}
    assert given(standing(row("warn"), row("block", exactly=True, rule="r")), **weak) == "block"
    assert given(standing(row("block", exactly=True, rule="r"), row("warn")), **weak) == "warn"
    assert given(standing(row("block", exactly=True, rule="r"), row("warn", class_id="R67")), **weak) == "warn"


def test_the_files_rows_are_asked_after_the_offices() -> None:
    """A ceiling of the office caps a row of the file, which had the word before."""
    base = replace(BLOCKS, set_=(Setting(action="block", why="本院", rule="r"),))
    assert given(standing(), base, result="suspicious") == "block"
    assert given(standing(row("warn")), base, result="suspicious") == "warn"


def test_the_last_word_about_the_same_stands_and_can_be_taken_back() -> None:
    """One row for one selection, the newest first; taking one back leaves the others."""
    there = standing(row("warn", rule="r"), row("remind", class_id="R67"), row("pass", rule="r"))
    assert [one.setting.action for one in there.rows] == ["pass", "remind"]
    assert given(there) == "pass"
    cleared = without_row(there, Setting(action="warn", why="", rule="r"))
    assert given(cleared) == "remind"
    assert without_row(cleared, Setting(action="warn", why="", rule="r")) is cleared


@pytest.mark.parametrize("shadow", [False, True])
def test_an_unconfirmed_rule_warns_at_most_whatever_is_said(shadow: bool) -> None:
    """Neither its own action nor a row raises it; in shadow it is not shown. Other rules act as they are written."""
    there = standing(row("block", exactly=True, rule="r"), unconfirmed=("r",), shadow=shadow)
    assert given(there) == ("pass" if shadow else "warn")
    assert given(standing(unconfirmed=("r",), shadow=shadow), result="suspicious") == ("pass" if shadow else "remind")
    assert given(there, rule_id="other") == "block"


def test_confirmed_it_acts_as_it_is_written() -> None:
    """Confirming one leaves the others; the last one ends the shadow of the release."""
    there = standing(unconfirmed=("q", "r"), shadow=True)
    once = confirmed_in(there, frozenset({"r"}))
    assert (given(once), given(once, rule_id="q")) == ("block", "pass")
    twice = confirmed_in(once, frozenset({"q"}))
    assert twice.active is not None
    assert (twice.active.unconfirmed, twice.active.shadow) == ((), False)
    assert confirmed_in(twice, frozenset({"q"})) is twice


@pytest.mark.parametrize("action", ACTIONS)
def test_an_unknown_is_never_raised_above_warn(action: Action) -> None:
    """Whatever the office says of it."""
    there = standing(row(action, exactly=True, rule="r"))
    assert given(there, unknown=True) == ("warn" if action == "block" else action)


def test_there_are_not_more_rows_than_checks_can_ask() -> None:
    """The row after the last is refused, with the way out; one about the same is not one more."""
    there = standing(*(row("warn", rule=f"r{n}") for n in range(MOST_ROWS)))
    with pytest.raises(ValueError, match="clear some"):
        with_row(there, row("warn", rule="more"))
    assert len(with_row(there, row("pass", rule="r7")).rows) == MOST_ROWS


def test_it_is_written_as_a_file_the_library_reads() -> None:
    """What is shown decides as what is in force; texts of people stay in their line."""
    there = standing(row("warn", class_id="R67"), unconfirmed=("r",), shadow=True)
    there = with_row(there, row_of(Setting(action="pass", why='两行\n"引号"', rule="q"), "a\nb", AT))
    policy = policy_of(BLOCKS, there)
    text = toml_of(policy, ["one\nline"])
    assert parse_policy(text, "shown") == policy
    assert parse_policy(text, "shown").digest == policy.digest
    assert tomllib.loads(text)["set"][0]["why"] == '两行 "引号"'
    assert there.rows[0].who == "a b"
