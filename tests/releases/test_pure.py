"""The pure parts of the road: what may be trusted, what was confirmed, the steps, the self-test."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

import negative_list
from negative_list.compile import compile as compile_list
from negative_list.conditions import Diagnosis
from negative_list.release.building import build
from negative_list.release.layering import read_source
from negative_list.release.opening import rules_of
from negative_list.release.self_test import Wrong, self_test
from negative_list.rules import Case, NamedSet, RuleList, Text, Trigger
from negative_list.validate import check
from reminder.releases import confirming
from reminder.releases.confirming import (
    MARKS_FORM,
    Confirmed,
    MarksError,
    mark_of,
    marks_of,
    not_confirmed,
    write_marks,
)
from reminder.releases.due import FIRST_PAUSE, MOST_PAUSE, PATIENCE, again, may_mend
from reminder.releases.folder import Folder, FolderError
from reminder.releases.ledger import Ledger, Step
from reminder.releases.remarking import carry_over
from reminder.releases.saying import why_not_active
from reminder.releases.standing import Scheduled, Seen, Standing
from reminder.releases.trust import RoadError, is_known, is_older, known_of, may_activate, may_stage, missing
from tests.negative_list.builders import rule
from tests.release.made import about, key, opened, release
from tests.releases.lists import NOW, chosen

if TYPE_CHECKING:
    from negative_list.rules import Rule
    from reminder.releases.trust import Kind

SAMPLE = Path(negative_list.__file__).parent / "lists" / "sample" / "rules.yaml"
MANIFEST = opened(release(version="2026.11.2", replaces="2026.11.1")).manifest


def test_a_known_version_has_one_content_however_it_is_written() -> None:
    """2026.11.2 and 2026.11.02 are one version."""
    assert is_known(MANIFEST, known_of([("2026.11.02", MANIFEST.digest)]))
    may_stage(MANIFEST, known_of([("2026.11.02", MANIFEST.digest), ("2026.11.3", "other")]))
    with pytest.raises(RoadError, match="known here with another content"):
        may_stage(MANIFEST, known_of([("2026.11.02", "other")]))


def test_a_release_that_follows_one_never_seen_says_so() -> None:
    """One was withheld, or lost."""
    assert missing(MANIFEST, known_of([])) == "2026.11.1"
    assert missing(MANIFEST, known_of([("2026.11.01", "any")])) == ""


def test_older_is_by_number_and_nothing_is_older_than_a_list_without_version() -> None:
    """2026.9 is before 2026.11."""
    assert is_older("2026.9", "2026.11")
    assert not is_older("2026.11", "2026.9")
    assert not is_older("2026.9", "")
    may_activate("2026.9", "2026.11", allow_older=True)
    with pytest.raises(RoadError, match="--allow-older"):
        may_activate("2026.9", "2026.11", allow_older=False)


def changed(**fields: object) -> Rule:
    """The rule of these tests with something changed."""
    return msgspec.structs.replace(rule(), **fields)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (changed(title="another title"), True),
        (changed(cases=(Case(kind="violating"),)), True),
        (changed(origin="national"), True),
        (changed(version=2), True),
        (changed(points=("p1",)), True),
        (changed(action="remind"), False),
        (changed(suggestions=("drop",)), False),
        (changed(message=Text(zh="另一句")), False),
    ],
)
def test_a_rule_is_another_when_it_says_something_else(other: Rule, *, same: bool) -> None:
    """Title, cases, version, points and whose rule it is neither do nor say anything."""
    assert (mark_of(other, {}) == mark_of(rule(), {})) is same


def test_the_release_built_of_the_very_list_that_is_served_changes_nothing(tmp_path: Path) -> None:
    """Building fills in whose rules they are: nobody has to confirm what nobody changed."""
    source = read_source(SAMPLE, "national")
    served, confirmed, marks = check(source.parsed), Confirmed(tmp_path / "confirmed.jsonl"), tmp_path / "list.marks"
    confirmed.begin(marks_of(served))
    built = rules_of(opened(build([source], [key()], about())))
    assert {rule.origin for rule in built.rules} != {rule.origin for rule in served.rules}
    write_marks(marks, built)
    assert not_confirmed(marks, confirmed) == ()


def test_a_rule_is_another_when_a_set_it_names_has_other_codes() -> None:
    """Wherever in the rule the set is named; the order of the codes says nothing."""
    naming = changed(trigger=Trigger(sets=("s",)))
    assert mark_of(naming, {"s": ("A", "B")}) == mark_of(naming, {"s": ("B", "A")})
    assert mark_of(naming, {"s": ("A", "B")}) != mark_of(naming, {"s": ("A",)})


def test_what_was_confirmed_once_stays_so_and_damaged_marks_confirm_nothing(tmp_path: Path) -> None:
    """Half a line a killed process left is passed over."""
    rules = RuleList(rules=(changed(id="a"), changed(id="b")), sets=(NamedSet(id="s", codes=("X",)),))
    confirmed, marks = Confirmed(tmp_path / "confirmed.jsonl"), tmp_path / "list.marks"
    assert not confirmed.begun
    (first, second) = marks_of(rules)
    confirmed.begin([first])
    write_marks(marks, rules)
    assert not_confirmed(marks, confirmed) == ("b",)
    with (tmp_path / "confirmed.jsonl").open("ab") as file:
        file.write(b'["b","12')
    confirmed.add([second])
    assert not_confirmed(marks, confirmed) == ()
    assert confirmed.read() == {"a": {first[1]}, "b": {second[1]}}
    path = tmp_path / "confirmed.jsonl"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert not_confirmed(marks, confirmed) == ()
    marks.write_bytes(marks.read_bytes().rpartition(b'["b"')[0])
    with pytest.raises(MarksError):
        not_confirmed(marks, confirmed)


@pytest.mark.parametrize("size", [1, 7, 22, 23, 24, 1 << 16])
def test_what_is_confirmed_does_not_depend_on_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Lines are whole, wherever a piece ends."""
    monkeypatch.setattr(confirming, "_PIECE_BYTES", size)
    rules = RuleList(rules=tuple(changed(id=f"rule-{number}") for number in range(9)))
    confirmed, marks = Confirmed(tmp_path / "confirmed.jsonl"), tmp_path / "list.marks"
    confirmed.begin([one for one in marks_of(rules) if one[0] not in {"rule-0", "rule-8"}])
    write_marks(marks, rules)
    assert not_confirmed(marks, confirmed) == ("rule-0", "rule-8")


def test_steps_survive_and_half_a_line_is_passed_over(tmp_path: Path) -> None:
    """The newest is told first."""
    steps = [Step(at=NOW, version=version, step="verify", result="done") for version in ("1", "2", "3")]
    Ledger(tmp_path / "steps.jsonl").append(steps[0])
    with (tmp_path / "steps.jsonl").open("ab") as file:
        file.write(b'{"at":"2026')
    ledger = Ledger(tmp_path / "steps.jsonl")
    ledger.append(steps[1])
    ledger.append(steps[2])
    assert Ledger(tmp_path / "steps.jsonl").last(9) == (steps[2], steps[1], steps[0])


def test_a_damaged_standing_is_told_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    """Nothing is guessed: the office's rows stand in it."""
    folder = Folder(tmp_path)
    folder.make()
    assert folder.read_standing() == Standing()
    standing = Standing(serial=3, active=chosen("1", RuleList(rules=(rule(),))))
    folder.write_standing(standing)
    assert folder.read_standing() == standing
    folder.standing.write_bytes(folder.standing.read_bytes()[:-5])
    with pytest.raises(FolderError, match="is damaged"):
        folder.read_standing()


@pytest.mark.parametrize("damaged", [None, b"", b'{"serial"'], ids=["missing", "empty", "half"])
def test_what_stands_is_mended_from_its_copy_before_anything_reads_it(tmp_path: Path, damaged: bytes | None) -> None:
    """The office's rows with it; a whole one is left as it is, and gets its copy where it has none."""
    folder = Folder(tmp_path)
    folder.make()
    assert folder.mend_standing() == ""
    standing = Standing(serial=3, active=chosen("1", RuleList(rules=(rule(),))))
    folder.write_standing(standing)
    folder.standing_copy.unlink()
    assert (folder.mend_standing(), folder.standing_copy.exists()) == ("", True)
    folder.standing.unlink()
    if damaged is not None:
        folder.standing.write_bytes(damaged)
    assert "made again from its copy" in folder.mend_standing()
    assert folder.read_standing() == standing
    for path in (folder.standing, folder.standing_copy):
        path.write_bytes(b"{")
    assert folder.mend_standing() == ""
    with pytest.raises(FolderError, match="take it and its copy away"):
        folder.read_standing()


def test_the_marks_of_a_form_stay_what_they_are() -> None:
    """Whoever makes this fail has changed marks of unchanged rules: count ``MARKS_FORM`` up, and pin the new ones."""
    named = changed(id="named", trigger=Trigger(sets=("herbs",)), cases=())
    rules = RuleList(rules=(rule(), named), sets=(NamedSet(id="herbs", codes=("T1", "T2")),))
    assert (MARKS_FORM, [mark for _, mark in marks_of(rules)]) == (1, ["295ea0f4146e305d", "6f96e4e0d00d8369"])


def test_what_was_confirmed_stays_so_when_another_version_marks_rules_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the marks of the form before that lie beside the lists; once, and nothing else is confirmed by it."""
    known, new = changed(id="known"), changed(id="new")
    rules = RuleList(rules=(known, new))
    folder = Folder(tmp_path)
    folder.make()
    confirmed, path = Confirmed(folder.confirmed), folder.marks_file("d")
    confirmed.begin([one for one in marks_of(rules) if one[0] == "known"])
    write_marks(path, rules)
    assert not_confirmed(path, confirmed) == ("new",)
    monkeypatch.setattr(confirming, "MARKS_FORM", 2)
    monkeypatch.setattr(confirming, "_DIGITS", 12)
    with pytest.raises(MarksError):
        not_confirmed(path, confirmed)
    assert carry_over(confirmed, folder, lambda _digest: rules) == 1
    write_marks(path, rules)
    assert not_confirmed(path, confirmed) == ("new",)
    assert (carry_over(confirmed, folder, lambda _digest: None), confirmed.damaged()) == (0, 0)


def test_lines_of_what_was_confirmed_that_are_damaged_are_counted(tmp_path: Path) -> None:
    """An empty one is none: each time is written on a line of its own."""
    confirmed = Confirmed(tmp_path / "confirmed.jsonl")
    assert confirmed.damaged() == 0
    confirmed.begin([("a", "1")])
    confirmed.add([("b", "2")])
    with (tmp_path / "confirmed.jsonl").open("ab") as file:
        file.write(b'\n\xff garbage\n["c",')
    assert confirmed.damaged() == 2


def test_steps_that_cannot_be_read_stop_nothing(tmp_path: Path) -> None:
    """They are a memory, not what stands; that they are gone is said."""
    (tmp_path / "steps.jsonl").mkdir()
    ledger = Ledger(tmp_path / "steps.jsonl")
    assert (ledger.all(), bool(ledger.problem)) == ((), True)


def test_why_the_last_seen_is_not_active() -> None:
    """By what stands and what was done, the newest step first."""
    active = chosen("2", RuleList(rules=(rule(),)))
    seen = Seen(version="3", digest="d", at=NOW)
    standing = Standing(active=active, seen=seen)
    assert "lists activate 3" in why_not_active(standing, [])
    assert "older" in why_not_active(msgspec.structs.replace(standing, seen=Seen(version="1", digest="d", at=NOW)), [])
    failed = Step(at=NOW, version="3", step="activate", result="failed", detail="no memory")
    assert "no memory" in why_not_active(standing, [failed])
    done = Step(at=NOW, version="3", step="activate", result="done")
    assert "was active before" in why_not_active(standing, [done])
    mine = Seen(version="2", digest=active.digest, at=NOW)
    assert why_not_active(msgspec.structs.replace(standing, seen=mine), []) == ""


def test_a_scheduled_activation_that_failed_is_tried_again_with_growing_pauses_for_a_day() -> None:
    """The steps say how often it failed; those before its time, and of others, do not count."""
    due = Scheduled(version="3", digest="d", at=NOW)
    failed = Step(at=NOW, version="3", digest="d", step="activate", result="failed", detail="no space")
    assert again(due, [msgspec.structs.replace(failed, version="2")]) is None
    assert again(due, [msgspec.structs.replace(failed, at=NOW - timedelta(seconds=1))]) is None
    steps, at, pauses = [failed], NOW, list[timedelta]()
    while (waiting := again(due, steps)) is not None and not waiting.given_up:
        pauses.append(waiting.at - at)
        at = waiting.at
        steps.insert(0, msgspec.structs.replace(failed, at=at))
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert (pauses[-1], sum(pauses, timedelta()) <= PATIENCE, len(steps) < 200) == (MOST_PAUSE, True, True)


def test_what_was_decided_does_not_mend_itself() -> None:
    """A version that is older, gone or none."""
    kinds: list[tuple[Kind, str]] = [
        *(("refused", "unwritable"), ("refused", "not-loaded"), ("refused", "damaged"), ("refused", "older")),
        *(("unknown", "unknown-version"), ("wrong", "no-version")),
    ]
    assert [may_mend(RoadError(kind, reason, "")) for kind, reason in kinds] == [True] * 3 + [False] * 3


def problems_of(*rules: Rule) -> tuple[Wrong, ...]:
    """The problems the self-test finds."""
    whole = RuleList(rules=rules)
    return self_test(whole, compile_list(whole), lambda: True).problems


def test_the_self_test_finds_terms_and_triggers_that_cannot_work() -> None:
    """A term a clause cuts through, and a trigger that excepts all it names."""
    whole = changed(id="whole", trigger=Trigger(names=("甲、乙",)))  # an item name is searched whole
    lost = changed(id="lost", violation=Diagnosis(terms=("甲、乙",)))
    never = changed(id="never", trigger=Trigger(codes=("XA01",), except_codes=("XA",)))
    assert problems_of(rule(), whole) == ()
    assert [(wrong.rule_id, wrong.path) for wrong in problems_of(rule(), never, lost)] == [
        ("lost", "violation"),
        ("never", "trigger"),
    ]


def test_a_self_test_that_runs_out_of_time_says_so() -> None:
    """What was not tried is not taken for good."""
    whole = RuleList(rules=(changed(id="a"), changed(id="b")))
    assert self_test(whole, compile_list(whole), lambda: False).cut
