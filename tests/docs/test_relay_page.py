"""The page on the relay describes the settings there are, and its example is one; the Chinese page says the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from reminder.relay.courier import GRACE_S, MOST_TRIES
from reminder.relay.feeding import MOST_CALLS as MOST_HEARD
from reminder.relay.metrics import RelayMetrics
from reminder.relay.outbox import KEPT_S
from reminder.upstream import Upstream, read_upstream
from tests.docs.pages import ROOT, blocks, inline_codes, sections

PAGES = (ROOT / "docs" / "relay.md", ROOT / "docs" / "relay.zh-CN.md")


def first_cells(text: str) -> list[str]:
    """What the first column of a section's tables names."""
    return [code for cell in re.findall(r"^\| (`.+?) \|", text, re.MULTILINE) for code in inline_codes(cell)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_is_described_and_the_example_is_one(page: Path) -> None:
    """The table is the record, with its defaults."""
    titles = list(sections(page))
    settings = sections(page)[titles[1]]
    assert set(first_cells(settings)) == {field.name for field in msgspec.structs.fields(Upstream)}
    made = Upstream(url="")
    for name in ("wait_ms", "connect_ms", "read_ms", "most_mb"):
        assert re.search(rf"^\| `{name}` .*\| {getattr(made, name):.0f} \|$", settings, re.MULTILINE)
    (example,) = (block for block in blocks(page, "toml") if "[upstream]" in block.text)
    assert read_upstream(tomllib.loads(example.text)["upstream"], ROOT).mode("3101") == "both"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_metric_is_described(page: Path) -> None:
    """All there are, and no other."""
    metrics = RelayMetrics()
    metrics.watch(lambda: (0, 0, False))
    named = {code for code in inline_codes(page.read_text("utf-8")) if code.startswith("reminder_relay_")}
    assert named == {family.name for family in metrics.collect()}


def test_the_numbers_are_those_of_the_sidecar() -> None:
    """How long words are kept, how often a refused one is tried, how long a stop waits, how much may wait."""
    text = PAGES[0].read_text("utf-8")
    assert f"for {KEPT_S / 86_400:.0f} days" in text
    assert MOST_TRIES == 12
    assert "twelve times" in text
    assert GRACE_S == 5
    assert "five seconds" in text
    assert f"{MOST_HEARD:,} calls" in text
