"""Rules in question and doctors the office should talk to, from figures alone."""

from __future__ import annotations

import tomllib
from typing import Any

from reminder.compliance.questions import Exits, Flag, flags, proposed, top_rules
from reminder.compliance.records import Figures, Group, Notes, Report, Share
from reminder.compliance.report import reminders
from tests.compliance.stories import JANUARY, story
from tests.docs.pages import ROOT, sections


def report(by: str, **groups: dict[str, Any]) -> Report:
    """A report of some groups."""
    told = tuple(Group(key=key, figures=Figures(**figures)) for key, figures in sorted(groups.items()))
    total = Figures(findings=sum(group.figures.findings for group in told))
    return Report(by=by, period=JANUARY, groups=told, total=total, notes=Notes())


def test_top_rules_stand_by_findings_with_their_cumulative_share() -> None:
    """The most first, then by id; what was not shown is left out."""
    top = top_rules(report("rule", b={"findings": 3}, a={"findings": 3}, c={"findings": 14}, d={}))
    assert [one.group.key for one in top] == ["c", "a", "b"]
    assert [one.cumulative for one in top] == [Share(part=part, whole=20) for part in (14, 17, 20)]
    assert top[1].share == Share(part=3, whole=20)


def test_rules_nobody_follows_are_proposed_for_demotion() -> None:
    """With enough reminders of known outcome, nine of ten kept and hardly any acted upon."""
    rules: dict[str, dict[str, Any]] = {
        "clicked": {"outcomes": {"overridden": 40, "ignored": 8, "changed": 2, "unobserved": 900}},
        "few": {"outcomes": {"overridden": 49, "unobserved": 900}},
        "followed": {"outcomes": {"overridden": 45, "changed": 5}},
        "justified": {"outcomes": {"overridden": 44, "justified": 6}},
        "exits": {"outcomes": {"exited": 50}},
    }
    for figures in rules.values():
        figures["findings"] = sum(figures["outcomes"].values())
    assert [group.key for group in proposed(report("rule", **rules))] == ["clicked", "exits"]


def test_doctors_whose_reasons_say_nothing_are_named() -> None:
    """From twenty typed reasons on, half of which are junk; "" is no doctor."""
    told: dict[str, dict[str, Any]] = {
        "": {"texts": 90, "junk": 90},
        "D1": {"texts": 20, "junk": 10},
        "D2": {"texts": 19, "junk": 19},
        "D3": {"texts": 20, "junk": 9},
    }
    assert flags(report("doctor", **told)) == (Flag(what="junk", about="D1", share=Share(part=10, whole=20)),)


def test_doctors_who_go_round_reminders_are_named() -> None:
    """Over three times the median doctor's share of self-paid, or of justified ones; few reminders say nothing."""
    told: dict[str, dict[str, Any]] = {
        f"D{number}": {"reminders": 100, "outcomes": {"self_paid": count, "justified": 1}}
        for number, count in enumerate((10, 10, 30, 31), start=1)
    }
    told["D9"] = {"reminders": 19, "outcomes": {"self_paid": 19}}
    assert flags(report("doctor", **told)) == (Flag(what="self_paid", about="D4", share=Share(part=31, whole=100)),)


def test_a_block_left_by_two_doctors_in_a_day_is_flagged() -> None:
    """Twice by one doctor is not, nor on two days; day and doctor are those of the words, not of the orders."""
    told = story(
        """
09:00 check d1 doctor=D1: A 1 / B 1 / C 1 -> r1 A, r1 B, r2 C
09:01 feedback d1 r1 A: exited reason=rescue doctor=D1
09:01 feedback d1 r1 B: exited reason=rescue doctor=D1
09:01 feedback d1 r2 C: exited reason=rescue doctor=D1
10:00 check d2 doctor=D1: D 1 / F 1 -> r2 D, r1 F
10:01 feedback d2 r2 D: exited reason=rescue doctor=D2
10:01 feedback d2 r1 F: exited reason=rescue
10:00 check d3 doctor=D2: E 1 -> r1 E
01-06 10:01 feedback d3 r1 E: exited reason=rescue doctor=D2 done=01-06T10:01
""".strip()
    )
    exits = Exits()
    for one in reminders(told.rows, JANUARY):
        exits(one)
    assert exits.flags() == (Flag(what="exits", about="r2", day="2026-01-05", share=Share(part=2, whole=2)),)


def test_the_numbers_of_the_page_are_those_of_the_table() -> None:
    """Thresholds stand in docs/compliance.md as in thresholds.toml."""
    text = sections(ROOT / "docs" / "compliance.md")["Rules in question"]
    table = tomllib.loads((ROOT / "reminder" / "compliance" / "thresholds.toml").read_text("utf-8"))
    bar = table["demotion"]
    for said in (f"{bar['reminders']} reminders", f"{bar['kept_percent']} %", f"{bar['acted_percent']} %"):
        assert said in text
    assert f"at least {table['flags']['texts']} typed reasons" in text
    assert f"at least {table['flags']['doctor_reminders']} reminders" in text
