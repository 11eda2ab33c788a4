"""Links lead somewhere, and the two front pages say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT, anchors, blocks, headings, links, pages

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_README = 130
"""A front page is read in one go; the projects we learn from need 77 to 120 lines."""


def broken(page: Path) -> list[str]:
    """The links of a page that lead to no file, or to no heading of it."""
    wrong = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        if "://" in name:
            continue
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


def in_either(link: str) -> str:
    """A link without the language of the page it leads to."""
    return link.replace(".zh-CN.md", ".md")


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each relative link names a file that exists and, after ``#``, one of its headings."""
    assert broken(page) == []


def test_every_page_can_be_reached() -> None:
    """From the front page a reader gets to every page."""
    front = ROOT / "README.md"
    seen, waiting = {front}, [front]
    while waiting:
        page = waiting.pop()
        near = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link}
        new = {path for path in near if path.suffix == ".md"} - seen
        seen |= new
        waiting += sorted(new)
    assert [p.relative_to(ROOT).as_posix() for p in pages() if p not in seen] == []


def test_the_front_page_stays_short() -> None:
    """The front page has at most 130 lines."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README


def test_the_chinese_front_page_keeps_pace() -> None:
    """Both front pages have the same sections in the same order, the same blocks of code, and the same links."""
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    assert [level for level, _ in headings(chinese)] == [level for level, _ in headings(english)]
    assert [(b.kind, b.text) for b in blocks(chinese)] == [(b.kind, b.text) for b in blocks(english)]
    assert {in_either(link) for link in links(chinese)} == {in_either(link) for link in links(english)}


def test_a_page_with_a_chinese_edition_is_linked_in_the_language_of_the_reader() -> None:
    """The Chinese front page leads to the Chinese edition of a page wherever there is one, the English never."""
    editions = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/*.zh-CN.md")}
    assert editions != set()
    assert {link for link in links(ROOT / "README.zh-CN.md") if link.endswith(".zh-CN.md")} == editions
    assert editions & set(links(ROOT / "README.md")) == set()
