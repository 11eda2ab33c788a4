"""The faces are thin: the same content is the same prescription and the same decision, however it arrives."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list.errors import RequestError
from negative_list.readers.body import parse_body
from reminder import wire, wire_client
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.bodies import MEN, WOMEN, encoded, national_body, national_order, own_body, own_line
from tests.reminder.sidecar import Running, ask, post, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from reminder.service import Service

LEVELS = {3: "3", 1: "14", None: ""}
"""Levels of an institution, and a national code of each."""

CONTENTS = tuple(itertools.product("男女", LEVELS, (MEN, WOMEN), ("1", "3.5", "-1", "many", ""), (True, False)))
"""Sex, level, item, quantity, and whether the second line is current: known, impossible and unknown values."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar to ask."""
    with running(tmp_path_factory.mktemp("sidecar")) as sidecar:
        yield sidecar


def ours(sex: str, level: int | None, code: str, quantity: str, current: bool) -> dict[str, Any]:
    """Our own body of a content."""
    second = own_line("R2", code=code, quantity=quantity, current=current)
    return own_body(own_line(), second, sex=sex, level=level, request_id="")


def theirs(sex: str, level: int | None, code: str, quantity: str, current: bool) -> dict[str, Any]:
    """The national body of a content."""
    second = national_order("R2", hilist_code=code, cnt=quantity, curr_drord_flag=int(current))
    return national_body(national_order(), second, gend=str("男女".index(sex) + 1), level=LEVELS[level], msgid="")


def over_the_wire(service: Service, body: dict[str, Any]) -> Prescription:
    """A body as a message, as bytes, as a prescription."""
    data = wire_client.request_of(body).SerializeToString()
    return service.read_own(wire.body_of(wire.parse(data)))


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: "-".join(map(str, content)))
def test_a_message_is_the_prescription_of_its_body(here: Running, content: tuple[Any, ...]) -> None:
    """Nothing is lost, added or read otherwise."""
    body = parse_body(encoded(ours(*content)))
    assert over_the_wire(here.service, body) == here.service.read_own(body)


def told(decision: Decision) -> list[object]:
    """What a decision says, apart from its ids and times."""
    findings = [(f.rule_id, f.action, f.lines, f.involved, f.message, f.amount_fen) for f in decision.findings]
    suggested = [(s.kind, s.lines, s.value) for f in decision.findings for s in f.suggestions]
    skipped = [(n.rule_id, n.needs, n.lines) for n in decision.not_evaluated]
    return [decision.decision, findings, suggested, skipped, [(n.code, n.line) for n in decision.notes]]


def checked(here: Running, prescription: Prescription) -> Decision:
    """What the core decides, asked in the sidecar's own loop."""
    return here.await_(here.service.check(prescription))


def over_grpc(here: Running, request: pb.CheckRequest) -> Decision:
    """The decision a caller of gRPC gets."""
    return wire_client.decision_of(ask(here, request))


@pytest.mark.parametrize("content", CONTENTS[::5], ids=lambda content: "-".join(map(str, content)))
def test_every_face_decides_alike(here: Running, content: tuple[Any, ...]) -> None:
    """Our JSON in process, as a message, the national body over gRPC and over HTTP."""
    service = here.service
    expected = told(checked(here, service.read_own(parse_body(encoded(ours(*content))))))
    assert told(over_grpc(here, wire_client.request_of(ours(*content)))) == expected
    assert told(over_grpc(here, pb.CheckRequest(national_body=encoded(theirs(*content))))) == expected
    output = post(here, encoded(theirs(*content)))[1]["output"]
    results = [(r["rule_id"], r["action"], tuple(r["lines"]), r["vola_cont"]) for r in output["result"]]
    assert results == [(f[0], f[1], f[2], f[4]) for f in expected[1]]  # type: ignore[attr-defined]
    assert output["decision"] == expected[0]


def without(key: str) -> dict[str, Any]:
    """Our own body without one of its fields."""
    return {name: value for name, value in own_body().items() if name != key}


FAULTS = {
    "line": own_body(own_line(qantity=1)),
    "diagnosis": own_body() | {"encounter": {"diagnoses": [{"cod": "I10"}], "lines": [own_line()]}},
    "unlike": own_body(own_line(zzzz=1)),
    "top": own_body() | {"requestid": "1"},
    "no encounter": without("encounter"),
    "no patient": without("patient"),
    "encounter": own_body() | {"encounter": []},
    "lines": own_body() | {"encounter": {"lines": 1}},
    "no object": own_body() | {"encounter": {"lines": [1]}},
    "no lines": own_body() | {"encounter": {"lines": []}},
    "facts": own_body(own_line(facts=[1])),
    "fact": own_body(own_line(facts={"line.dayz": 1})),
    "level": own_body(own_line(facts={"patient.weight_kg": 1})),
    "field": own_body(own_line(facts={"line.code": "X"})),
    "long": own_body(own_line(name="药" * 30_000)),
}
"""Bodies with one fault each."""


@pytest.mark.parametrize("fault", FAULTS)
def test_every_face_refuses_alike(here: Running, fault: str) -> None:
    """The same field and text from a file and through the client, in both languages, with what to do."""
    body = FAULTS[fault]
    with pytest.raises(RequestError) as in_file:
        here.service.read_own(body)
    with pytest.raises(RequestError) as as_message:
        over_the_wire(here.service, body)
    assert in_file.value.fields == as_message.value.fields
    for problem in in_file.value.fields:
        assert re.fullmatch(r".*[一-鿿].* \(.*[a-z].*\); .*[一-鿿].* \(.*[a-z].*\)", problem.message), problem


def test_what_stands_for_a_list_does_so_everywhere(here: Running) -> None:
    """One object for a list of one, a text for its words, a placeholder for none."""
    encounter = {"id": "M1", "lines": own_line(), "insurance": "employee,maternity", "diagnoses": "-"}
    body = own_body() | {"encounter": encounter, "scene": ""}
    read = here.service.read_own(body)
    assert over_the_wire(here.service, body) == read
    assert read.encounter.facts["encounter.insurance"] == ("employee", "maternity")


def test_the_contents_decide_differently(here: Running) -> None:
    """Every action occurs among them, so that agreeing means something."""
    decisions = [checked(here, over_the_wire(here.service, ours(*content))) for content in CONTENTS]
    assert {decision.decision for decision in decisions} == {"pass", "remind", "warn", "block"}
    assert any(decision.not_evaluated for decision in decisions)
    assert any(decision.notes for decision in decisions)
    assert all(msgspec.json.encode(decision) for decision in decisions)
