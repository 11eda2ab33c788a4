"""Whatever a caller sends: a prescription with notes, or a refusal that names fields; never anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers import read_body
from negative_list.site import Site, Sites
from tests.builders import body, diagnosis, line, own_body, own_line

if TYPE_CHECKING:
    from negative_list.prescription import Prescription

SITES = Sites()
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["", "-", "--", "9999-12-31 00:00:00", "2026-13-45", "1e9", "-1", "0", "5", "\x00", "\ud800"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
CALM = Site(overrides={"encounter.institution_level": 2}, untrusted=frozenset({"encounter.med_type"}))


def some_of(row: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the row with any of its fields made odd."""
    return st.dictionaries(st.sampled_from([*row, "facts"]), ODD, max_size=6).map(lambda odd: row | odd)


NATIONAL = st.builds(
    lambda lines, diagnoses, patient, encounter, envelope: (
        body(lines, diagnoses=diagnoses, patient=patient, encounter=encounter) | envelope
    ),
    st.lists(some_of(line()), min_size=1, max_size=3),
    st.lists(some_of(diagnosis()), max_size=2),
    some_of({"patn_id": "P1", "gend": "1", "brdy": "1960-01-01", "curr_mdtrt_id": "M1"}),
    some_of({"mdtrt_id": "M1", "med_type": "11", "insutype": "310", "adm_date": "2026-01-01", "dscg_date": ""}),
    st.dictionaries(st.sampled_from(["msgid", "inf_time", "fixmedins_code", "input"]), ODD, max_size=1),
)
OWN = st.builds(
    lambda lines, patient, fields: own_body(lines, patient=patient) | fields,
    st.lists(some_of(own_line()), min_size=1, max_size=3),
    some_of({"id": "P1", "sex": "男"}),
    st.dictionaries(st.sampled_from(["request_id", "time", "scene", "encounter", "patient"]), ODD, max_size=1),
)


def read(sent: object, sites: Sites) -> Prescription | tuple[FieldProblem, ...]:
    """Read a body, or say why it is refused."""
    try:
        return read_body(sent, sites)
    except RequestError as error:
        return error.fields


@settings(max_examples=200, deadline=None)
@given(NATIONAL | OWN, st.sampled_from([SITES, Sites(default=CALM)]))
def test_every_body_is_read_or_refused(sent: dict[str, Any], sites: Sites) -> None:
    """Odd values anywhere end in notes or in a refusal with at least one field."""
    told = read(sent, sites)
    if isinstance(told, tuple):
        assert told
        assert all(problem.field and problem.message for problem in told)
    else:
        ids = [each.id for each in told.encounter.lines]
        assert len(set(ids)) == len(ids)
        assert all(note.message and note.field for note in told.notes)
        assert msgspec.json.encode(told.encounter.lines)


@settings(max_examples=100, deadline=None)
@given(st.recursive(ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)))
def test_any_json_at_all_is_refused_in_words(sent: object) -> None:
    """Something that is no body of ours raises nothing but a refusal."""
    told = read(sent, SITES)
    assert isinstance(told, tuple)
    assert told
