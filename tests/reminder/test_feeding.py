"""A feed gives way to checks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.reminder.remembered import asked, body, put_history, record, write_rules
from tests.reminder.sidecar import running

if TYPE_CHECKING:
    from pathlib import Path

FEW = 16
"""Checks that are answered, too, while a message is read in one piece and written."""


def test_checks_go_on_while_a_message_is_read(tmp_path: Path) -> None:
    """A thousand entries in one message are read between checks: each check waits for a few of them."""
    entries = [record(record_id=f"r{number}", patient=f"F{number}") for number in range(1000)]
    with running(tmp_path, list=write_rules(tmp_path)) as here, ThreadPoolExecutor(1) as beside:
        feed, answered = beside.submit(put_history, here, *entries, in_one=True), 0
        while not feed.done():
            asked(here, body())
            answered += 1
        assert feed.result().stored == len(entries)
    assert answered > FEW


def test_entries_of_one_message_keep_their_places(tmp_path: Path) -> None:
    """A message is written a hundred entries at a time; a refused one is told by its place in the stream."""
    entries = [record(record_id=f"r{number}" if number != 250 else "") for number in range(300)]
    with running(tmp_path, list=write_rules(tmp_path)) as here:
        answer = put_history(here, *entries, in_one=True)
    assert (answer.stored, [one.index for one in answer.refused]) == (299, [250])
