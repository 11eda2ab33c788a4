"""The two ways a story is decided: by the library alone, told everything at once, and by a sidecar told bit by bit."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.compile import CompiledList
from negative_list.compile import compile as compiled
from negative_list.decide import Fuller, decide
from negative_list.decision import Decision
from negative_list.parse import read_parsed
from negative_list.policy import Policy, parse_policy, shipped
from negative_list.readers import read_body
from negative_list.readers.body import parse_body
from negative_list.readers.exchange import Exchange, read_exchanges
from negative_list.readers.files import read_history
from negative_list.readers.stored import FACT_COLUMNS, StoreFact, facts_of_rows, supplement
from negative_list.site import Sites
from negative_list.validate import check
from reminder.config import Config
from reminder.imports import import_files
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import decision_of, request_of
from tests.cases.stories import Feed, Story, write_list
from tests.reminder.remembered import put_facts, put_history
from tests.reminder.sidecar import Running, ask, post, running

if TYPE_CHECKING:
    from negative_list.prescription import History, Prescription

__all__ = ["INSTITUTION", "Answers", "answered", "match_words", "matched"]

Row = dict[str, Any]

INSTITUTION = "H43010200001"
"""The made-up hospital of the stories; files are imported for it."""

SITES = Sites()
_SERIAL = count(1)
_SAVED = "/reminder.v1.ReminderService/RecordSaved"
_COLUMNS = (*FACT_COLUMNS, "institution_id", "id_system")


def _rows(story: Story, *how: str) -> list[Row]:
    """The rows of every feed that came one of these ways, in order; each may be taken apart."""
    return [copy.deepcopy(row) for feed in story.told if feed.how in how for row in feed.rows]


def _policy(story: Story) -> Policy:
    return parse_policy(story.policy, "policy.toml") if story.policy else shipped()


# -- the library


def matched(story: Story, folder: Path, rules: CompiledList | None = None) -> Decision:
    """What the library decides with everything told, by the story's own list or another."""
    prescription = read_body(parse_body(_bytes(story.request)), SITES)
    assert prescription.at is not None
    calls = read_exchanges(_rows(story, "calls"), SITES)
    facts = _facts(story, calls)
    history = _history(story, calls, prescription.patient.id, folder)

    def read(asked: Prescription, _needs: frozenset[str], at: Any) -> Fuller:
        return Fuller(prescription=supplement(asked, facts, at), history=history)

    rules = rules or compiled(check(read_parsed(write_list(story, folder))))
    return decide(rules, prescription, prescription.at, _policy(story), read=read)


def match_words(story: Story, folder: Path) -> Iterator[object]:
    """The words after ``negative-list match``, with files of the story."""
    facts = [{key: row[key] for key in row if key in FACT_COLUMNS} for row in _rows(story, "facts", "put_facts")]
    files = {
        "--request": _json_lines(folder / "body.json", [story.request]),
        "--facts": _csv(folder / "facts.csv", facts),
        "--history": _json_lines(folder / "history.jsonl", _history_rows(story)),
    }
    if story.policy:
        files["--policy"] = _policy_file(story, folder)
    yield write_list(story, folder)
    for option, file in files.items():
        yield from (option, file)


def _policy_file(story: Story, folder: Path) -> Path:
    path = folder / "policy.toml"
    path.write_text(story.policy, encoding="utf-8")
    return path


def _history_rows(story: Story) -> list[Row]:
    return [*_rows(story, "history"), *map(_row_of_entry, _rows(story, "put_history"))]


def _facts(story: Story, calls: Exchange) -> dict[str, tuple[StoreFact, ...]]:
    rows = _rows(story, "facts", "put_facts")
    told = facts_of_rows([{key: row[key] for key in row if key in FACT_COLUMNS} for row in rows], SITES.default.zone)
    facts = [*(fact for several in told.values() for fact in several), *calls.facts]
    return {subject: tuple(f for f in facts if f.subject == subject) for subject in {f.subject for f in facts}}


def _history(story: Story, calls: Exchange, patient_id: str, folder: Path) -> History:
    told = read_history(_json_lines(folder / "told.jsonl", _history_rows(story)), SITES).of(patient_id)
    records = [record for record in calls.records if record.patient_id == patient_id]
    saved = [read_body(parse_body(_bytes(row["prescription"])), SITES) for row in _rows(story, "saved")]
    mine = [one.encounter for one in saved if one.patient.id == patient_id]
    lines = [*(line for one in mine for line in one.lines), *(line for one in records for line in one.lines)]
    visits = [*mine, *(record.encounter for record in records if record.encounter)]
    return msgspec.structs.replace(
        told,
        own_since=min((one.since for one in calls.coverage), default=told.own_since),
        lines=(*told.lines, *(msgspec.structs.replace(line, current=False) for line in lines)),
        encounters=(*told.encounters, *(msgspec.structs.replace(visit, lines=()) for visit in visits)),
    )


def _row_of_entry(entry: Row) -> Row:
    """An entry of PutHistory as a row of a history file."""
    if "coverage" in entry:
        return dict(entry["coverage"])
    record = entry["record"]
    visit = record["encounter"] | {"institution_id": record["institution_id"]}
    return {"patient_id": record["patient"]["id"], "encounter": visit}


# -- a sidecar


class Answers(Struct, frozen=True, kw_only=True):
    """What a sidecar answers before anything was told, and after; ``national``: its reply to a body of 3101."""

    before: Decision
    after: Decision
    national: Row | None


def answered(story: Story, folder: Path) -> Answers:
    """What a sidecar answers whose store is empty first and is then told everything."""
    with _sidecar(story, folder) as here:
        before = _asked(here, story)
        for number, feed in enumerate(story.told):
            _tell(here, feed, folder, f"told-{number}")
        national = post(here, _bytes(_sent_anew(story)))[1] if story.is_national else None
        return Answers(before=before, after=_asked(here, story), national=national)


def _asked(here: Running, story: Story) -> Decision:
    sent = _sent_anew(story)
    request = pb.CheckRequest(national_body=_bytes(sent)) if story.is_national else request_of(sent)
    return decision_of(ask(here, request))


def _sent_anew(story: Story) -> Row:
    """The body under an id of its own: the same one again would get the answer it had."""
    return {**story.request, "msgid" if story.is_national else "request_id": f"S{next(_SERIAL)}"}


@contextmanager
def _sidecar(story: Story, folder: Path) -> Iterator[Running]:
    settings: Row = {"list": write_list(story, folder)}
    if story.policy:
        settings["policy"] = _policy_file(story, folder)
    with running(folder, **settings) as here:
        yield here


def _tell(here: Running, feed: Feed, folder: Path, name: str) -> None:
    rows = [copy.deepcopy(row) for row in feed.rows]
    if feed.how == "put_facts":
        assert put_facts(here, *rows).stored == len(rows)
    elif feed.how == "put_history":
        assert put_history(here, *rows).stored == len(rows)
    elif feed.how == "saved":
        assert [post(here, _bytes(row), _SAVED)[0] for row in rows] == [200] * len(rows)
    elif feed.how == "facts":
        _import(_csv(folder / f"{name}.csv", rows), folder)
    else:
        _import(_json_lines(folder / f"{name}.jsonl", rows), folder)


def _import(file: Path, folder: Path) -> None:
    """``reminder facts import`` into the data folder of the sidecar, which runs meanwhile."""
    said: list[str] = []
    assert import_files([file], Config(data=folder / "var"), INSTITUTION, said.append) == []
    assert said


def _csv(path: Path, rows: Iterable[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return path


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _json_lines(path: Path, rows: Iterable[Row]) -> Path:
    path.write_bytes(b"".join(_bytes(row) + b"\n" for row in rows))
    return path


def _bytes(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()
