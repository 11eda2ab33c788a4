"""Names, numbers and days planted in every text a caller can send stand nowhere in what the service writes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import grpc
import pytest

from benchmarks.kills import Place, Victim, command, exported, make_place
from negative_list.dictionary import load
from negative_list.errors import RequestError
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.privacy.looking import contents, found_in, ways
from tests.privacy.plants import BIRTH, ENCOUNTER, NAME, NEVER, PATIENT, PLANT, TOLD, breaking, national, own, planted
from tests.reminder.bodies import LIST
from tests.reminder.remembered import RULES

QUOTING = """
- id: E02-diagnosis
  class: E02
  title: 高血压
  trigger: {diagnoses: [I10]}
  violation: {kind: diagnosis, terms: [高血压]}
  action: remind
  message: {zh: 诊断须与用药相符}
  basis: {document: 药品说明书}
"""
"""A rule whose evidence quotes a diagnosis as it was written."""

WITHOUT_BIRTH = {name: texts for name, texts in NEVER.items() if name != "birth date"}


class Driven:
    """A sidecar that was told everything, and where it wrote it."""

    def __init__(self, place: Place, metrics: bytes, answers: int) -> None:
        self.place, self.metrics, self.answers = place, metrics, answers


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    """Every planted body on every face, good ones and ones that are refused; logged as much as can be."""
    folder = tmp_path_factory.mktemp("planted")
    place = make_place(folder, log_level="debug", store_deadline_ms=10_000, commit_budget_ms=10_000)
    (folder / "list.yaml").write_text(LIST + RULES.partition("rules:")[2] + QUOTING, "utf-8")
    victim = Victim(place)
    try:
        faces = asyncio.run(victim.serving())
        answers = told_over_grpc(faces) + told_over_http(faces)
        metrics = urllib.request.urlopen(f"http://{faces['http']}/metrics", timeout=60).read()
    finally:
        victim.process.terminate()
        victim.process.wait(60)
    return Driven(place, metrics, answers)


# --- telling ----------------------------------------------------------------------------------------------------------


def bodies(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A body planted everywhere at once, then field by field."""
    yield planted(whole, stray="infno" in whole)
    yield from breaking(whole, behind=True)
    yield from breaking(whole, behind=False)


def told_over_grpc(faces: Mapping[str, Any]) -> int:
    """Checks, what was saved and done about it, facts and history; returns how many were answered, not refused."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with (
        grpc.insecure_channel(faces["grpc"], options=options) as callers,
        grpc.insecure_channel(faces["admin"], options=options) as admin,
    ):
        answers = [
            call(callers, "ReminderService/Check", request, pb.CheckResponse)
            for request in (*own_requests(), *national_requests())
        ]
        found = [finding for answer in answers if answer for finding in answer.findings]
        answers += [
            call(callers, "ReminderService/RecordSaved", request, pb.RecordSavedResponse) for request in saved()
        ]
        answers += [
            call(callers, "ReminderService/RecordFeedback", request, pb.RecordFeedbackResponse)
            for request in feedback([*{one.rule_id: one.finding_id for one in found}.values()])
        ]
        answers.append(call(admin, "FactService/PutFacts", iter([facts()]), pb.PutFactsResponse))
        answers.append(call(admin, "FactService/PutHistory", iter([history()]), pb.PutHistoryResponse))
        answers.append(
            call(callers, "ReminderService/Check", request_of(planted(own(), stray=False)), pb.CheckResponse)
        )
    return sum(answer is not None for answer in answers)


def own_requests() -> Iterator[pb.CheckRequest]:
    """Our own bodies, as far as they can be messages at all."""
    for body in bodies(own()):
        with contextlib.suppress(RequestError):
            yield request_of(body)


def national_requests() -> Iterator[pb.CheckRequest]:
    """National bodies inside a message, a broken one too."""
    for body in bodies(national()):
        yield pb.CheckRequest(national_body=json.dumps(body, ensure_ascii=False).encode())
    yield pb.CheckRequest(national_body=json.dumps(planted(national(), stray=True), ensure_ascii=False).encode()[:-9])


def saved() -> Iterator[pb.RecordSavedRequest]:
    """Prescriptions as they were saved; the last without its patient, which is refused."""
    whole = request_of(planted(own(), stray=False))
    yield pb.RecordSavedRequest(prescription=whole, prescription_id=f"RX1 {PLANT}", revision=1)
    inside = pb.CheckRequest(national_body=json.dumps(planted(national(), stray=True), ensure_ascii=False).encode())
    yield pb.RecordSavedRequest(prescription=inside, prescription_id="RX2", revision=1)
    yield pb.RecordSavedRequest(prescription=whole, prescription_id="RX3", revision=1, saved_at=PLANT)
    nobody = request_of({**planted(own(), stray=False), "patient": {}})
    yield pb.RecordSavedRequest(prescription=nobody, prescription_id="RX4", revision=1)


def feedback(findings: Iterable[str]) -> Iterator[pb.RecordFeedbackRequest]:
    """A word of each kind about each finding, and about one nobody knows, with plants in every text."""
    for finding in (*findings, f"{PLANT}"):
        for done in pb.Done.values()[1:]:
            word = pb.FindingFeedback(finding_id=finding, done=done, reason_code="other", reason_text=PLANT)
            word.value.text, word.fact = PLANT, "encounter.admission_reason"
            yield pb.RecordFeedbackRequest(request_id=f"F{PLANT}", institution_id="H1", doctor_id="D1", items=[word])
            word.reason_code, word.done_at, word.fact = PLANT, PLANT, PLANT
            yield pb.RecordFeedbackRequest(request_id="F2", institution_id="H1", doctor_id="D1", items=[word])


def facts() -> pb.PutFactsRequest:
    """Every fact that takes a text, of the patient, the encounter and a line; plants in sources and units too."""
    told = []
    for name, fact in load().items():
        subject = {"patient": PATIENT, "encounter": ENCOUNTER, "line": "R1"}.get(fact.subject, "")
        if subject and fact.type in {"text", "words", "word"}:
            text = TOLD.format(subject) if fact.subject != "line" else TOLD.format("")
            value, known = pb.FactValue(text=text), {"subject": subject, "fact": name, "institution_id": "H1"}
            told.append(pb.Fact(value=value, source=f"护士 {text}", **known))
            told.append(pb.Fact(value=value, unit=text, **known))
    return pb.PutFactsRequest(facts=told[:1000])


def history() -> pb.PutHistoryRequest:
    """A visit elsewhere, of somebody whose name is not told."""
    body = json.loads(json.dumps(own()).replace('"name": "', f'"name": "{TOLD.format(PATIENT)} '))
    del body["patient"]["facts"]
    encounter = request_of(body).encounter
    told = TOLD.format(PATIENT)
    record = pb.HistoryRecord(institution_id="H2", record_id=f"S1 {told}", source=f"平台 {told}", encounter=encounter)
    record.patient.id = PATIENT
    return pb.PutHistoryRequest(entries=[pb.HistoryEntry(record=record)])


def call(channel: grpc.Channel, method: str, sent: Any, kind: type[Any]) -> Any:
    """The answer; ``None`` where it was refused."""
    shape: Any = channel.unary_unary if hasattr(sent, "SerializeToString") else channel.stream_unary
    ask = shape(
        f"/reminder.v1.{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=kind.FromString,
    )
    try:
        return ask(sent, timeout=60)
    except grpc.RpcError:
        return None


def told_over_http(faces: Mapping[str, Any]) -> int:
    """The same over HTTP, in UTF-8 and in GBK, to paths that are there and one that is not."""
    where, answers = f"http://{faces['http']}", 0
    for body in bodies(national()):
        text = json.dumps(body, ensure_ascii=False)
        answers += post(f"{where}/3101", text.encode(), "application/json")
        answers += post(f"{where}/3101", text.encode("gbk"), "application/json;charset=GBK")
    service = f"{where}/reminder.v1.ReminderService"
    inner = {
        "prescription": planted(own(), stray=False),
        "prescription_id": f"RX5 {PLANT}",
        "revision": 1,
        "memo": PLANT,
    }
    word = {"finding_id": PLANT, "done": "overridden", "reason_code": "other", "reason_text": PLANT}
    told = {"request_id": PLANT, "institution_id": "H1", "doctor_id": "D1", "items": [word]}
    for method, one in (
        ("Check", planted(own(), stray=False)),
        ("Check", planted(own(), stray=True)),
        ("RecordSaved", inner),
        ("RecordFeedback", told),
    ):
        answers += post(f"{service}/{method}", json.dumps(one, ensure_ascii=False).encode(), "application/json")
        answers += post(f"{service}/{method}", json.dumps(one).encode()[:-3], "application/json")
    post(f"{where}/{urllib.parse.quote(PLANT)}", b"{}", "application/json")
    return answers


def post(url: str, body: bytes, kind: str) -> bool:
    """Whether a body was answered with 200."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind})  # noqa: S310 - our own sidecar
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False


# --- looking ----------------------------------------------------------------------------------------------------------


def stands(things: Iterable[tuple[str, bytes]], wanted: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """What of the wanted stands where."""
    return {place: found for place, data in things if (found := found_in(data, wanted))}


def test_the_plants_came_through(driven: Driven) -> None:
    """Most of it was answered and journaled, and what it was about can be found: the look below is at something."""
    entries = [line.get("entry", line) for line in exported(driven.place)]
    assert driven.answers > 100
    assert {"decision", "feedback", "saved"} <= {entry["kind"] for entry in entries}
    assert sum("高血压" in json.dumps(entry, ensure_ascii=False) for entry in entries) > 20
    assert stands(contents(driven.place.folder / "data"), {"text": ["D330100000001"]})


def test_no_file_of_the_service_holds_a_plant(driven: Driven) -> None:
    """Not as it was written, nor encoded or packed: journal, history, what waits, checkpoints, keys, settings."""
    files = [(name, data) for name, data in contents(driven.place.folder / "data")]
    assert stands(files, WITHOUT_BIRTH) == {}
    kept = [(name, data) for name, data in files if not name.startswith(("history.sqlite", "spool.sqlite"))]
    assert stands(kept, NEVER) == {}


def test_no_export_holds_a_plant(driven: Driven) -> None:
    """Whoever is given the journal cannot say whose it is."""
    lines = [(str(n), json.dumps(one, ensure_ascii=False).encode()) for n, one in enumerate(exported(driven.place))]
    assert stands(lines, NEVER) == {}


def test_no_log_and_no_metric_holds_a_plant(driven: Driven) -> None:
    """Not even at the level debug."""
    log = (driven.place.folder / "log").read_bytes()
    assert len(log.splitlines()) > 100
    assert stands([("log", log), ("metrics", driven.metrics)], NEVER) == {}


def test_the_look_finds_what_it_looks_for() -> None:
    """A name in any way of writing it, anywhere in some bytes."""
    for way in ways(NAME):
        assert found_in(b"x" + way + b"y", NEVER) >= {"name"}
    assert found_in(json.dumps({"born": BIRTH}).encode(), NEVER) == {"birth date"}
    assert found_in(b"19870604", NEVER) == set()


def test_a_command_that_reads_the_journal_prints_no_plant(driven: Driven) -> None:
    """``verify`` says what it found, and of whom nobody can say."""
    said = subprocess.run(command(driven.place, "journal", "verify"), capture_output=True, check=False)
    assert said.returncode == 0, said.stderr
    assert found_in(said.stdout + said.stderr, NEVER) == set()
