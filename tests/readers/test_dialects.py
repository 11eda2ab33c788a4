"""Whatever dialect a body comes in, its findings are those of its plain national twin."""

from __future__ import annotations

from typing import Any

import pytest

from negative_list.dictionary import load
from negative_list.errors import RequestError
from negative_list.readers import read_body
from negative_list.readers.dialect_table import table
from negative_list.readers.dialects import encoding_of, is_national, national_form, parse_body, transaction_of_body
from negative_list.site import Sites
from tests.readers.dialect_list import FOUND, body, decided, encoded, found, line, spoken
from tests.readers.dialect_points import POINTS, Point, camel, current, flat, hainan, people

named = pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)


def test_the_whole_body_has_every_finding() -> None:
    """The plain body of the interface: one block, five warnings, four reminders, and nothing to note."""
    told = decided(encoded(body()))
    assert found(told) == FOUND
    assert told.notes == ()


@named
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_dialect_says_what_its_twin_says(point: Point, encoding: str) -> None:
    """Findings, lines, texts, amounts and facts are the twin's, among them a block and another; in both encodings."""
    told, twin = decided(encoded(point.sent, encoding)), decided(encoded(point.twin))
    assert spoken(told) == spoken(twin)
    assert told.decision == "block"
    assert len(told.findings) > 1


@named
def test_the_form_tells_the_dialect(point: Point) -> None:
    """Whose names a body has, and how else it deviates."""
    form = national_form(parse_body(encoded(point.sent)))
    assert (form.dialect, form.points) == (point.dialect, point.points)


def test_a_national_body_is_not_copied() -> None:
    """What is national already is its own form."""
    sent = body()
    assert national_form(sent).body is sent
    assert national_form(sent).said("input.data.patient_dtos[0].gend") == "input.data.patient_dtos[0].gend"


def test_making_over_leaves_the_body_alone() -> None:
    """The caller's body is what it was, and reads the same twice."""
    for point in POINTS.values():
        before = encoded(point.sent)
        national_form(point.sent)
        assert encoded(point.sent) == before


@pytest.mark.parametrize("blank", ["null", "[]", "—", None, [None], [""], ["-", []], {}, 0, False], ids=repr)
def test_sets_outside_their_node_leave_any_placeholder_in_it(blank: object) -> None:
    """2.8 nesting (S12): what stands in their place is as varied as what is written for nothing elsewhere."""
    sent = flat(body())
    sets = sent["input"].keys() - {"data"}
    sent["input"]["data"] |= dict.fromkeys(sets & sent["input"]["data"].keys(), blank)
    sent["input"]["patient_dtos"]["fsi_encounter_dtos"] = blank
    assert spoken(decided(encoded(sent))) == spoken(decided(encoded(body())))


def _odd_cnt(sent: dict[str, Any]) -> dict[str, Any]:
    current(sent)["fsi_order_dtos"][1]["cnt"] = "很多"
    return sent


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (_odd_cnt(body()), "input.data.patient_dtos[0].fsi_encounter_dtos[1].fsi_order_dtos[1].cnt"),
        (hainan(_odd_cnt(body())), "input.trigScen.patientDtos[0].encounterDtos[1].orderDtos[1].cnt"),
        (camel(_odd_cnt(body())), "input.trigScen.patientDtos[0].fsiEncounterDtos[1].fsiOrderDtos[1].cnt"),
        (flat(_odd_cnt(body())), "input.fsi_order_dtos[1].cnt"),
        (flat(_odd_cnt(body()), above="envelope"), "fsi_order_dtos[1].cnt"),
    ],
)
def test_notes_name_fields_as_the_caller_does(sent: dict[str, Any], field: str) -> None:
    """A quantity that is none is noted where the caller put it, under the caller's name."""
    assert [note.field for note in decided(encoded(sent)).notes] == [field]


def _without_visit(sent: dict[str, Any]) -> dict[str, Any]:
    people(sent)[0]["fsi_encounter_dtos"] = []
    return sent


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (hainan(body()) | {"input": {"trigScen": {"patientDtos": []}}}, "input.trigScen.patientDtos"),
        (hainan(body()) | {"input": {"trigScen": {"patientDtos": [{"psn_no": "1"}]}}},
         "input.trigScen.patientDtos[0].encounterDtos"),
        (camel(_without_visit(body())), "input.trigScen.patientDtos[0].fsiEncounterDtos"),
        (body() | {"input": '{"data": '}, "input"),
        (body() | {"input": "本院"}, "input"),
        (body() | {"input": {"data": {"patient_dtos": "[1"}}}, "input.data.patient_dtos"),
        (body() | {"input": {"data": [{}, {}]}}, "input.data"),
        (flat(body()) | {"input": {"data": {}, "patient_dtos": {"patn_id": "P1"}, "fsi_encounter_dtos": [1]}},
         "input.fsi_encounter_dtos[0]"),
    ],
)  # fmt: skip
def test_refusals_name_fields_as_the_caller_does(sent: dict[str, Any], field: str) -> None:
    """What is missing or no object is named in the caller's words."""
    with pytest.raises(RequestError) as caught:
        decided(encoded(sent))
    assert [problem.field for problem in caught.value.fields] == [field]


def test_rows_outside_their_encounter_go_where_they_say() -> None:
    """Of flat rows those that name an encounter are its own, the others the current one's."""
    sent = flat(body())
    rows = sent["input"]["fsi_order_dtos"]
    rows += [order | {"mdtrt_id": "M0"} for order in sent["input"]["fsi_encounter_dtos"][0].pop("fsi_order_dtos")]
    told = read_body(parse_body(encoded(sent)), Sites())
    assert [line.id for line in told.encounter.lines] == ["A", "B", "C"]
    assert [[line.id for line in other.lines] for other in told.others] == [["Z"]]


@pytest.mark.parametrize(
    ("sent", "transaction"),
    [
        ({"infno": "3101"}, "3101"),
        ({"infno": 3102}, "3102"),
        ({"infno": " 3103 "}, "3103"),
        ({"infno": "3660"}, "3101"),
        ({"infno": "3661"}, "3102"),
        ({"infno": "2207"}, "2207"),
        ({"infno": "3505a"}, "3505A"),
        ({"infno": "3301", "input": {"data": [{"fixmedins_hilist_id": "L1"}]}}, "3301"),
        ({"infno": "3301", "input": {"data": {"warns": [{"warn_rslt_id": "a"}]}}}, "3103"),
        ({"input": {"data": {"warnType": "1", "warns": [{"warnRsltId": "a"}]}}}, "3103"),
        ({"infno": "3301", "input": "{"}, "3301"),
        ({}, ""),
        (body() | {"infno": "3301"}, "3101"),
        (body() | {"infno": ""}, "3101"),
        (flat(body()) | {"infno": None}, "3101"),
        ({"data": body()["input"]["data"]}, "3101"),
        ({"data": {"warns": [{"warn_rslt_id": "a"}]}}, "3103"),
    ],
)
def test_the_transaction_is_read_from_number_and_shape(sent: dict[str, Any], transaction: str) -> None:
    """Hainan's numbers and a slip are the transactions they stand for; every other number is its own."""
    assert transaction_of_body(sent) == transaction


def _one_patient() -> dict[str, Any]:
    return {"patient_dtos": [{"patn_id": "P", "fsi_encounter_dtos": [{"fsi_order_dtos": [line("A", "X")]}]}]}


@pytest.mark.parametrize("stands", [{}, {"input": None}, {"input": ""}, {"input": "null"}, {"input": {}}], ids=repr)
@pytest.mark.parametrize("more", [{}, {"fsi_his_data_dto": ""}], ids=repr)
def test_input_is_left_out_around_data(stands: dict[str, Any], more: dict[str, Any]) -> None:
    """Whatever stands in its place, and whatever else the body holds."""
    sent = {"infno": "3101", "data": {"trig_scen": "2", **_one_patient(), **more}, **stands}
    assert [line.id for line in read_body(parse_body(encoded(sent)), Sites()).encounter.lines] == ["A"]
    assert national_form(sent).points == ("bare",)


def test_feedback_is_made_over_too() -> None:
    """The fields of 3103 in camelCase, in a text."""
    sent = {"infno": "3103", "input": '{"trigScen": {"warns": [{"warnRsltId": "a", "dspoWay": 2, "dspoWayRea": ""}]}}'}
    form = national_form(sent)
    assert form.body["input"] == {"data": {"warns": [{"warn_rslt_id": "a", "dspo_way": 2, "dspo_way_rea": ""}]}}
    assert form.said("input.data.warns[0].dspo_way") == "input.trigScen.warns[0].dspoWay"


@pytest.mark.parametrize(
    ("sent", "national"),
    [
        ({"input": {}}, True),
        ({"infno": "3101"}, True),
        ({"patient_dtos": []}, True),
        ({"data": {}}, True),
        ({"trigScen": {}}, True),
        ({"patient": {}, "encounter": {}}, False),
        ({"patient": {}, "data": {}}, False),
        ({}, False),
    ],
)
def test_national_bodies_are_told_from_our_own(sent: dict[str, Any], national: bool) -> None:
    """Number, input or a node of the interface at the top; our own nodes never stand there."""
    assert is_national(sent) is national


@pytest.mark.parametrize(
    ("raw", "told", "encoding"),
    [
        (encoded({"a": "药"}), "", "utf-8"),
        (b"\xef\xbb\xbf" + encoded({"a": "药"}), "", "utf-8"),
        (b"\xef\xbb\xbf" + encoded({"a": "药"}), "gbk", "utf-8"),
        (encoded({"a": "药"}, "gbk"), "", "gbk"),
        (encoded({"a": "药"}, "gbk"), "gbk", "gbk"),
        (encoded({"a": "药𠀀"}, "gb18030")[:-2] + b'"}', "", "gbk"),
        (b'{"a": 1}', "gbk", "utf-8"),
        (encoded({"a": "药", "b": "昞黒"}, "gbk"), "", "gbk"),  # 黒 ends in a backslash
        (encoded({"a": "药±"}), "", "utf-8"),
    ],
    ids=repr,
)
def test_encodings_are_told_or_found(raw: bytes, told: str, encoding: str) -> None:
    """UTF-8, else GBK; what is told is taken, but for a byte order mark."""
    assert str(parse_body(raw, told)["a"])[:1] in {"药", "1"}
    assert encoding_of(raw) == encoding


@pytest.mark.parametrize(
    ("raw", "told", "name"),
    [
        (encoded({"a": "高血压药"}, "gbk"), "utf-8", "UTF-8"),
        (b'{"a": "\xff\xfe"}', "", "GBK"),
        ('{"a": 1}'.encode("utf-16"), "", "GBK"),
        (b'{"a": "\xff"}', "gbk", "GBK"),
        ('{"a": "药'.encode("gbk")[:-1] + b'"}', "", "GBK"),
    ],
    ids=repr,
)
def test_another_encoding_is_refused_by_name(raw: bytes, told: str, name: str) -> None:
    """The caller learns what it was not, and from which byte on."""
    with pytest.raises(RequestError) as caught:
        parse_body(raw, told)
    assert f"not {name}, byte " in caught.value.fields[0].message


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_half_a_character_makes_one_field_unknown(encoding: str) -> None:
    """A name cut off by bytes is noted and unknown; everything else is found all the same."""
    whole = encoded(body(), encoding)
    cut = whole.replace('"dise_name": "痛风"'.encode(encoding), '"dise_name": "痛风'.encode(encoding)[:-1] + b'"')
    assert cut != whole
    assert encoding_of(cut) == encoding
    told = decided(cut)
    assert found(told) == tuple(row for row in FOUND if row[0] != "term")
    assert [(note.code, note.field.rpartition(".")[2]) for note in told.notes] == [("impossible_value", "dise_name")]


def test_no_name_stands_for_two_things() -> None:
    """In a node no client's name is also a national one, and everything a dialect names is known."""
    for node in table().nodes.values():
        national = {alias.national for alias in node.aliases.values()}
        assert national.isdisjoint(node.aliases)
        fields = {path.removeprefix(f"{node.table}.") for fact in load().values() for path in fact.national}
        known = fields | node.children.keys() | {"insuplc_admdvs", "fixmedins_code"}
        assert {alias.national for alias in node.aliases.values() if alias.dialect != "camel"} <= known
