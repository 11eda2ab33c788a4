"""The page on the journal says what the code does: kinds, bounds, columns of an export."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from reminder.config import LEAST_JOURNAL_DAYS
from reminder.journal.base import KINDS, Draft, Head
from reminder.journal.chain import rows_of
from reminder.journal.checkpoints import CHECKPOINTS_FILE, EVERY_ENTRIES, EVERY_S
from reminder.journal.export import export_line
from reminder.journal.health import HEALTH_NAME
from reminder.journal.journal import GRACE_S, MOST_BYTES, MOST_ENTRIES
from reminder.journal.opening import JOURNAL_FILE
from reminder.journal.verify import UNATTESTED
from tests.docs.pages import ROOT, inline_codes, sections

PAGE = ROOT / "docs" / "journal.md"


def test_every_kind_of_entry_is_described() -> None:
    """Each once, and no other."""
    rows = re.findall(r"^\| (`.+?) \|", sections(PAGE)["What an entry holds"], re.MULTILINE)
    told = [code for row in rows for code in inline_codes(row)]
    assert sorted(told) == sorted(KINDS)


def test_every_column_of_an_export_is_named_in_its_order() -> None:
    """The entry itself comes last."""
    draft = Draft(kind="list", at=datetime(2026, 1, 5, tzinfo=UTC), body=b"{}")
    line = json.loads(export_line(rows_of(Head(chain="a"), [draft])[0][0]))
    text = sections(PAGE)["An export"]
    assert [code for code in inline_codes(text) if code in line][: len(line)] == list(line)


def test_the_numbers_are_those_of_the_code() -> None:
    """Bounds, times and names."""
    answer, whole = sections(PAGE)["An answer and its entry"], PAGE.read_text("utf-8")
    assert f"{MOST_ENTRIES:,} of them or {MOST_BYTES // 1024 // 1024} MiB" in answer
    assert (GRACE_S, UNATTESTED.total_seconds(), EVERY_S) == (10, 600, 60)
    assert "for up to ten seconds" in answer
    assert f"every {EVERY_S:.0f} seconds, and every {EVERY_ENTRIES:,} entries" in whole
    assert f"fewer than {LEAST_JOURNAL_DAYS} days are refused" in whole
    assert {HEALTH_NAME, CHECKPOINTS_FILE, JOURNAL_FILE} <= set(inline_codes(whole))
