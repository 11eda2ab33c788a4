"""Discovery: which services there are, and what they ask clients to send along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from negative_list.readers.fhir.hooks import HOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PREFETCH", "SERVICES", "discovery"]

PREFETCH: Mapping[str, str] = {
    "patient": "Patient/{{context.patientId}}",
    "encounter": "Encounter/{{context.encounterId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "coverage": "Coverage?patient={{context.patientId}}&status=active",
    "medications": "MedicationRequest?patient={{context.patientId}}&status=active,completed,on-hold",
    "services": "ServiceRequest?patient={{context.patientId}}&status=active,completed,on-hold",
    "procedures": "Procedure?patient={{context.patientId}}",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}&category=laboratory,vital-signs",
}
"""What is asked for, by key: reads and searches by token, with tokens of the context's first level only (b.5)."""

SERVICES: Mapping[str, str] = {f"reminder-{hook}": hook for hook in HOOKS}
"""The hook of each service's id. One id for each hook: a widely used client keeps the last of several (b.2)."""

_TITLES = {
    HOOKS[0]: ("医保事前提醒（开立）", "开立医嘱时按医保负面清单检查所选医嘱。"),
    HOOKS[1]: ("医保事前提醒（签署）", "签署前按医保负面清单检查全部医嘱：拦截、警告或提醒，并给出依据和处理办法。"),
}
_USAGE = (
    "Orders are checked against the insurer's negative list. Rules that lack a resource are reported as not evaluated; "
    "facts FHIR has no element for (prices, who pays) are extensions `urn:x-prescription-reminder:fact:NAME`."
)


def discovery(keys: Sequence[str]) -> dict[str, Any]:
    """The answer of the discovery endpoint; ``keys`` of :data:`PREFETCH` are asked for."""
    asked = {key: PREFETCH[key] for key in PREFETCH if key in keys}
    return {"services": [_service(name, hook, asked) for name, hook in SERVICES.items()]}


def _service(name: str, hook: str, asked: Mapping[str, str]) -> dict[str, Any]:
    title, description = _TITLES[hook]
    told = {"hook": hook, "title": title, "description": description, "id": name, "usageRequirements": _USAGE}
    return {**told, "prefetch": asked} if asked else told
