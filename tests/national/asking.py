"""What the tests of the national interface ask with: calls in any path, encoding and form, and callers' settings."""

from __future__ import annotations

import http.client
import json
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.reminder.bodies import MEN, WOMEN, encoded, national_body, national_order
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from reminder.callers import Caller
    from reminder.service import Service
    from tests.reminder.sidecar import Running

__all__ = ["CALL", "ask", "call", "feedback", "here_with", "own_three", "patient_of", "raw_call", "three", "warn"]

_ENCOUNTERS = count(100)
CALL = "/fsi/api/rsfComIfsService/callService"


def three(**changes: Any) -> dict[str, Any]:
    """A body with a block, a warning and two reminders: a woman, too much of a drug, a hospital of level 1."""
    return national_body(
        national_order("R1", hilist_code=MEN),
        national_order("R2", hilist_code=WOMEN, cnt=5, sumamt=62.5),
        level="8",
        **changes,
    )


def own_three(**changes: Any) -> dict[str, Any]:
    """The same of an encounter of its own: a block that another test left by its exit blocks no more in theirs."""
    body = three(**changes)
    patient = patient_of(body)
    patient["curr_mdtrt_id"] = patient["fsi_encounter_dtos"][0]["mdtrt_id"] = f"M{next(_ENCOUNTERS)}"
    return body


def patient_of(body: dict[str, Any]) -> dict[str, Any]:
    """The patient of a body, to be changed."""
    patient: dict[str, Any] = body["input"]["data"]["patient_dtos"][0]
    return patient


def warn(jr_id: str, way: object = "1", reason: object = "") -> dict[str, Any]:
    """One word of a 3103."""
    return {"warn_rslt_id": jr_id, "dspo_way": way, "dspo_way_rea": reason}


def feedback(*warns: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A 3103."""
    return {
        "infno": "3103",
        "msgid": "",
        "opter": "T001",
        "inf_time": "2026-01-01 09:00:01",
        "fixmedins_code": "",
        "input": {"data": {"warn_type": "1", "warns": list(warns)}},
        **changes,
    }


def raw_call(
    here: Running, body: bytes, path: str = "/", method: str = "POST", headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, and body of one call."""
    host, _, port = here.at("http").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=LONG_S)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return response.status, told, response.read()
    finally:
        connection.close()


def call(
    here: Running,
    body: Mapping[str, Any] | bytes,
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
) -> dict[str, Any]:
    """The reply to one call, which came with status 200 in the encoding that was expected."""
    data = body if isinstance(body, bytes) else encoded(dict(body)).decode().encode(encoding)
    status, told, content = raw_call(here, data, path, headers=headers)
    assert status == 200
    assert told["content-type"].startswith("application/json; charset=")
    reply: dict[str, Any] = json.loads(content.decode(encoding))
    return reply


def ask(here: Running, body: Mapping[str, Any], **how: Any) -> list[dict[str, Any]]:
    """The findings of one call."""
    reply = call(here, body, **how)
    assert (reply["infcode"], reply["err_msg"]) == (0, "")
    rows: list[dict[str, Any]] = reply["output"]["result"]
    return rows


def here_with(
    folder: Path, *callers: Caller, make: type[Service] | None = None, **settings: Any
) -> AbstractContextManager[Running]:
    """A sidecar with settings for these callers."""
    given = settings if make is None else {"make": make, **settings}
    return running(folder, callers=callers, **given)
