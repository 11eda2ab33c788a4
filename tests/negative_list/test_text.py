"""How texts are compared: one normalisation, clauses and what they state, and terms found as words of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.check import Check
from negative_list.prescription import Diagnosed
from negative_list.terms import REMEMBERED_NAMES, Terms
from negative_list.text import REMEMBERED_LENGTH, clauses, normalise, occurs, of_term, statement
from tests.negative_list.builders import AT, prescription

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=40)
PIECES = st.lists(st.sampled_from("糖尿病癌非史?，、;/aAb1Ⅱ ２型（)[-—\t\ud83d\u200b"), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("２型糖尿病", "2型糖尿病"),
        ("Ⅱ型糖尿病", "ii型糖尿病"),
        ("慢性腎臟病", "慢性肾脏病"),
        ("肝 硬化\u3000", "肝硬化"),
        ("急性冠脉综合征【ACS】", "急性冠脉综合征(acs)"),
        ("急性冠脉综合征（ACS）", "急性冠脉综合征(acs)"),
        ("非ST段抬高—心肌梗死", "非st段抬高-心肌梗死"),
        ("B－细胞", "b-细胞"),
        ("糖\x00尿\x7f病", "糖尿病"),
        ("糖\u200b尿\ufeff病", "糖尿病"),
        ("㎎", "mg"),
        ("", ""),
        (" \t\r\n", ""),
    ],
)
def test_one_form_is_compared(written: str, read: str) -> None:
    """Width, case, brackets, dashes, blanks, invisible characters and traditional forms make no difference."""
    assert normalise(written) == read


@given(PIECES)
def test_normalising_is_done_once(text: str) -> None:
    """A normalised text is its own normal form, half characters or not."""
    assert normalise(normalise(text)) == normalise(text)


@given(ANY_TEXT)
def test_any_text_can_be_read(text: str) -> None:
    """Whatever is written has a normal form without blanks, and clauses that hold all of it but the separators."""
    assert not any(character.isspace() for character in normalise(text))
    assert sum(len(clause) for clause, _ in clauses(text)) <= len(normalise(text))


STATED = [
    ("高血压", "present"),
    ("肺癌待排", "doubtful"),
    ("肺癌待排除", "doubtful"),
    ("肺癌?", "doubtful"),
    ("肺癌？", "doubtful"),
    ("疑似肺癌", "doubtful"),
    ("不能排除肺癌", "doubtful"),
    ("肺癌不除外", "doubtful"),
    ("否认糖尿病", "denied"),
    ("否认糖尿病史", "denied"),
    ("排除妊娠", "denied"),
    ("糖尿病史", "past"),
    ("糖尿病病史10年", "past"),
    ("糖尿病（史）", "past"),
    ("既往脑梗死", "past"),
    ("史蒂文斯-约翰逊综合征", "present"),
    ("历史悠久的糖尿病", "present"),
]


@pytest.mark.parametrize(("name", "stated"), STATED)
def test_words_change_what_a_name_states(name: str, stated: str) -> None:
    """Doubt is stronger than denial, denial than the past; a name beginning with 史 is a disease."""
    assert statement(normalise(name)) == stated


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("高血压，糖尿病待排", (("高血压", "present"), ("糖尿病待排", "doubtful"))),
        ("高血压;冠心病、肺癌?", (("高血压", "present"), ("冠心病", "present"), ("肺癌?", "doubtful"))),
        ("1.高血压\n2.糖尿病史", (("1.高血压", "present"), ("2.糖尿病史", "past"))),
        ("肝炎/肝硬化", (("肝炎", "present"), ("肝硬化", "present"))),
        ("，、 ;", ()),
        ("", ()),
    ],
)
def test_a_name_is_read_clause_by_clause(name: str, read: tuple[tuple[str, str], ...]) -> None:
    """What one clause denies or doubts says nothing of the next; an empty name has no clauses."""
    assert clauses(name) == read


@pytest.mark.parametrize(
    ("term", "text", "there"),
    [
        ("小细胞肺癌", "小细胞肺癌", True),
        ("小细胞肺癌", "非小细胞肺癌", False),
        ("小细胞肺癌", "非小细胞肺癌伴小细胞肺癌", True),
        ("MD", "MDS", False),
        ("MD", "MD型", True),
        ("MD", "老年性MD", True),
        ("1型糖尿病", "11型糖尿病", False),
        ("ii型", "iii型", False),
        ("糖尿病", "II型糖尿病", True),
        ("肝癌", "肝癌术后", True),
        ("肝癌", "肝脏癌", False),
    ],
)
def test_a_term_is_a_word_of_its_own(term: str, text: str, *, there: bool) -> None:
    """Latin letters and digits must not run on, and 非 just before a term denies it; the automata agree."""
    term, text = normalise(term), normalise(text)
    assert occurs(term, text) is there
    assert (term in set(Terms([term]).in_text(text))) is there


@pytest.mark.parametrize(
    ("name", "term", "stated"),
    [
        ("青霉素过敏史", "青霉素过敏史", "present"),
        ("青霉素过敏史", "青霉素过敏", "past"),
        ("青霉素过敏史?", "青霉素过敏史", "doubtful"),
        ("否认青霉素过敏史", "青霉素过敏史", "denied"),
    ],
)
def test_a_term_that_names_a_history_is_stated_by_it(name: str, term: str, stated: str) -> None:
    """A history that is itself what the term names is present; what it is a history of is past."""
    assert Terms([term]).in_name(name) == {stated: {term}}


def test_terms_inside_terms_are_all_found() -> None:
    """Overlapping terms, terms inside terms and terms at both ends of a text are all found."""
    terms = Terms(["慢性肾脏病", "肾脏病", "慢性", "脏病5期", "5期", "病"])
    assert set(terms.in_text("慢性肾脏病5期")) == {"慢性肾脏病", "肾脏病", "慢性", "脏病5期", "5期", "病"}


@given(st.lists(PIECES.map(normalise), max_size=8), PIECES)
def test_automata_find_what_a_plain_search_finds(terms: list[str], name: str) -> None:
    """In every clause exactly the terms that occur there are found, with what the clause states."""
    found = Terms(terms).in_name(name)
    plain: dict[str, set[str]] = {}
    for clause, stated in clauses(name):
        for term in terms:
            if term and occurs(term, clause):
                plain.setdefault(of_term(stated, term), set()).add(term)
    assert {stated: set(there) for stated, there in found.items()} == plain


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_shards_make_no_difference(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Terms are found alike however they are spread over automata."""
    monkeypatch.setattr("negative_list.terms.SHARD_TERMS", size)
    terms = Terms(f"病{n:03d}号" for n in range(100))
    assert len(terms) == 100
    assert set(terms.in_text("病007号与病099号")) == {"病007号", "病099号"}


def test_no_terms_find_nothing() -> None:
    """A list without terms, and empty terms, find nothing anywhere."""
    assert len(Terms([])) == len(Terms([""])) == 0
    assert set(Terms([]).in_text("糖尿病")) == set()
    assert Terms([]).in_item("糖尿病") == frozenset()


def test_half_characters_in_texts_are_read() -> None:
    """Half of a character in a name does no harm to what stands beside it."""
    assert Terms(["糖尿病"]).in_name("\ud83d糖尿病\udc00") == {"present": frozenset({"糖尿病"})}
    assert Terms(["糖尿病"]).in_item("\udfff") == frozenset()


def test_remembered_names_are_bounded() -> None:
    """However many and however long names are sent, what is kept of them stays small, and answers stay right."""
    terms = Terms(["糖尿病"])
    for n in range(REMEMBERED_NAMES + 50):
        assert terms.in_name(f"{n}糖尿病") == {"present": {"糖尿病"}}
    long = "高血压，" * REMEMBERED_LENGTH + "糖尿病"
    for _ in range(2):
        assert terms.in_name(long)["present"] == {"糖尿病"}
    assert 0 < len(terms._remembered) <= REMEMBERED_NAMES  # noqa: SLF001 (the bound is about what is kept)
    assert long not in terms._remembered  # noqa: SLF001


def test_an_entry_states_its_codes_as_its_name_says() -> None:
    """The code of a diagnosis is stated as the strongest clause of its name; without a name it is stated plainly."""
    entries = (
        Diagnosed(codes=("E11.9",), name="糖尿病待排"),
        Diagnosed(codes=("I10",), name="高血压，冠心病待排"),
        Diagnosed(codes=("K74.6",)),
        Diagnosed(codes=("B18",), name="否认肝炎"),
    )
    stated = Check(prescription(diagnoses=entries), AT, Terms([])).stated_codes("diagnoses", main=False)
    assert {"E11", "E11.9"} <= stated["doubtful"]
    assert {"I10", "K74", "K74.6"} <= stated["present"]
    assert "B18" in stated["denied"]
