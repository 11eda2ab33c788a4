"""When the sidecar is asked, when it is left alone, and when it is tried again."""

from __future__ import annotations

import pytest

from reminder.client.refusals import Failure
from reminder.client.watch import PROBE_S, REST_S, Watch
from reminder.stores.breaker import MISSES

AWAY = Failure(why="away", text="nobody there")
LATE = Failure(why="deadline", text="too late")


def test_one_call_that_nobody_answers_is_enough() -> None:
    """Each further caller would only wait for the same."""
    watch = Watch()
    watch.failed(AWAY, 0.0)
    assert (watch.resting, watch.why, watch.due_in_s(0.0)) == (True, "nobody there", PROBE_S[0])


def test_a_late_answer_or_two_are_borne() -> None:
    """The machine may have been busy; an answer between them begins the count anew."""
    watch = Watch()
    for _ in range(3):
        for _ in range(MISSES - 1):
            watch.failed(LATE, 0.0)
        watch.answered()
    assert not watch.resting
    for _ in range(MISSES):
        watch.failed(LATE, 0.0)
    assert (watch.resting, watch.due_in_s(0.0)) == (True, REST_S[0])


@pytest.mark.parametrize("why", ["refused", "busy", "failed"])
def test_what_is_no_ones_absence_changes_nothing(why: str) -> None:
    """A body that cannot be read is no reason to leave others unchecked."""
    watch = Watch()
    for _ in range(2 * MISSES):
        watch.failed(Failure(why=why, text="x"), 0.0)  # type: ignore[arg-type]  # a word of the table
    assert not watch.resting


def test_it_is_tried_more_and_more_rarely_until_it_serves() -> None:
    """And then the next caller asks it."""
    watch, now_s, gaps = Watch(), 0.0, []
    watch.failed(AWAY, now_s)
    for _ in range(6):
        gap = watch.due_in_s(now_s)
        gaps.append(gap)
        now_s += gap
        assert watch.due_in_s(now_s) == 0.0
        watch.tried(now_s, serves=False)
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (PROBE_S[0], PROBE_S[1])
    watch.tried(now_s, serves=True)
    assert not watch.resting


def test_one_that_serves_and_is_late_again_and_again_rests_longer_each_time() -> None:
    """Health may be quick where checks are not; one answer, and it is as before."""
    watch, rests = Watch(), []
    for _ in range(7):
        for _ in range(MISSES):
            watch.failed(LATE, 0.0)
        rests.append(watch.due_in_s(0.0))
        watch.tried(0.0, serves=True)
    assert rests == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    watch.answered()
    for _ in range(MISSES):
        watch.failed(LATE, 0.0)
    assert watch.due_in_s(0.0) == REST_S[0]
