"""Bodies in place of decisions: what somebody brings, or the shipped samples, for a hospital without history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers import read_body
from negative_list.readers.body import parse_body
from reminder.forecast.replay import Case

if TYPE_CHECKING:
    from negative_list.site import Sites

__all__ = ["cases_of_samples", "shipped_samples"]

_MARK = b"\xef\xbb\xbf"


def cases_of_samples(samples: bytes, sites: Sites, now: datetime) -> Iterator[Case]:
    """The cases of bodies, one on a line, each named by its line.

    Args:
        samples: 3101 bodies or the JSON of CheckRequest, UTF-8.
        sites: the site's settings.
        now: civil time for those that tell none.

    Raises:
        RequestError: a line is no body; ``samples`` and the number of the line stand before the field.
    """
    for number, line in enumerate(samples.removeprefix(_MARK).splitlines(), 1):
        if line.strip():
            yield _case(line, number, sites, now)


def _case(line: bytes, number: int, sites: Sites, now: datetime) -> Case:
    try:
        body = parse_body(line)
        prescription = read_body(body, sites, None)
        if prescription.at is None:
            prescription = read_body(body, sites, now)
    except RequestError as error:
        named = [FieldProblem(field=f"samples[{number}].{one.field}", message=one.message) for one in error.fields]
        raise RequestError(named) from None
    ident = f"sample {number}"
    encounter = prescription.encounter.id or ident
    return Case(ident=ident, encounter=encounter, at=prescription.at or now, prescription=prescription)


def shipped_samples() -> bytes:
    """The sample prescriptions of this package, one on a line."""
    folder = files("negative_list") / "lists" / "sample" / "requests"
    bodies = sorted((one for one in folder.iterdir() if one.name.endswith(".json")), key=lambda one: one.name)
    return b"".join(msgspec.json.format(one.read_bytes(), indent=-1) + b"\n" for one in bodies)
