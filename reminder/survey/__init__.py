"""The first-week survey: what a hospital's systems really send, and what of it keeps rules from ever being decided.

The sidecar counts what it is sent, bodies in files are counted alike, and one page tells the HIS's vendor what to send.
Nothing here holds what a patient was: counts, hashes of values, and codes out of code tables.
"""

from __future__ import annotations

__all__: list[str] = []
