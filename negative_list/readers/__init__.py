"""Pure readers: from a parsed body, whatever its kind, to a prescription; and from files to history and facts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.dialects import is_national
from negative_list.readers.national import read_national
from negative_list.readers.own import read_check_request
from negative_list.readers.twice import noted
from negative_list.readers.wording import EXPECTED_OBJECT

if TYPE_CHECKING:
    from negative_list.prescription import Prescription
    from negative_list.site import Sites

__all__ = ["read_body", "read_check_request", "read_national"]


def read_body(body: object, sites: Sites, at: datetime | None = None) -> Prescription:
    """Read a parsed body of either kind: one of the national interface, in any dialect, or our own JSON.

    ``at`` is the instant it is judged at, in the site's zone; ``None``: the body's own time. Raises ``RequestError``.
    """
    if not isinstance(body, dict):
        raise RequestError([FieldProblem(field="body", message=EXPECTED_OBJECT)])
    read = read_national if is_national(body) else read_check_request
    return noted(read(body, sites, at), body)
