"""Bodies in files, counted as a sidecar counts what it is sent: one body a file, or one on a line, in any dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from negative_list.decide import decide
from negative_list.errors import DataError, FieldProblem, Problem, RequestError
from negative_list.readers import read_check_request, read_national
from negative_list.readers.body import encoding_of, parse_body
from negative_list.readers.dialects import is_national, national_form, transaction_of_body
from reminder.survey.counting import Counting
from reminder.survey.tally import Tally

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.prescription import Prescription
    from negative_list.site import Sites

__all__ = ["bodies_in", "gathered"]

_CHECKED = frozenset({"3101", "3102", ""})
_SUFFIXES = frozenset({".json", ".jsonl", ".txt", ".log"})


def gathered(
    bodies: Iterable[bytes],
    sites: Sites,
    compiled: CompiledList | None,
    secret: bytes,
    now: Callable[[], datetime],
    told: Callable[[int], None] = lambda _: None,
) -> dict[str, Tally]:
    """Count bodies by institution.

    Args:
        bodies: as they were sent.
        sites: how each is read.
        compiled: the list each is decided against; ``None``: nothing is decided.
        secret: what values are hashed with.
        now: civil time of a site, for a body that tells none.
        told: hears how many were counted.
    """
    work = _Work(sites, compiled, Counting(secret), now)
    for number, raw in enumerate(bodies, 1):
        work.take(raw)
        told(number)
    return work.tallies


class _Work:
    def __init__(
        self, sites: Sites, compiled: CompiledList | None, counting: Counting, now: Callable[[], datetime]
    ) -> None:
        self.tallies: dict[str, Tally] = {}
        self._sites, self._compiled, self._counting, self._now = sites, compiled, counting, now

    def take(self, raw: bytes) -> None:
        try:
            self._take(raw)
        except RequestError as error:
            self._counting.refused(self._of(""), error.fields)

    def _take(self, raw: bytes) -> None:
        body = parse_body(raw)
        if is_national(body):
            if (number := transaction_of_body(body)) not in _CHECKED:
                problem = FieldProblem(field=f"infno.{number}", message="")
                self._counting.refused(self._of(""), [problem])
                return
            form: Any = national_form(body)
            prescription = read_national(form, self._sites)
        else:
            form = body
            prescription = read_check_request(body, self._sites)
        self._count(form, prescription, encoding_of(raw))

    def _count(self, form: Any, prescription: Prescription, encoding: str) -> None:
        institution = prescription.institution_id
        tally = self._of(institution)
        self._counting.body(tally, form, prescription, self._sites.of(institution), encoding)
        if self._compiled is not None:
            at = prescription.at or self._now()
            self._counting.decided(tally, decide(self._compiled, prescription, at))

    def _of(self, institution_id: str) -> Tally:
        return self.tallies.setdefault(institution_id, Tally())


def bodies_in(paths: Iterable[Path]) -> Iterator[bytes]:
    """The bodies of files, and of the files in folders.

    Raises:
        DataError: One cannot be read.
    """
    for path in paths:
        for file in sorted(_files(path)):
            try:
                raw = file.read_bytes()
            except OSError as error:
                message = f"cannot be read ({error.strerror}); check the name and the rights"
                raise DataError([Problem(file=str(file), message=message)]) from error
            yield from _bodies(raw)


def _files(path: Path) -> Iterable[Path]:
    return (one for one in path.rglob("*") if one.suffix in _SUFFIXES) if path.is_dir() else (path,)


def _bodies(raw: bytes) -> Iterable[bytes]:
    """One body, or one on each line: a first line that is whole by itself says so."""
    first, _, rest = raw.strip().partition(b"\n")
    if not rest or not _is_body(first):
        return (raw,)
    return (line for line in raw.splitlines() if line.strip())


def _is_body(raw: bytes) -> bool:
    try:
        found: Mapping[str, object] = parse_body(raw)
    except RequestError:
        return False
    return bool(found)
