"""What the process of a forecast is told: two lists, the policy in force, and what to replay."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from negative_list.errors import ListError, Problem
from negative_list.parse import read_list as read_files
from negative_list.policy import Policy
from negative_list.release.container import read_release
from negative_list.site import Sites
from reminder.journal.artifacts import intact, rules_of
from reminder.journal.base import Artifact
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.releases.confirming import Confirmed, marks_of, unconfirmed
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from datetime import tzinfo

    from negative_list.rules import RuleList
    from reminder.journal.base import JournalStore

__all__ = ["Listed", "Order", "Wanted", "journal_of", "open_lists", "read_list", "unconfirmed_of"]


class Listed(Struct, frozen=True, kw_only=True):
    """A list and where it stands.

    ``kind``: the file of a ``release``; a file of ``canonical`` JSON Lines; a ``list`` (file or folder) as people write
    it; or as the ``journal`` keeps it.

    ``place`` is a path, of ``journal`` the digest. ``version`` "": a list that has none.
    """

    kind: Literal["release", "canonical", "list", "journal"]
    place: str
    digest: str = ""
    version: str = ""
    name: str = ""


class Wanted(Struct, frozen=True, kw_only=True):
    """What is asked for. ``form`` is forecast, compare or tomorrow; ``format`` text, html, csv, xlsx or json."""

    form: Literal["forecast", "compare", "tomorrow"] = "forecast"
    format: str = "json"
    english: bool = False


class Order(Struct, frozen=True, kw_only=True):
    """What the process is told.

    ``active`` is the list in force, ``coming`` the release to be looked at. ``policy`` is the one in force, whose
    ``unconfirmed`` are those of the active list; ``confirmed``: the file of what the office confirmed ("": none).
    ``data``, ``database`` ("" for files in the folder) and ``site`` are those of the sidecar. ``at``: civil time of the
    planned activation; decisions from ``begin`` to the day before ``end``; ``within_s`` seconds. ``samples``: bodies,
    one on a line, in place of the journal. ``keep``: where the forecast is kept ("": nowhere). ``now`` is UTC.
    """

    wanted: Wanted = Wanted()
    active: Listed
    coming: Listed
    policy: Policy
    confirmed: str = ""
    data: str
    database: str = ""
    site: str | None = None
    at: datetime
    begin: date
    end: date
    within_s: float = 600.0
    samples: bytes = b""
    keep: str = ""
    now: datetime

    @property
    def until(self) -> datetime:
        """The instant before which everything is that is looked at: what is written meanwhile is not."""
        return self.now + timedelta(seconds=1)

    def sites(self) -> Sites:
        """The site's settings."""
        return Sites.read(Path(self.site)) if self.site else Sites()

    def zone(self) -> tzinfo:
        """The site's zone, of whose days periods are made."""
        return self.sites().default.zone


def journal_of(order: Order) -> JournalStore | None:
    """The journal; ``None`` where there is none yet."""
    if not order.database and not (Path(order.data) / JOURNAL_FILE).exists():
        return None
    return open_journal(Path(order.data), order.database)


def open_lists(order: Order) -> tuple[RuleList, RuleList]:
    """The active list and the coming one.

    Raises:
        NegativeListError: one of them cannot be read.
        StoreError: the journal cannot be read, or does not keep it.
    """
    return read_list(order.active, order), read_list(order.coming, order)


def read_list(listed: Listed, order: Order) -> RuleList:
    """A list from where it stands; errors as those of :func:`open_lists`."""
    if listed.kind == "journal":
        return _kept(listed, order)
    if listed.kind == "list":
        return read_files(Path(listed.place))
    path = Path(listed.place)
    content = read_release(path).content if listed.kind == "release" else _content(path)
    return rules_of(Artifact(digest=listed.digest, kind="list", content=content, first_at=order.now))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror}); see to the folder of releases"
        raise ListError([Problem(file=str(path), message=message)]) from None


def _kept(listed: Listed, order: Order) -> RuleList:
    journal = journal_of(order)
    artifact = None
    if journal is not None:
        try:
            artifact = intact(journal, listed.place)
        finally:
            journal.close()
    if artifact is None:
        short = listed.place[:16]
        raise StoreError("refused", f"the journal does not keep the list `{short}`; wait a minute after the start")
    return rules_of(artifact)


def unconfirmed_of(order: Order, active: RuleList, coming: RuleList) -> tuple[str, ...]:
    """Ids of the rules of the coming list that would be unconfirmed: new or changed against all that was confirmed.

    What the active list has and is not held back counts as confirmed, also where nothing was ever written down.
    """
    known = Confirmed(Path(order.confirmed)).read() if order.confirmed else {}
    held = frozenset(order.policy.unconfirmed)
    for rule_id, mark in marks_of(active):
        if rule_id not in held:
            known.setdefault(rule_id, set()).add(mark)
    return unconfirmed(marks_of(coming), known)
