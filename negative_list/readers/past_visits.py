"""The counts of past visits that a national body packs into one text (``his_md_cnt``, fact sheet 2.3 no. 38).

The specification names its content, months, quarters and years by outpatient visits, admissions and purchases as pairs
of a kind and a count, but prints the separators badly and gives no example. Read is only what says both in words or in
the national code of the kind, so that a number is never taken for another; everything else stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from negative_list.text import normalise

__all__ = ["visits_of"]

_SPANS = {"月": "month", "month": "month", "季": "quarter", "quarter": "quarter", "年": "year", "year": "year"}
_KINDS = {"门诊": "outpatient_visits", "住院": "admissions", "购药": "purchases"}
_SPAN = re.compile(r"(?:本|当|近)?(?:一)?(?:自然)?(month|quarter|year|月|季|年)度?")
_PAIR = re.compile(r"(门诊|住院|购药)[^\d门住购月季年]{0,4}(\d{1,4})")
_LONGEST = 50
"""Characters of the field by the specification."""


@lru_cache(maxsize=4096)
def visits_of(text: str) -> Mapping[str, int]:
    """Return the facts ``patient.outpatient_visits_month``... that a text tells; none where it cannot be read for sure.

    Read are texts like ``月:门诊 3,住院 0,购药 1;季:门诊 9...``: a span, then its pairs.
    """
    plain = normalise(text) if len(text) <= 4 * _LONGEST else ""
    marks = list(_SPAN.finditer(plain))
    told: list[tuple[str, int]] = []
    for n, mark in enumerate(marks):
        pairs = plain[mark.end() : marks[n + 1].start() if n + 1 < len(marks) else len(plain)]
        told += [(f"patient.{_KINDS[kind]}_{_SPANS[mark[1]]}", int(count)) for kind, count in _PAIR.findall(pairs)]
    facts = dict(told)
    return MappingProxyType(facts if len(facts) == len(told) else {})
