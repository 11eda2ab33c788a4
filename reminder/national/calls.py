"""A call as it came, read as far as it can be: whose it is, which transaction, in which encoding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.readers.dialects import encoding_of, national_form, parse_body
from negative_list.readers.rows import plain
from reminder.callers import NAMED_BY, Caller
from reminder.encodings import told_encoding
from reminder.national.transactions import kind_of, number_in

if TYPE_CHECKING:
    from starlette.requests import Request

    from negative_list.readers.dialects import Form
    from reminder.callers import Callers

__all__ = ["AT_ONCE", "NOTHING_SAID", "Envelope", "Heard", "envelope_in", "hear", "unheard", "whose"]

_INSTITUTION = ("fixmedins_code", "medins_code")
_AREA = ("mdtrtarea_admvs", "insur_code")
"""1.1, and what a middle tier is sent in their place."""


class Envelope(Struct, frozen=True, kw_only=True):
    """What the envelope says of a call (1.1), "" where it does not."""

    institution: str = ""
    area: str = ""
    msgid: str = ""
    systems: tuple[str, ...] = ()


AT_ONCE = 256 * 1024
"""Bytes that are read at once, which takes some milliseconds; longer bodies take their turn beside."""

NOTHING_SAID = Envelope()
"""Of a body that cannot be read."""


class Heard(Struct, frozen=True, kw_only=True):
    """A call.

    ``body`` is ``None`` where it cannot be read, and ``problem`` says why. ``number`` is its transaction's, "" where
    nothing says it; ``encoding`` that of the reply: ``gbk``, ``utf-8``, or "" where nobody knows. ``late``: it waited
    to be read until its caller gave up.
    """

    raw: bytes
    body: dict[str, Any] | None
    problem: RequestError | None
    number: str
    caller: Caller
    encoding: str
    envelope: Envelope = NOTHING_SAID
    late: bool = False

    def readable(self) -> dict[str, Any]:
        """The body.

        Raises:
            RequestError: It cannot be read.
        """
        if self.problem is not None:
            raise self.problem
        return self.body or {}


def hear(raw: bytes, request: Request, callers: Callers) -> Heard:
    """Read a call. A caller known by what its body says is known only once that was read, maybe in its encoding."""
    known = _known_of(request)
    caller = callers.of(**known)
    told = caller.encoding or told_encoding(request.headers.get("content-type", ""))
    body, problem = _read(raw, told)
    envelope = envelope_in(body, systems=callers.by_body)
    if callers.by_body and body is not None:
        caller = callers.of(**known, institution=envelope.institution, system=envelope.systems)
        if caller.encoding and caller.encoding != (told or encoding_of(raw)):
            body, problem = _read(raw, caller.encoding)
            envelope = envelope_in(body)
    return Heard(
        raw=raw,
        body=body,
        problem=problem,
        number=_number(raw, body, request),
        caller=caller,
        encoding=caller.encoding or told or _seen(raw, body),
        envelope=envelope,
    )


def unheard(raw: bytes, request: Request, callers: Callers) -> Heard:
    """A call that was not read: what can be known without."""
    return Heard(
        raw=raw,
        body=None,
        problem=None,
        number=_number(raw, None, request),
        caller=callers.of(**_known_of(request)),
        encoding="",
        late=True,
    )


def _known_of(request: Request) -> dict[str, str]:
    """What tells of a caller before its body is read."""
    return {
        "path": request.scope["path"],
        "address": request.client.host if request.client is not None else "",
        "named": request.headers.get(NAMED_BY, ""),
    }


def _number(raw: bytes, body: dict[str, Any] | None, request: Request) -> str:
    params = request.path_params
    elsewhere = str(params.get("path", "")).rstrip("/").rpartition("/")[2]
    segment = str(params.get("infno", "")) or (elsewhere if kind_of(elsewhere) else "")
    return number_in(raw, body, segment, request.headers)


def _seen(raw: bytes, body: object) -> str:
    """The encoding of a body; of one that is not UTF-8 and cannot be read, nothing says that it is GBK."""
    seen = encoding_of(raw)
    return "" if body is None and seen != "utf-8" else seen


def _read(raw: bytes, encoding: str) -> tuple[dict[str, Any] | None, RequestError | None]:
    try:
        return parse_body(raw, encoding), None
    except RequestError as error:
        return None, error


def envelope_in(body: Mapping[str, Any] | None, *, systems: bool = False) -> Envelope:
    """What a body's envelope says; the form is only made where the usual names are not there, or ``systems`` asked."""
    if body is None:
        return NOTHING_SAID
    if systems or not any(name in body for name in _INSTITUTION):
        body = _form(body)
    return Envelope(
        institution=_first(body, _INSTITUTION),
        area=_first(body, _AREA),
        msgid=plain(body.get("msgid")),
        systems=tuple(filter(None, (_first(body, ("recer_sys_code",)), plain(_data(body).get("syscode"))))),
    )


def whose(body: Mapping[str, Any] | None) -> dict[str, str]:
    """The ids of the patient and the encounter a body is about, "" where nothing can be read of them."""
    people = _data(_form(body or {})).get("patient_dtos")
    person = people[0] if isinstance(people, list) and people else people
    told = person if isinstance(person, dict) else {}
    return {"patn_id": plain(told.get("patn_id")), "mdtrt_id": plain(told.get("curr_mdtrt_id"))}


def _form(body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        form: Form = national_form(body)
    except RequestError:
        return body
    return form.body


def _data(body: Mapping[str, Any]) -> Mapping[str, Any]:
    told = body.get("input")
    data = told.get("data") if isinstance(told, dict) else None
    return data if isinstance(data, dict) else {}


def _first(body: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((told for name in names if (told := plain(body.get(name)))), "")
