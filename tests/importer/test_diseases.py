"""The disease table covers ICD-10, and its names are found in texts."""

from __future__ import annotations

from collections import Counter

import pytest

from negative_list.diseases import disease, diseases, mentions, well_formed
from negative_list.text import normalise


def test_the_table_covers_every_chapter() -> None:
    """There are 800 rows or more, and some in every chapter of ICD-10 but the external causes of chapter 20."""
    chapters = Counter(row.chapter for row in diseases())
    assert len(diseases()) >= 800
    assert {n for n in range(1, 23) if chapters[n] >= 10} >= set(range(1, 22)) - {20}


def test_every_row_has_codes_of_the_right_form() -> None:
    """Every row has at least one code, and every code is a category, a code or a range."""
    wrong = [(row.name, code) for row in diseases() for code in row.codes or ("",) if not well_formed(code)]
    assert wrong == []


def test_ranges_run_forward() -> None:
    """A range ends after it begins."""
    ranges = [code.split("-") for row in diseases() for code in row.codes if "-" in code]
    assert [r for r in ranges if r[0] >= r[1]] == []


def test_no_name_stands_twice() -> None:
    """No name or synonym is given to two diseases, or twice to one."""
    names = Counter(normalise(term) for row in diseases() for term in row.terms)
    assert [name for name, count in names.items() if count > 1 or not name] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("限转移性非小细胞肺癌(nsclc)患者", ["非小细胞肺癌"]),
        ("广泛期小细胞肺癌", ["小细胞肺癌"]),
        ("2型糖尿病伴高血压", ["2型糖尿病", "高血压"]),
        ("没有疾病的文字", []),
    ],
)
def test_the_longest_name_is_found(text: str, names: list[str]) -> None:
    """A text's diseases are read leftmost and longest, and a name inside another one is not read."""
    assert [m.disease.name for m in mentions(normalise(text))] == names


def test_a_disease_is_looked_up_by_any_name() -> None:
    """Abbreviations and older names lead to the same row."""
    assert disease("COPD") is not None
    assert disease("copd") == disease("慢性阻塞性肺疾病")
    assert disease("不存在的病") is None
