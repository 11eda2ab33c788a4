"""The rule authors' manual, in English and in Chinese, describes the whole language, and its examples are rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

import msgspec
import pytest

from negative_list import conditions, rules
from negative_list.classes import CLASS_IDS
from negative_list.parse import read_parsed
from negative_list.validate import validate
from tests.docs.pages import ROOT, Block, blocks, headings, inline_codes, links, sections

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "rules.md"
CHINESE = ROOT / "docs" / "rules.zh-CN.md"
PAGES = pytest.mark.parametrize("page", [PAGE, CHINESE], ids=["english", "chinese"])
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
KINDS: tuple[type[msgspec.Struct], ...] = get_args(conditions.Condition)

# A record that is no condition, and the section that describes its keys.
SECTIONS: dict[type[msgspec.Struct], str] = {
    rules.Rule: "A rule, key by key",
    rules.Trigger: "The trigger",
    rules.OnUnknown: "When the answer is unknown",
    rules.NamedSet: "Named sets",
    rules.Basis: "Texts, basis and reasons",
    rules.Text: "Texts, basis and reasons",
    rules.Reason: "Texts, basis and reasons",
    rules.Grade: "Grades: one rule, several strengths",
    rules.Case: "Cases beside a rule",
    conditions.Items: "Items",
    conditions.Lines: "Lines",
    conditions.Window: "Window",
    conditions.Visits: "Visits",
    conditions.Weight: "`sum`",
    conditions.Formula: "Bounds",
    conditions.Bounds: "Bounds",
}


def own_keys(record: type[msgspec.Struct]) -> set[str]:
    """The keys of a record as files write them, without those of the records it extends."""
    info = msgspec.structs.fields(record)
    inherited = {f.encode_name for base in record.__bases__ if base in SECTIONS for f in msgspec.structs.fields(base)}
    return {f.encode_name for f in info} - inherited


def words(record: type[msgspec.Struct]) -> set[str]:
    """The words a record's keys allow where they are a closed set."""
    found: set[str] = set()
    for field in msgspec.inspect.type_info(record).fields:  # type: ignore[attr-defined] # a struct's info has fields
        if isinstance(field.type, msgspec.inspect.LiteralType) and field.encode_name in own_keys(record):
            found |= {str(value) for value in field.type.values} - {""}
    return found


def section(page: Path, title: str) -> str:
    """The section of a page that stands where the English one has this title."""
    return list(sections(page).values())[list(sections(PAGE)).index(title)]


def undescribed(page: Path, record: type[msgspec.Struct], title: str) -> set[str]:
    """The keys and words of a record its section does not name."""
    return (own_keys(record) | words(record)) - set(inline_codes(section(page, title)))


def table(page: Path) -> dict[str, list[str]]:
    """The rows of the table of classes: the cells after each class."""
    found = re.findall(r"^\| ([RE]\d\d) \| (.+?) \| (.+) \|$", section(page, "How to say it"), re.MULTILINE)
    return {class_id: cells for class_id, *cells in found}


def rows(text: str) -> list[tuple[list[str], list[str]]]:
    """Of each row of a section's tables, the names in its first cell and those in the whole row."""
    found = re.findall(r"^(\|[^|]*)(.*)$", text, re.MULTILINE)
    return [(inline_codes(first), sorted(set(inline_codes(first + rest)))) for first, rest in found]


def tag(record: type[msgspec.Struct]) -> str:
    """The ``kind`` of a condition."""
    return str(record.__struct_config__.tag)


@PAGES
@pytest.mark.parametrize("record", KINDS, ids=tag)
def test_every_kind_of_condition_is_described(record: type[msgspec.Struct], page: Path) -> None:
    """Each kind has a section of its own that names all its keys and their words."""
    assert undescribed(page, record, f"`{tag(record)}`") == set()


@PAGES
@pytest.mark.parametrize("record", SECTIONS, ids=lambda r: r.__name__)
def test_every_key_of_a_rule_is_described(record: type[msgspec.Struct], page: Path) -> None:
    """The keys of rules, sets, lines and windows stand in the sections that explain them."""
    assert undescribed(page, record, SECTIONS[record]) == set()


def test_every_kind_has_an_example() -> None:
    """Each kind is used in at least one of the page's rules."""
    cases = {"violating", "conforming", "unknown", "near_miss"}
    used = {kind for block in blocks(PAGE, "yaml") for kind in re.findall(r"kind: (\w+)", block.text)}
    assert used - cases == {tag(record) for record in KINDS}


@PAGES
def test_the_page_describes_no_kind_that_does_not_exist(page: Path) -> None:
    """A section named after a kind is about one there is."""
    titles = {title.strip("`") for title in sections(page) if title.startswith("`")}
    assert titles == {tag(record) for record in KINDS}


@PAGES
def test_every_class_is_told_how_to_say_and_shipped_with_a_rule(page: Path) -> None:
    """The table names every class, and the shipped classes hold a rule of each."""
    named = set(table(page))
    shipped = read_parsed(ROOT / "negative_list" / "lists" / "classes")
    assert named == set(CLASS_IDS)
    assert named - {rule.class_id for rule in shipped.rules.rules} == set()


@pytest.mark.parametrize("block", blocks(PAGE, "yaml"), ids=lambda b: f"line {b.line}")
def test_every_example_is_a_rule(block: Block, tmp_path: Path) -> None:
    """Each example can be copied into a file: it is read, and nothing is wrong with it."""
    path = tmp_path / "example.yaml"
    path.write_text(block.text, "utf-8")
    parsed = read_parsed(path)
    assert parsed.rules.rules != ()
    assert (*parsed.problems, *validate(parsed)) == ()


def test_the_chinese_page_has_the_same_sections() -> None:
    """As many, in the same order and at the same level; a kind's section has the kind's name in both."""
    english, chinese = headings(PAGE), headings(CHINESE)
    assert [level for level, _ in chinese] == [level for level, _ in english]
    assert [title if "`" in title else "" for _, title in chinese] == [
        title if "`" in title else "" for _, title in english
    ]
    assert len(sections(CHINESE)) == len(chinese)


def test_the_chinese_page_has_the_same_examples() -> None:
    """The blocks of code are the same byte for byte, each in the section it has in English."""
    for title, text in sections(PAGE).items():
        assert FENCED.findall(section(CHINESE, title)) == FENCED.findall(text), title


@pytest.mark.parametrize("title", sections(PAGE))
def test_the_chinese_section_names_what_the_english_one_names(title: str) -> None:
    """Every key, word and fact in backticks; each row of its tables is about the same key and names the same words."""
    english, chinese = section(PAGE, title), section(CHINESE, title)
    assert set(inline_codes(english)) - set(inline_codes(chinese)) == set()
    assert rows(chinese) == rows(english)


@pytest.mark.parametrize("class_id", sorted(CLASS_IDS))
def test_the_chinese_row_of_a_class_says_what_the_english_one_says(class_id: str) -> None:
    """The same name, and the same conditions and facts in backticks."""
    (name, english), (chinese_name, chinese) = table(PAGE)[class_id], table(CHINESE)[class_id]
    assert chinese_name == name
    assert sorted(set(inline_codes(chinese))) == sorted(set(inline_codes(english)))


def test_the_chinese_page_leads_to_the_same_pages() -> None:
    """Links to other pages are the same but for the link to the other language."""
    english, chinese = ({link for link in links(page) if ".md" in link} for page in (PAGE, CHINESE))
    assert english - {"rules.zh-CN.md"} == chinese - {"rules.md"}
