"""How the process of a report answers the sidecar: frames of a letter, four bytes of length, and content.

Apart from :mod:`reminder.reports.child`, so that the sidecar needs nothing of what makes reports.
"""

from __future__ import annotations

import struct

__all__ = ["DONE", "FAILED", "FRAME", "MAX_PIECE", "PIECE", "PROGRESS", "REFUSED", "UNREADABLE"]

MAX_PIECE = 1 << 20
"""Bytes of a piece of a report at most."""

FRAME = struct.Struct(">cI")
"""What stands before a frame's content: its letter, and how many bytes it has."""

PROGRESS, PIECE, DONE, REFUSED, UNREADABLE, FAILED = b"p", b"r", b".", b"i", b"u", b"f"
"""Entries read and how many there are; a piece of the report; all of it was sent; fields that are wrong; the journal
cannot be read; a failure of ours."""
