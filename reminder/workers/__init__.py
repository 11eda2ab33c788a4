"""Several workers behind one set of addresses: what they share, and what each has of its own.

A supervisor loads the list and forks workers, so that its memory is shared; it has no threads and knows no gRPC. What
workers have in common lies in memory that was mapped before the fork (:mod:`reminder.workers.common`) and outlives any
of them; what has to be taken by one at a time is a lock the system lets go of when its holder dies.
"""

from __future__ import annotations

__all__: list[str] = []
