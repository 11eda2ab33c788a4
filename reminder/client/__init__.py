"""The Python client: asks a sidecar whether a prescription may be saved, and never stands in its way.

:class:`Client` for programs with threads, :class:`AsyncClient` for those with an event loop. No call waits past its
deadline (300 ms unless told otherwise) or raises for want of an answer: what nobody checked comes back as
``not_checked`` with the reason. While the sidecar is away nobody waits for it, and what is told (prescriptions saved,
feedback) waits in a spool and is delivered later, once.
"""

from __future__ import annotations

from reminder.client.aio import AsyncClient
from reminder.client.asking import check
from reminder.client.channels import DEADLINE_MS, DEFAULT_TARGET
from reminder.client.refusals import NotReachedError, Why, fields_of
from reminder.client.results import Checked, Heard, State, Told
from reminder.client.sync import Client

__all__ = [
    "DEADLINE_MS",
    "DEFAULT_TARGET",
    "AsyncClient",
    "Checked",
    "Client",
    "Heard",
    "NotReachedError",
    "State",
    "Told",
    "Why",
    "check",
    "fields_of",
]
