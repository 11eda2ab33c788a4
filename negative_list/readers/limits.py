"""What is too much for one body, and why; over a limit a body is refused and the field named."""

from __future__ import annotations

import unicodedata

__all__ = ["MAX_LINES", "MAX_NOTES", "MAX_TEXT_BYTES", "MAX_VISITS", "longer_than_limit"]

MAX_LINES = 20_000
"""Lines of one body, all encounters together, and rows of any one of its sets: four times a long stay's 5,000 fee
lines, and about 20 MB of JSON."""

MAX_VISITS = 2_000
"""Encounters of one body: one client sends all a patient ever had (2.8), and dialysis three times a week for ten years
is 1,560."""

MAX_TEXT_BYTES = 65_536
"""UTF-8 bytes of one text: the longest field of the national order has 500 characters, 1,500 bytes. Texts are searched
for terms, so their length is time; 64 KiB is forty times what the interface allows and searched in under 5 ms."""

MAX_NOTES = 100
"""Notes of one body: who sent a hundred unusable values knows what to look at; one more note counts the rest."""

_SURE_CHARACTERS = MAX_TEXT_BYTES // 18


def longer_than_limit(text: str) -> bool:
    """Tell whether a text takes more than :data:`MAX_TEXT_BYTES`, or has more characters once it is normalised."""
    # no character takes more than 4 bytes, and none (U+FDFA) becomes more than 18, so that short texts, nearly all,
    # are not looked at
    if len(text) <= _SURE_CHARACTERS:
        return False
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        return True
    return not text.isascii() and len(unicodedata.normalize("NFKC", text)) > MAX_TEXT_BYTES
