"""From counts to what is to be done: which rules stay silent, for want of what, and what the site may say of it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list.compile import CompiledList, compile
from negative_list.decide import decide
from negative_list.parse import read_parsed
from negative_list.readers import read_national
from negative_list.site import Sites
from negative_list.validate import check
from reminder.forecast.page import written
from reminder.survey.gathering import gathered
from reminder.survey.judging import surveyed
from reminder.survey.page import data_of, page_of
from reminder.survey.sitefile import site_piece
from reminder.survey.tally import Tally
from tests.survey.sent import HOSPITAL, LIST, encoded, sent

if TYPE_CHECKING:
    from negative_list.decision import Decision
    from negative_list.rules import RuleList
    from reminder.survey.records import FieldSaid, Survey

NOW = datetime(2026, 1, 1, 9)
BODIES = 40


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleList:
    """The list of the examples."""
    path = tmp_path_factory.mktemp("list") / "list.yaml"
    path.write_text(LIST, "utf-8")
    return check(read_parsed(path))


@pytest.fixture(scope="module")
def compiled(rules: RuleList) -> CompiledList:
    """The same, ready to match."""
    return compile(rules)


@pytest.fixture(scope="module")
def survey(rules: RuleList, compiled: CompiledList) -> Survey:
    """What the invented hospital sends."""
    found = gathered((encoded(sent(n)) for n in range(BODIES)), Sites(), compiled, b"k" * 32, lambda: NOW)
    return surveyed(HOSPITAL, found[HOSPITAL], rules, least=BODIES)


def said(survey: Survey, key: str) -> FieldSaid:
    """What is said of a field."""
    return next(one for one in survey.fields if one.key == key)


def test_rules_that_can_never_find_anything_are_named_with_the_field_they_need(survey: Survey) -> None:
    """The level is a placeholder each time; the rule was asked about each time."""
    (silent,) = survey.silent
    assert (silent.rule_id, silent.needs, silent.undecided) == ("R12-level", ("encounter.institution_level",), BODIES)
    (lacking,) = survey.lacking
    assert (lacking.fields, lacking.rules, lacking.came) == (("fsi_encounter_dtos.medins_lv",), 1, True)
    assert any(value.endswith("= 2") for value in lacking.values)


def test_rules_about_visits_or_items_that_did_not_come_are_not_judged(survey: Survey) -> None:
    """Of outpatients nobody learns what is sent of inpatients; of drugs not what is sent of herbs."""
    assert (survey.listed, survey.unseen) == (5, 2)


def test_rules_that_had_ended_are_left_out(rules: RuleList) -> None:
    """By the first day that was counted; one that ended on it was in force."""
    first = replace(rules.rules[0], valid_to=date(2026, 1, 1))
    ended = replace(rules, rules=(first, *rules.rules[1:]))
    told = [surveyed(HOSPITAL, Tally(), ended, days=(day,)).listed for day in ("2026-01-01", "2026-01-02")]
    assert told == [5, 4]


def test_a_rule_with_another_way_is_not_silent_and_its_fact_is_proposed_all_the_same(survey: Survey) -> None:
    """By weight or quantity: it can be found by quantity; but for the weight it would ask for ever."""
    assert "E01-weight" not in {one.rule_id for one in survey.silent}
    assert ("E01-weight", "patient.weight_kg", BODIES) in survey.undecided
    assert survey.never_sent == ("encounter.institution_level", "patient.weight_kg")


def test_too_few_bodies_say_nothing_of_never(rules: RuleList, compiled: CompiledList) -> None:
    """What did not come in some visits may come in the next."""
    found = gathered((encoded(sent(n)) for n in range(BODIES - 1)), Sites(), compiled, b"k" * 32, lambda: NOW)
    few = surveyed(HOSPITAL, found[HOSPITAL], rules, least=BODIES)
    assert (few.enough, few.silent, few.never_sent) == (False, (), ())
    assert "尚不能断定" in page_of(few).warnings[0]


def test_fields_are_absent_constant_or_placeholders(survey: Survey) -> None:
    """Each with its share; what is said of the hospital itself may stay the same."""
    level, kind = said(survey, "medins_lv"), said(survey, "med_type")
    assert (level.placeholder, level.unusable) == (BODIES, 1.0)
    assert (kind.constant, kind.value, kind.rules) == (True, "11", 1)
    assert said(survey, "o_prdDays").absent == 3 * BODIES
    page = page_of(survey, english=True)
    told = {row[0]: row for table in page.tables if table.title.startswith(("Fields", "Other")) for row in table.rows}
    assert "always 11" in told["fsi_encounter_dtos.med_type"][8]
    assert "fsi_encounter_dtos.medins_name" not in told


def decided(told: dict[str, Any], compiled: CompiledList, sites: Sites) -> Decision:
    """What a body is answered at a site."""
    prescription = read_national(told, sites)
    return decide(compiled, prescription, prescription.at or NOW)


def test_the_piece_of_a_site_file_keeps_rules_from_asking(
    survey: Survey, compiled: CompiledList, tmp_path: Path
) -> None:
    """Read as it was written: nobody is asked any more, and each rule stays among those not evaluated."""
    path = tmp_path / "site.toml"
    path.write_text(site_piece([survey]), "utf-8")
    sites = Sites.read(path)
    assert sites.of(HOSPITAL).never_sent == set(survey.never_sent)
    before, after = (decided(sent(1), compiled, one) for one in (Sites(), sites))
    assert [found.unknown for found in before.findings] == [True]
    assert after.findings == ()
    assert {one.rule_id: one.reason for one in after.not_evaluated} == {
        "E01-weight": "never_sent",
        "R12-level": "never_sent",
    }
    assert [found.rule_id for found in decided(sent(2), compiled, sites).findings] == ["R67-sex"]


def test_nothing_to_propose_is_a_file_too(tmp_path: Path) -> None:
    """A site file that says nothing."""
    path = tmp_path / "site.toml"
    path.write_text(site_piece([]), "utf-8")
    assert Sites.read(path).default.never_sent == frozenset()


@pytest.mark.parametrize("as_format", ["html", "text", "csv", "json", "xlsx"])
def test_the_page_is_written_in_every_format(survey: Survey, as_format: str) -> None:
    """With no script, and asking nothing of the network."""
    for english in (False, True):
        content = written(page_of(survey, english=english), as_format, english=english)
        assert content
        if as_format == "html":
            text = content.decode()
            assert ("<script" in text, "http" in text.replace("http-equiv", "")) == (False, False)
            assert ("永远得不出结论的规则" in text) != english
            assert "fsi_encounter_dtos.medins_lv" in text


def test_a_program_gets_all_of_it(survey: Survey) -> None:
    """Every field, also those nothing is wrong with."""
    data = data_of(survey)
    assert data["never_sent"] == ("encounter.institution_level", "patient.weight_kg")
    assert {row["key"]: row["matters"] for row in data["fields"]}["cnt"] is True  # the same quantity each time
    assert {row["key"]: row["matters"] for row in data["fields"]}["rx_id"] is False


def test_without_a_list_fields_and_codes_are_told(compiled: CompiledList) -> None:
    """And that rules are not."""
    found = gathered((encoded(sent(n)) for n in range(4)), Sites(), None, b"k" * 32, lambda: NOW)
    bare = surveyed(HOSPITAL, found[HOSPITAL], None, least=1)
    assert (bare.listed, bare.silent, len(bare.unmapped)) == (0, (), 3)
    assert any("--list" in text for text in page_of(bare).warnings)
