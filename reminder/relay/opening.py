"""The relay of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminder.relay.feeding import Feeding
from reminder.relay.outbox import Outbox
from reminder.relay.relay import OUTBOX_FILE, Parts, Relay

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.service import Service
    from reminder.upstream import Upstream

__all__ = ["open_relay"]


def open_relay(upstream: Upstream, data: Path, service: Service, *, owner: bool) -> Relay:
    """The relay of a service, not started yet. ``owner``: whether this worker delivers what waits.

    Raises:
        StoreError: When the data folder cannot be written.
    """
    metrics = service.metrics.relay
    feeding = None
    if upstream.feed and service.memory is not None:
        feeding = Feeding(service.memory, lambda: service.active.sites, service.now, metrics, service.log)
    parts = Parts(
        upstream=upstream,
        outbox=Outbox(data / OUTBOX_FILE),
        now=service.now,
        metrics=metrics,
        log=service.log,
        feeding=feeding,
        owner=owner,
        keep=service.going_on.keep,
    )
    return Relay(parts)
