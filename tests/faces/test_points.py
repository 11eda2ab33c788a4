"""Every deviation of the fact sheet through the doors themselves: 3101 over HTTP, and the national body of gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reminder.v1 import reminder_pb2 as pb
from tests.readers.dialect_list import LIST, encoded
from tests.readers.dialect_points import POINTS, Point
from tests.reminder.sidecar import Running, ask, post, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with the list of the dialects."""
    folder = tmp_path_factory.mktemp("points")
    file = folder / "dialects.yaml"
    file.write_text(LIST, encoding="utf-8")
    with running(folder, list=file) as sidecar:
        yield sidecar


def _said(here: Running, told: dict[str, Any]) -> list[tuple[object, ...]]:
    status, reply = post(here, encoded(told))
    assert (status, reply["infcode"], reply["err_msg"]) == (200, 0, "")
    keys = ("rule_id", "action", "lines", "vola_cont", "vola_amt", "sev_deg")
    return [tuple(str(row[key]) for key in keys) for row in reply["output"]["result"]]


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_3101_answers_a_dialect_as_its_twin(here: Running, point: Point) -> None:
    """Two findings at least, a block among them, and the same for both."""
    said = _said(here, point.sent)
    assert said == _said(here, point.twin)
    assert ("block" in {row[1] for row in said}, len(said) > 1) == (True, True)
    grpc = ask(here, pb.CheckRequest(national_body=encoded(point.sent)))
    assert [finding.rule_id for finding in grpc.findings] == [row[0] for row in said]
