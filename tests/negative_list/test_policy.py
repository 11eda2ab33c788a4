"""What a hospital makes of findings: the shipped table, its own settings, and files that cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list.classes import CLASS_IDS, classes
from negative_list.errors import ListError
from negative_list.policy import Ceiling, Policy, Setting, apply, parse_policy, read_policy, shipped
from negative_list.rules import ACTIONS, Action
from tests.negative_list.builders import finding, written

if TYPE_CHECKING:
    from pathlib import Path

BLOCKING = {
    *("R67", "R81", "R87", "R39", "R54"),  # sex
    *("R06", "R07", "R18", "R19", "R29", "R32", "R33", "R65", "R66", "R80"),  # age
    *("R01", "R02", "R16", "R17"),  # insurance
    *("R12", "R24"),  # level
    "R03",  # never payable
}


def given(policy: Policy, department: str = "", **fields: Any) -> Action:
    """The action a policy gives a finding."""
    return policy.action_for(finding(**fields), department)


@pytest.mark.parametrize("class_id", CLASS_IDS)
def test_the_shipped_policy_blocks_on_clear_violations_alone(class_id: str) -> None:
    """Sex, age, insurance, level and never payable may block; the rest warns; suspicion reminds, indications warn."""
    assert given(shipped(), class_id=class_id) == ("block" if class_id in BLOCKING else "warn")
    suspected = "warn" if class_id in {"R08", "R20", "R88"} else "remind"
    assert given(shipped(), class_id=class_id, result="suspicious") == suspected


def test_the_shipped_policy_is_about_the_classes_it_names() -> None:
    """Each row's reason begins with the official name of its class."""
    for class_id, ceiling in shipped().classes.items():
        assert ceiling.why.partition(":")[0] == classes()[class_id].name


@pytest.mark.parametrize("action", ["remind", "warn"])
def test_a_rules_own_action_is_never_raised_by_a_ceiling(action: Action) -> None:
    """A class that may block does not make a warning rule block."""
    assert given(shipped(), class_id="R67", action=action) == action


SETTINGS = [
    (Setting(action="warn", why="w", rule="r"), {"rule_id": "r"}, {"rule_id": "s"}),
    (Setting(action="warn", why="w", class_id="R67"), {"class_id": "R67"}, {"class_id": "R65"}),
    (Setting(action="warn", why="w", addressee="doctor"), {"addressee": "doctor"}, {"addressee": "office"}),
    (
        Setting(action="warn", why="w", rule="r", class_id="R67"),
        {"rule_id": "r", "class_id": "R67"},
        {"rule_id": "r", "class_id": "R65"},
    ),
]


@pytest.mark.parametrize(("setting", "fitting", "other"), SETTINGS, ids=range(len(SETTINGS)))
def test_a_setting_is_about_what_it_selects(setting: Setting, fitting: dict[str, Any], other: dict[str, Any]) -> None:
    """A setting for a rule, a class or an addressee changes those findings and no others."""
    policy = Policy(default=Ceiling(definite="block"), set_=(setting,))
    assert given(policy, **fitting) == "warn"
    assert given(policy, **other) == "block"


def test_a_setting_may_be_for_one_department() -> None:
    """The department of the encounter decides; without one the setting does not fit."""
    policy = Policy(default=Ceiling(definite="block"), set_=(Setting(action="pass", why="w", department="D1"),))
    assert [given(policy, department) for department in ("D1", "D2", "")] == ["pass", "block", "block"]


def test_the_first_setting_that_fits_wins() -> None:
    """Rows are read in order; one without selectors is about everything, and may raise an action too."""
    rows = (Setting(action="pass", why="a", rule="r"), Setting(action="block", why="b"))
    policy = msgspec.structs.replace(shipped(), set_=rows)
    assert given(policy, rule_id="r") == "pass"
    assert given(policy, rule_id="s", class_id="R08", action="remind") == "block"


@pytest.mark.parametrize("setting", [None, Setting(action="block", why="w")])
@pytest.mark.parametrize("action", ACTIONS)
def test_an_unknown_is_never_above_warn(setting: Setting | None, action: Action) -> None:
    """Whatever the rule and the policy say, what could not be decided does not block."""
    policy = Policy(default=Ceiling(definite="block"), set_=(setting,) if setting else ())
    assert ACTIONS.index(given(policy, unknown=True, action=action)) <= ACTIONS.index("warn")


def test_a_ceiling_without_a_kind_leaves_it_to_the_default() -> None:
    """What a class does not say the default says; where nobody says anything the rule's action stands."""
    policy = Policy(default=Ceiling(definite="warn"), classes={"R67": Ceiling(suspicious="remind")})
    assert given(policy, class_id="R67") == "warn"
    assert given(policy, class_id="R65", result="suspicious") == "block"


def test_applying_changes_actions_and_nothing_else() -> None:
    """Findings keep their order and everything but the action; those in shadow are kept with the action pass."""
    found = (finding(rule_id="r"), finding(rule_id="s", class_id="R08"))
    policy = msgspec.structs.replace(shipped(), set_=(Setting(action="pass", why="w", rule="r"),))
    first, second = apply(found, policy)
    assert (first, second) == (
        msgspec.structs.replace(found[0], action="pass"),
        msgspec.structs.replace(found[1], action="warn"),
    )


def test_a_digest_names_the_content() -> None:
    """The same content has the same digest however it is written; any change changes it."""
    text = '[default]\ndefinite = "warn"\n[[set]]\naction = "pass"\nwhy = "x"\nrule = "r"\n'
    again = 'set = [{ rule = "r", why = "x", action = "pass" }]\ndefault.definite = "warn"\n'
    assert parse_policy(text, "p").digest == parse_policy(again, "p").digest
    changed = [text.replace('"r"', '"s"'), text.replace('"x"', '"y"'), text.replace('"pass"', '"remind"'), ""]
    assert len({parse_policy(each, "p").digest for each in (text, *changed)}) == 5
    assert parse_policy(text, "p").digest != shipped().digest


def test_a_policy_file_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    """Editors of Windows put one before the text."""
    file = written(tmp_path, b'\xef\xbb\xbf[default]\ndefinite = "remind"\n', "p.toml")
    assert given(read_policy(file)) == "remind"


BAD = [
    ("[default]\ndefinite = 'stop'", "default.definite: `stop` is not one of pass, remind, warn, block"),
    ("[defalt]", "defalt: unknown key `defalt`; did you mean `default`?"),
    ("[classes.R99]\ndefinite = 'warn'", "classes.R99: unknown class `R99`"),
    ("[classes.r67]\ndefinite = 'warn'", "classes.r67: unknown class `r67`; did you mean `R67`?"),
    ("[[set]]\naction = 'pass'", "set[0]: missing key `why`"),
    ("[[set]]\nwhy = 'x'", "set[0]: missing key `action`"),
    ("[[set]]\naction = 'pass'\nwhy = 'x'\nclass = 'R990'", "set[0].class: unknown class `R990`"),
    (
        "[[set]]\naction = 'pass'\nwhy = 'x'\naddressee = 'docter'",
        (
            "set[0].addressee: `docter` is not one of doctor, charge_entry, pharmacy, registration, office; "
            "did you mean `doctor`?"
        ),
    ),
    ("[[set]]\naction = 'pass'\nwhy = 'x'\nrul = 'r'", "set[0].rul: unknown key `rul`; did you mean `rule`?"),
    ("classes = 3", "classes: "),
    ("default = 3", "default: expected a mapping"),
    ("[default", "not TOML: "),
]


@pytest.mark.parametrize(("text", "problem"), BAD, ids=range(len(BAD)))
def test_bad_policies_are_told(tmp_path: Path, text: str, problem: str) -> None:
    """A policy that says something nobody knows is refused with its place and the nearest name."""
    with pytest.raises(ListError) as caught:
        read_policy(written(tmp_path, text, "p.toml"))
    assert f"p.toml: {problem}" in str(caught.value)


def test_all_problems_of_a_policy_come_at_once() -> None:
    """Unknown keys, words and classes are told together."""
    text = "[default]\ndefinit = 'warn'\n[classes.R99]\n[[set]]\nwhy = 'x'\naddressee = 'docter'\nclass = 'R0'\n"
    with pytest.raises(ListError) as caught:
        parse_policy(text, "p")
    assert sorted({problem.path for problem in caught.value.problems}) == [
        "classes.R99",
        "default.definit",
        "set[0]",
        "set[0].addressee",
        "set[0].class",
    ]


@pytest.mark.parametrize("name", ["nowhere.toml", "gbk.toml"])
def test_unreadable_policies_are_told(tmp_path: Path, name: str) -> None:
    """A missing file and another encoding are problems of the file."""
    written(tmp_path, "# 医保".encode("gbk"), "gbk.toml")
    with pytest.raises(ListError, match="cannot be read"):
        read_policy(tmp_path / name)
