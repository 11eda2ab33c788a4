"""What a sidecar is told is known to the next check, of every sidecar of the same store."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from reminder.v1 import reminder_pb2 as pb
from tests.reminder.bodies import encoded
from tests.reminder.remembered import (
    COVERED,
    DRUG,
    TEST,
    asked,
    body,
    fact,
    found,
    put_facts,
    put_history,
    record,
    save,
    write_rules,
)
from tests.reminder.sidecar import get, post, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running

WEEKLY, RISK = "R31-weekly", "R08-risk"
SAVED_PATH = "/reminder.v1.ReminderService/RecordSaved"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Running]:
    """A sidecar with an empty store."""
    with running(tmp_path, list=write_rules(tmp_path)) as sidecar:
        yield sidecar


def test_nothing_told_is_nothing_known(here: Running) -> None:
    """Both rules say what they lack; the store was asked, and had nothing."""
    answer = asked(here, body())
    assert found(answer) == [f"?{WEEKLY}"]
    assert answer.not_evaluated[0].reason == pb.NOT_EVALUATED_REASON_COVERAGE
    assert found(asked(here, body(DRUG))) == [f"?{RISK}"]
    assert list(answer.notes) == []


# -- history of other institutions


def test_the_same_test_in_another_institution_is_found(here: Running) -> None:
    """As soon as it was told, and for its own patient only."""
    response = put_history(here, COVERED, record())
    assert (response.stored, response.spooled, response.refused_count) == (2, 0, 0)
    answer = asked(here, body())
    assert found(answer) == [WEEKLY]
    assert list(answer.findings[0].involved) == ["1"]
    assert found(asked(here, body(patient="P2"))) == []


def test_coverage_alone_decides(here: Running) -> None:
    """Nobody did the test, and everybody would have told."""
    put_history(here, COVERED)
    assert found(asked(here, body())) == []
    assert found(asked(here, body(patient=""))) == [f"?{WEEKLY}"]


def test_a_record_is_replaced_by_the_next_of_its_id_and_taken_out_by_an_empty_one(here: Running) -> None:
    """However often it is told."""
    put_history(here, COVERED, record(), record())
    put_history(here, record("2025-11-05"))
    assert found(asked(here, body())) == []
    put_history(here, record())
    assert found(asked(here, body())) == [WEEKLY]
    put_history(here, record(encounter=None))
    assert found(asked(here, body())) == []


def test_two_ids_may_be_one_patient(here: Running) -> None:
    """What another hospital told under its own number is known under the body's."""
    entry = record(patient_="")
    entry["record"] = record()["record"] | {"patient": {"id": "X9", "id_system": "H2"}}
    put_history(here, COVERED, entry)
    assert found(asked(here, body())) == []
    put_history(here, {"same_patient": {"ids": [{"id": "P1"}, {"id": "X9", "id_system": "H2"}]}})
    assert found(asked(here, body())) == [WEEKLY]


def test_good_entries_go_in_and_bad_ones_are_named(here: Running) -> None:
    """Each by its place in the stream, its field and what to do; nothing else is lost."""
    response = put_history(
        here,
        COVERED,
        record(record_id=""),
        record(),
        record(encounter={"id": "V1", "lines": [{"code": TEST}]}),
        {"same_patient": {"ids": [{"id": "P1"}]}},
        {"coverage": {"since": "soon"}},
    )
    assert (response.stored, response.refused_count) == (2, 4)
    assert [(one.index, one.field) for one in response.refused] == [
        (1, "record_id"),
        (3, "encounter.lines[0].begins"),
        (4, "same_patient.ids"),
        (5, "since"),
    ]
    assert found(asked(here, body())) == [WEEKLY]


def test_too_many_entries_in_a_message_are_a_limit(here: Running) -> None:
    """What came before it is kept."""
    message = pb.PutFactsRequest(facts=[pb.Fact()] * 1001)
    with grpc.insecure_channel(here.at("admin")) as channel:
        call: Any = channel.stream_unary("/reminder.v1.FactService/PutFacts")
        with pytest.raises(grpc.RpcError) as caught:
            call(iter([message.SerializeToString()]), timeout=60)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


# -- facts


def test_a_fact_of_the_encounter_decides(here: Running) -> None:
    """With its source in the answer; of another institution's encounter of that number it says nothing."""
    assert put_facts(here, fact(institution_id="H2")).stored == 1
    assert found(asked(here, body(DRUG))) == [f"?{RISK}"]
    put_facts(here, fact())
    answer = asked(here, body(DRUG))
    assert found(answer) == [RISK]
    assert answer.findings[0].facts[0].source == "nursing"


def test_a_fact_of_a_line_is_of_its_encounter(tmp_path: Path) -> None:
    """Line numbers may be unique in a prescription only; told without an encounter, one is its institution's."""
    rules = tmp_path / "of-lines.yaml"
    text = write_rules(tmp_path).read_text(encoding="utf-8")
    rules.write_text(text.replace("fact: encounter.nutrition_risk", "fact: line.take_home"), encoding="utf-8")
    with running(tmp_path, list=rules) as here:
        put_facts(here, fact("R1", fact="line.take_home", encounter_id="M1"))
        assert found(asked(here, body(DRUG))) == [RISK]
        assert found(asked(here, body(DRUG, patient="P2", encounter="M2"))) == [f"?{RISK}"]
        assert found(asked(here, body(DRUG, institution_id="H2"))) == [f"?{RISK}"]
        put_facts(here, fact("R1", fact="line.take_home"))
        assert found(asked(here, body(DRUG, patient="P2", encounter="M2"))) == [RISK]
        stay = body(DRUG)
        stay["encounter"]["lines"] *= 250
        answer = asked(here, stay)
        assert found(answer) == [f"?{RISK}"]
        assert [(note.code, "50" in note.message) for note in answer.notes] == [("facts_cut", True)]


def test_a_fact_counts_while_it_holds(here: Running) -> None:
    """Not before, and not from its end on; the later one counts."""
    put_facts(here, fact(expires="2026-01-08 09:00:00"), fact(valid_from="2026-01-08 09:00:01", source="ward"))
    assert found(asked(here, body(DRUG))) == [f"?{RISK}"]
    put_facts(here, fact(valid_from="2026-01-07", source="b"), fact(value=True, valid_from="2026-01-08", source="a"))
    assert found(asked(here, body(DRUG))) == []


def test_bad_facts_are_named_and_unknown_values_tell_nothing(here: Running) -> None:
    """The first hundred of them."""
    wrong = [fact(fact="encounter.nutrition_risc"), fact(unit="kg"), fact(subject=""), fact(value="vielleicht")]
    response = put_facts(here, *wrong, fact(), fact(value=None), *[fact(subject="")] * 120)
    assert (response.stored, response.refused_count, len(response.refused)) == (3, 123, 100)
    assert [(one.index, one.field) for one in response.refused[:3]] == [(0, "fact"), (2, "subject"), (3, "value")]
    assert "did you mean `encounter.nutrition_risk`" in response.refused[0].message


# -- order of trust


def test_the_body_is_believed_before_the_store(here: Running) -> None:
    """A fact the request tells is not asked for; nor is the one the site fixes."""
    put_facts(here, fact())
    told = {"facts": {"encounter.nutrition_risk": True}}
    assert found(asked(here, body(DRUG, visit=told))) == []


@pytest.mark.parametrize(("kind", "value", "expected"), [("overrides", "true", []), ("defaults", "true", [])])
def test_the_site_is_believed_before_the_store(tmp_path: Path, kind: str, value: str, expected: list[str]) -> None:
    """What it fixes and what it gives where the body says nothing; what it distrusts comes from the store alone."""
    site = tmp_path / "site.toml"
    site.write_text(f'[default.{kind}]\n"encounter.nutrition_risk" = {value}\n', encoding="utf-8")
    with running(tmp_path, list=write_rules(tmp_path), site=site) as here:
        put_facts(here, fact())
        assert found(asked(here, body(DRUG))) == expected


def test_what_the_site_distrusts_comes_from_the_store(tmp_path: Path) -> None:
    """The body's word is not believed, the store's is."""
    site = tmp_path / "site.toml"
    site.write_text('[default]\nuntrusted = ["encounter.nutrition_risk"]\n', encoding="utf-8")
    with running(tmp_path, list=write_rules(tmp_path), site=site) as here:
        put_facts(here, fact())
        told = {"facts": {"encounter.nutrition_risk": True}}
        assert found(asked(here, body(DRUG, visit=told))) == [RISK]


def test_a_line_told_three_times_counts_once(here: Running) -> None:
    """In force in the body, saved here, and fed."""
    first = body()
    first["encounter"]["lines"][0]["begins"] = "2026-01-08 08:30:00"
    save(here, first)
    fed = {"id": "M1", "lines": [{"id": "R1", "code": TEST, "begins": "2026-01-08 08:30:00"}]}
    put_history(here, COVERED, record(institution_id="H1", encounter=fed))
    again = body()
    again["encounter"]["lines"] = [{**first["encounter"]["lines"][0], "current": False}, {"code": DRUG, "name": "乳"}]
    assert found(asked(here, again)) == [f"?{RISK}"]
    again["encounter"]["lines"] = [first["encounter"]["lines"][0]]
    assert found(asked(here, again)) == []


# -- what was saved


def test_what_one_sidecar_saved_the_other_knows_at_once(tmp_path: Path) -> None:
    """They share the store, and nothing else."""
    rules = write_rules(tmp_path)
    with running(tmp_path, list=rules) as one, running(tmp_path, list=rules) as other:
        response = save(one, body(encounter="M0"))
        assert (response.stored, response.spooled, response.changed) == (True, False, True)
        assert found(asked(other, body())) == [WEEKLY]


def test_a_changed_secret_loses_nothing(tmp_path: Path) -> None:
    """What was told under the older one is known under the newer one too."""
    rules = write_rules(tmp_path)
    with running(tmp_path, list=rules) as here:
        save(here, body(encounter="M0"))
        put_facts(here, fact())
        put_history(here, COVERED, record("2026-01-07", code=DRUG), record(record_id="S2", patient="P2"))
    (tmp_path / "var" / "keys" / "0002.key").write_bytes(bytes(range(32)))
    with running(tmp_path, list=rules) as here:
        assert found(asked(here, body())) == [WEEKLY]
        assert found(asked(here, body(DRUG))) == [RISK]
        assert found(asked(here, body(patient="P2"))) == [WEEKLY]
        put_history(here, record(record_id="S2", patient="P2", encounter=None))
        assert found(asked(here, body(patient="P2"))) == []


def test_a_fact_of_the_request_may_say_when_it_was_found(here: Running) -> None:
    """Over the wire as in a file; a time that cannot be is a note."""
    for at, notes in (("2026-01-07 08:00:00", []), ("soon", ["impossible_value"])):
        told = {"facts": {"encounter.nutrition_risk": {"value": False, "at": at}}}
        answer = asked(here, body(DRUG, visit=told))
        assert (found(answer), [note.code for note in answer.notes]) == ([RISK], notes)


def test_the_highest_revision_stands_and_an_empty_one_voids(here: Running) -> None:
    """In whatever order they come, and however often."""
    saved, none = body(encounter="M0"), body(encounter="M0", visit={"lines": []})
    assert save(here, saved, 2).changed
    assert not save(here, saved, 2).changed
    assert not save(here, none, 1).changed
    assert found(asked(here, body())) == [WEEKLY]
    assert save(here, none, 3).changed
    assert found(asked(here, body())) == [f"?{WEEKLY}"]
    assert not save(here, saved, 2).changed
    assert found(asked(here, body())) == [f"?{WEEKLY}"]


def test_lines_in_force_belong_to_other_prescriptions(here: Running) -> None:
    """Only current lines are taken."""
    sent = body(encounter="M0")
    sent["encounter"]["lines"][0]["current"] = False
    save(here, sent)
    assert found(asked(here, body())) == [f"?{WEEKLY}"]


def test_the_site_says_since_when_everything_is_told(tmp_path: Path) -> None:
    """A rule about its own records is then decided, unless they were forgotten; for others nothing is promised."""
    rules = tmp_path / "rules.yaml"
    text = write_rules(tmp_path).read_text(encoding="utf-8")
    rules.write_text(text.replace("whose: patient", "whose: institution"), encoding="utf-8")
    site = tmp_path / "site.toml"
    site.write_text("[H1]\nown_history_since = 2025-06-01\n", encoding="utf-8")
    with running(tmp_path, list=rules, site=site) as here:
        assert found(asked(here, body())) == []
        assert found(asked(here, body(institution_id="H9"))) == [f"?{WEEKLY}"]
        assert here.service.memory is not None
        here.service.memory.store().forget(datetime(2026, 1, 8))
        assert found(asked(here, body())) == [f"?{WEEKLY}"]


def test_what_cannot_be_found_again_is_not_kept(here: Running) -> None:
    """Patient, encounter and prescription need an id; fields are named as the caller wrote them."""
    sent = body(patient="", encounter="")
    sent["encounter"]["lines"] = []
    with pytest.raises(grpc.RpcError) as caught:
        save(here, sent, -1, prescription_id="", saved_at="soon")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    details = str(caught.value.details())
    assert [line.partition(":")[0] for line in details.splitlines()][:2] == [
        "prescription_id",
        "prescription.patient.id",
    ]


def test_saved_is_told_over_http_alike(here: Running) -> None:
    """200 with what became of it, 400 with the field."""
    told = {"prescription": body(encounter="M0"), "prescription_id": "RX1", "revision": 1}
    assert post(here, encoded(told), SAVED_PATH) == (
        200,
        {"stored": True, "spooled": False, "changed": True, "journaled": True, "notes": []},
    )
    assert found(asked(here, body())) == [WEEKLY]
    for broken, field in (
        (told | {"prescription": 1}, "prescription"),
        (told | {"revision": "x"}, "revision"),
        (told | {"revison": 1}, "revison"),
        (told | {"prescription": {"patient": {}}}, "prescription.encounter"),
    ):
        status, answer = post(here, encoded(broken), SAVED_PATH)
        assert (status, answer["error"][0]["field"]) == (400, field)


def test_what_has_no_entry_is_not_said_to_have_one(tmp_path: Path) -> None:
    """Kept all the same."""
    with running(tmp_path, list=write_rules(tmp_path), journal="off") as sidecar:
        told = {"prescription": body(encounter="M0"), "prescription_id": "RX1", "revision": 1}
        _, answer = post(sidecar, encoded(told), SAVED_PATH)
    assert (answer["stored"], answer["journaled"]) == (True, False)


# -- nothing of a person


def test_no_id_of_a_patient_or_an_encounter_is_kept_or_told(tmp_path: Path) -> None:
    """Not in the log, the metrics, or the files of the store."""
    with running(tmp_path, list=write_rules(tmp_path)) as here:
        save(here, body(encounter="PLANTED-M0", patient="PLANTED-P", visit={"visit_mode": "inpatient"}))
        put_history(here, COVERED, record(patient="PLANTED-P"))
        put_facts(here, fact("PLANTED-M1"))
        stay = body(encounter="PLANTED-M1", patient="PLANTED-P", visit={"visit_mode": "inpatient"})
        stay["patient"]["facts"] = {"patient.name": "PLANTED-NAME"}
        assert found(asked(here, stay)) == [WEEKLY]
        metrics = here.service.metrics.text().decode()
        assert 'reminder_store_reads_total{result="read"} 1.0' in metrics
        assert 'reminder_told_total{kind="saved",result="stored"} 1.0' in metrics
    logged = str(here.logged())
    assert "saved" in logged
    files = [file for file in (tmp_path / "var").rglob("*") if file.is_file()]
    assert any(file.suffix == ".sqlite" for file in files)
    kept = b"".join(file.read_bytes() for file in files)
    assert b"nutrition" in kept
    for planted in ("PLANTED-P", "PLANTED-M0", "PLANTED-M1", "PLANTED-NAME"):
        assert planted not in logged + metrics
        assert planted.encode() not in kept


def test_the_last_body_of_a_stay_is_kept(tmp_path: Path) -> None:
    """Beside the reply; that of an outpatient is not."""
    with running(tmp_path, list=write_rules(tmp_path)) as here:
        asked(here, body())
        asked(here, body(encounter="M2", visit={"visit_mode": "inpatient"}))
    (file,) = (tmp_path / "var").glob("history*.sqlite")
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT COUNT(*) FROM kept").fetchone() == (1,)
    connection.close()


def test_all_is_well_where_the_store_answers(here: Running) -> None:
    """Nothing is degraded."""
    asked(here, body())
    status, told = get(here.at("http"), "/readyz")
    assert (status, told["status"], told["degraded"]) == (200, "serving", [])
