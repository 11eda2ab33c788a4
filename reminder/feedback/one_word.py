"""What a single word for "went on" means: transaction 3103 has no other, and no codes for reasons.

Going on with a reason leaves a block by its emergency exit, and overrides anything else. A reason that is the text or
the code of a coded one is that one: a client may offer what our reply tells under ``reasons``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from reminder.reasons import standard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from negative_list.rules import Reason
    from reminder.feedback.items import Item
    from reminder.feedback.known import Subject
    from reminder.journal.entries import Done

__all__ = ["OTHER", "coded", "understood"]

OTHER = "other"
"""The standard reason that stands in words."""

_WRONG_RULE = "wrong_rule"
_BETWEEN = "：:，, 　"


def understood(item: Item, subject: Subject | None) -> Item:
    """The item with what its one word means for its finding; one that says more is left as it is."""
    if not item.one_word or not item.reason_text:
        return item
    own = subject.shown.reasons if subject is not None and subject.shown is not None else ()
    code, text = coded(item.reason_text, own)
    return replace(item, done=_done(item, code, subject), reason_code=code, reason_text=text)


def _done(item: Item, code: str, subject: Subject | None) -> Done:
    if item.done != "overridden":
        return item.done
    if subject is not None and subject.found.action == "block":
        return "exited"
    return "wrong_rule" if code == _WRONG_RULE else item.done


def coded(text: str, own: Iterable[Reason]) -> tuple[str, str]:
    """The code of a reason in words, and what the words say besides; :data:`OTHER` where no reason has them.

    Args:
        text: as told.
        own: the reasons of the finding's rule.
    """
    plain = text.strip()
    for code, label in _labels(own):
        if plain == label or (plain.startswith(label) and plain[len(label)] in _BETWEEN):
            return code, plain[len(label) :].strip(_BETWEEN)
    return OTHER, plain


def _labels(own: Iterable[Reason]) -> Iterator[tuple[str, str]]:
    """Codes and what is read for them, those of the rule first."""
    for reason in own:
        yield from ((reason.code, label) for label in (reason.code, reason.text.zh, reason.text.en) if label)
    for usual in standard().values():
        yield from ((usual.code, label) for label in (usual.code, usual.zh, usual.en))
