"""Bodies are counted field by field, in any dialect; counts add up in any order; nothing of a patient is kept."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list.errors import FieldProblem
from negative_list.readers import read_check_request, read_national
from negative_list.readers.dialects import national_form
from negative_list.site import Sites
from reminder.survey.counting import MOST_LINES, MOST_ROWS, Counting
from reminder.survey.fields import OWN, field_of, table_said, theirs
from reminder.survey.gathering import gathered
from reminder.survey.judging import surveyed
from reminder.survey.page import data_of, page_of
from reminder.survey.sitefile import site_piece
from reminder.survey.tally import FieldTally, Tally, add, distinct
from tests.builders import body, line, own_body
from tests.readers.dialect_points import camel, flat, hainan
from tests.survey.sent import encoded, sent

SECRET = b"k" * 32
NOW = datetime(2026, 1, 1, 9)


def counted(*bodies: dict[str, Any], sites: Sites | None = None) -> Tally:
    """The tally of bodies of one institution."""
    found = gathered(map(encoded, bodies), sites or Sites(), None, SECRET, lambda: NOW)
    (tally,) = (one for name, one in found.items() if name or one.bodies)
    return tally


def field(tally: Tally, name: str) -> FieldTally:
    """How a field came, over all sources."""
    total = FieldTally()
    for source in tally.sources.values():
        add(total, source.fields[name])
    return total


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["1", "2", 1], {"usable": 3, "codes": {"1": 2, "2": 1}}),
        (["7", "7"], {"impossible": 2, "odd": {"7": 2}}),
        (["", None, "  "], {"empty": 3}),
        (["-", "0", "9"], {"placeholder": 3}),
        ([["1"], {"a": 1}], {"impossible": 2}),
        (["一个很长的性别说明"], {"impossible": 1}),
    ],
)
def test_a_value_is_usable_empty_a_placeholder_or_impossible(values: list[Any], wanted: dict[str, Any]) -> None:
    """As the reader takes it; codes of a code table are told, other texts are not."""
    tally = field(counted(*(body(patient={"gend": value}) for value in values)), "patient_dtos.gend")
    told = msgspec.to_builtins(tally)
    assert {name: value for name, value in told.items() if name not in {"one", "slots"}} == wanted | {
        "rows": len(values)
    }


def test_a_field_that_is_not_there_is_absent() -> None:
    """Also one of an extension nobody sends."""
    told = line()
    del told["grpno"]
    tally = counted(body([told, line()]))
    assert (field(tally, "fsi_order_dtos.grpno").absent, field(tally, "fsi_order_dtos.grpno").rows) == (1, 2)
    assert field(tally, "fsi_order_dtos.extend_order_map.o_prdDays").absent == 2


def test_what_never_changes_is_constant_and_what_does_is_about_as_many() -> None:
    """One value is known for sure; many are told apart to within a few."""
    tally = counted(*(body(encounter={"mdtrt_id": f"M{n}"}) for n in range(40)))
    assert field(tally, "fsi_encounter_dtos.insutype").constant
    ids = field(tally, "fsi_encounter_dtos.mdtrt_id")
    assert (ids.constant, field(tally, "fsi_encounter_dtos.insutype").codes) == (False, {"310": 40})
    assert 25 <= distinct(ids) <= 60


@pytest.mark.parametrize(
    ("made", "dialect"), [(hainan, "hainan"), (lambda told: camel(told, whole=True), "camel"), (flat, "national")]
)
def test_a_dialect_is_counted_as_its_twin(made: Any, dialect: str) -> None:
    """The same fields by their national names; the source says whose names it has."""
    plain, spoken = counted(body()), counted(made(body()))
    (source,) = spoken.sources.values()
    assert dialect in source.dialect
    for name in ("patient_dtos.gend", "fsi_encounter_dtos.medins_lv", "fsi_order_dtos.hilist_code"):
        assert field(spoken, name) == field(plain, name), name


def test_a_field_is_called_as_the_caller_calls_it() -> None:
    """So that whoever makes the HIS finds it."""
    found = field_of("hainan", "patient_dtos.patn_id")
    assert found is not None
    told = [(table_said(found.table, one), theirs(found, one)) for one in ("national", "hainan", "hainan+camel")]
    assert told == [("patient_dtos", "patn_id"), ("patientDtos", "psn_no"), ("patientDtos", "psnNo")]
    own = field_of(OWN, "line.quantity")
    assert own is not None
    assert (own.facts, theirs(own, OWN)) == (("line.quantity",), "quantity")


def test_our_own_json_is_counted_too() -> None:
    """By its own fields, and by what it tells."""
    tally = counted(own_body())
    (source,) = tally.sources.values()
    assert (source.dialect, field(tally, "line.quantity").usable) == (OWN, 1)
    assert field(tally, "patient.birth_date").rows == 1


def test_codes_of_the_hospital_are_told_with_the_items_name_and_never_a_diagnosis() -> None:
    """How many came, how many have no national code, and which."""
    tally = counted(*(sent(n) for n in range(8)))
    items, diagnoses = tally.kinds["item"], tally.kinds["diagnosis"]
    assert (items.sent, items.unmapped) == (24, 8)
    assert {code: (one.count, one.name) for code, one in items.codes.items()} == {
        "HIS-0": (4, "自制合剂0"),
        "HIS-1": (4, "自制合剂1"),
    }
    assert (diagnoses.sent, diagnoses.unmapped) == (8, 2)
    assert {code: one.name for code, one in diagnoses.codes.items()} == {"BM0007": ""}


def test_keys_nobody_reads_are_named_by_themselves() -> None:
    """Never what stands under them."""
    tally = counted(sent(1))
    assert "fsi_encounter_dtos.drg_group" in {name for source in tally.sources.values() for name in source.strays}
    assert "A1" not in json.dumps(msgspec.to_builtins(tally))


def test_a_long_stay_is_looked_at_in_part() -> None:
    """The rest of its lines was written by the same client."""
    tally = counted(body([line(rx_id=f"R{n}") for n in range(MOST_LINES + 50)]))
    assert (field(tally, "fsi_order_dtos.cnt").rows, tally.holders["line"]) == (MOST_ROWS, MOST_LINES)


def test_bodies_that_cannot_be_read_are_counted_by_field() -> None:
    """Places are left out, and a field that is no name."""
    found = gathered([b"{", encoded({"infno": "3101", "input": {"data": {}}})], Sites(), None, SECRET, lambda: NOW)
    assert found[""].refused == {"body": 1, "input.data.patient_dtos": 1}
    tally = Tally()
    Counting.refused(tally, [FieldProblem(field="a[3].b", message=""), FieldProblem(field="a[4].b", message="")])
    Counting.refused(tally, [FieldProblem(field="张三.b", message="")])
    assert tally.refused == {"a.b": 1, "": 1}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(0, 12))
def test_counts_add_up_in_any_order(numbers: list[int], cut: int) -> None:
    """Bodies counted by two workers, in either order, come to what one would have counted."""
    whole = counted(*(sent(n) for n in numbers))
    parts = [counted(*(sent(n) for n in part)) for part in (numbers[:cut], numbers[cut:]) if part]
    for order in (parts, parts[::-1]):
        total = Tally()
        for part in order:
            add(total, msgspec.json.decode(msgspec.json.encode(part), type=Tally))
        assert total == whole


NAME = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2, max_size=4)
IDENT = st.text("0123456789ABCXYZ", min_size=8, max_size=18)


@settings(max_examples=40, deadline=None)
@given(name=NAME, ident=IDENT, visit=IDENT, day=st.dates(), place=st.integers(0, 7))
def test_nothing_of_a_patient_is_kept(name: str, ident: str, visit: str, day: Any, place: int) -> None:
    """Name, ids and birth date stand nowhere, wherever a client puts them: in fields, codes, keys, texts."""
    born = day.isoformat()
    told = body(
        [line(rx_id=visit), line()],
        patient={"patn_id": ident, "patn_name": name, "brdy": born},
        encounter={"mdtrt_id": visit},
        msgid=ident,
    )
    person = told["input"]["data"]["patient_dtos"][0]
    current = person["fsi_encounter_dtos"][0]
    order = current["fsi_order_dtos"][1]
    misplaced = (
        lambda: order.update(hilist_code=ident, hosplist_code=ident),
        lambda: order.update(hilist_code="HIS-1", hilist_name=f"{name}专用合剂"),
        lambda: current["fsi_diagnose_dtos"][0].update(dise_codg=f"{name}1", dise_name=name),
        lambda: order.update({name: 1, f"k{ident}": 1}),
        lambda: told.update(recer_sys_code=name),
        lambda: current.update(med_type=born, insutype=ident),
        lambda: told["input"]["data"].update(trig_scen=name),
        lambda: order.update(drord_dr_name=name, hilist_code=name),
    )
    misplaced[place]()
    tally = counted(told)
    survey = surveyed("H1", tally, None)
    page = page_of(survey)
    texts = [msgspec.json.encode(tally), msgspec.json.encode(data_of(survey)), site_piece([survey]).encode()]
    texts += [repr(page).encode(), repr(page_of(survey, english=True)).encode()]
    for text in (one.decode() for one in texts):
        assert not any(private in text for private in (name, ident, visit, born))


def test_facts_are_counted_by_holder() -> None:
    """As they were read: derived ones too, and what the site says."""
    tally, told = Tally(), body([line(), line(rx_id="R2", cnt="")])
    prescription = read_national(told, Sites())
    Counting(SECRET).body(tally, national_form(told), prescription, Sites().default)
    assert (tally.holders["patient"], tally.holders["line"], tally.holders["mode:outpatient"]) == (1, 2, 1)
    assert (tally.facts["patient.sex"], tally.facts["line.quantity"], tally.facts["line.code"]) == (1, 1, 2)
    own = own_body()
    Counting(SECRET).body(tally, own, read_check_request(own, Sites()), Sites().default)
    assert (tally.bodies, tally.holders["patient"]) == (2, 2)
