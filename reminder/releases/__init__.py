"""Releases in the service: taken in, tried, forecast, made active on every worker at once, taken back.

What the data folder's ``releases`` holds:

- ``standing.json``: what is active, and what the office decided (:mod:`reminder.releases.standing`). Written beside and
  moved into place by one process alone, worker 0; every worker looks at it twenty times a second.
- ``standing.copy.json``: the same again, from which a start mends it.
- ``steps.jsonl``: every step of every release and how it ended, appended and synced.
- ``staged/DIGEST.release``: releases that passed every step, as they came; ``DIGEST.VERSION.release``: another version
  of the same list; ``DIGEST.list``: one that ``--list`` gave.
- ``compiled/DIGEST.compiled``: the compiled form, a cache; made again where it is missing or damaged.
- ``staged/DIGEST.marks``: what its rules are known by, to be compared with what was confirmed.
- ``confirmed.jsonl``: digests of the rules the office confirmed, ever; appended.
- ``forecasts/DIGEST.json``: the last forecast of a release.
- ``workers/NUMBER.json``: what each worker answers with.
- ``incoming/``: half uploads; emptied at every start.

A release becomes active in two moves, so that none is half active: ``coming`` has every worker load it beside what it
serves; when all say so, ``active`` becomes it, and each swaps one object. Where one cannot, ``coming`` is taken back.
"""

from __future__ import annotations

__all__: list[str] = []
