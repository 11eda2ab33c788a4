"""Whatever is written in a list, reading it ends with a list or with problems, never otherwise."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list.compile import canonical_lines, compile
from negative_list.decide import decide
from negative_list.errors import ListError, Problem
from negative_list.parse import Parsed, parse_jsonl, parse_yaml
from negative_list.rules import NamedSet, Rule, RuleList
from negative_list.validate import check
from tests.generators_lists import draw_list
from tests.negative_list.builders import AT, DRUG, HERB, line, prescription

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = st.sampled_from([0, -1, 1e308, 10**40, 1.5, "NaN", "sNaN", "-Infinity", "1e999999", "", 2**63])
TEXTS = st.text(alphabet="aA1 糖.[]?", max_size=3) | st.sampled_from(
    ["糖尿病", "I10", "I99-I10", "line.days", "fact", "days", "R67"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
BODY = prescription(line(facts={"item_type": "drug"}), line("b", HERB), line("c", "", name="某药"))


def raw_rules(seed: int) -> list[Any]:
    """A drawn list as plain data."""
    lines = b"".join(canonical_lines(draw_list(seed))).splitlines()
    return [msgspec.json.decode(row) for row in lines]


def places(value: object) -> list[tuple[Any, Any]]:
    """Every container with each of its keys."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    found = [(value, key) for key in keys]
    for key in keys:
        found += places(value[key])  # type: ignore[index]
    return found


def read(rows: Iterable[Any]) -> RuleList | tuple[Problem, ...]:
    """The list of rows, or its problems."""
    known = list(rows)
    records = [(row.record, row.place) for row in known if row.place is not None]
    parsed = Parsed(
        rules=RuleList(
            rules=tuple(record for record, _ in records if isinstance(record, Rule)),
            sets=tuple(record for record, _ in records if isinstance(record, NamedSet)),
        ),
        rule_places=tuple(place for record, place in records if isinstance(record, Rule)),
        set_places=tuple(place for record, place in records if isinstance(record, NamedSet)),
        problems=tuple(problem for row in known for problem in row.problems),
    )
    try:
        return check(parsed)
    except ListError as error:
        return error.problems


def check_usable(outcome: RuleList | tuple[Problem, ...]) -> None:
    """Problems can be told; a list without problems can be compiled and matched."""
    if isinstance(outcome, RuleList):
        assert decide(compile(outcome), BODY, AT).decision in {"pass", "remind", "warn", "block"}
    else:
        assert all(str(problem) for problem in outcome)
        assert outcome == tuple(sorted(outcome))


@settings(max_examples=150)
@given(st.integers(0, 30), st.data())
def test_any_change_of_a_good_list_is_read(seed: int, data: st.DataObject) -> None:
    """A value anywhere in a good list exchanged for any other gives a list that can be used, or problems."""
    rows = raw_rules(seed)
    changed = copy.deepcopy(rows)
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(changed)))
        container[key] = data.draw(VALUES)
    lines = b"\n".join(map(msgspec.json.encode, changed))
    check_usable(read(parse_jsonl(lines, "list")))


@settings(max_examples=60)
@given(st.integers(0, 10), st.data())
def test_any_change_is_told_alike_in_yaml(seed: int, data: st.DataObject) -> None:
    """What is wrong with a rule in JSON Lines is wrong with it in YAML, at the same path."""
    rows = [row for row in raw_rules(seed) if "set" in row] + [data.draw(st.sampled_from(raw_rules(seed)[2:]))]
    container, key = data.draw(st.sampled_from(places(rows)))
    container[key] = data.draw(VALUES)
    lines = b"\n".join(map(msgspec.json.encode, rows))
    text = yaml.safe_dump(rows, allow_unicode=True).encode()
    one, two = read(parse_jsonl(lines, "list")), read(parse_yaml(text, "list"))
    check_usable(two)
    told = [sorted({p.path for p in each}) if isinstance(each, tuple) else [] for each in (one, two)]
    assert told[0] == told[1]


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(alphabet="- {}[]:,&*!|>'\"\n\t aruleskd?%@`#1", max_size=60).map(str.encode))
def test_any_bytes_are_read(data: bytes) -> None:
    """Bytes of any kind, as YAML or as JSON Lines, end in problems or in a list."""
    for rows in (parse_yaml(data, "list"), parse_jsonl(data, "list")):
        check_usable(read(rows))


def test_a_good_list_stays_good() -> None:
    """The lists that are changed above are good ones, and every rule of them can be used."""
    for seed in range(5):
        lines = b"\n".join(map(msgspec.json.encode, raw_rules(seed)))
        outcome = read(parse_jsonl(lines, "list"))
        assert isinstance(outcome, RuleList), outcome
        assert any(DRUG in rule.trigger.codes for rule in outcome.rules) or len(outcome.rules) > 3
