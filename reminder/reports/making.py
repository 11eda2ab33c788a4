"""Making a report: from what is asked to a table, by whoever knows about its subject.

The journal is read by encounter, so that one encounter is held at a time beside the figures of the groups.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.errors import FieldProblem, RequestError
from negative_list.site import Sites
from reminder.compliance.formulas import Formula, FormulaError, changes_within, formula_of, read_formulas
from reminder.compliance.period import period_of, reads_from
from reminder.compliance.questions import Exits, flags
from reminder.compliance.report import reminders, reports
from reminder.ids import decision_of
from reminder.journal.coding import decode
from reminder.journal.entries import Gap, Removed
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.reports import asking, grouped, listed
from reminder.reports.bureau import bureau_columns, bureau_rows
from reminder.reports.counting import Told, entries, figures
from reminder.reports.findings import shown_findings
from reminder.reports.reconcile import reconciled
from reminder.reports.saying import Lost, foot_of, foot_of_list, head_of
from reminder.reports.stored import indicator_report, indicators, ward_report, ward_rows
from reminder.reports.table import Report, nothing
from reminder.reports.words import flat
from reminder.stores.base import StoreError
from reminder.stores.opening import open_store

if TYPE_CHECKING:
    from datetime import tzinfo

    from reminder.compliance.records import Period, Reminder
    from reminder.compliance.records import Report as Counted
    from reminder.journal.base import JournalStore
    from reminder.journal.base import Row as Entry
    from reminder.reports.asking import Asked
    from reminder.reports.reconcile import Counted as Theirs
    from reminder.reports.table import Chart, Column, Row
    from reminder.stores.base import Store

__all__ = ["DEFAULT_FORMULA", "Sources", "Told", "made", "made_reconciled"]

DEFAULT_FORMULA = "ours"
"""The formula of a report that names none."""

_ENDS = datetime.max.replace(tzinfo=UTC)


class Sources(Struct, frozen=True, kw_only=True):
    """Where reports read: the data folder, the URL of the database ("" for files in the folder), the site's settings.

    ``formulas`` is a file of formulas of one's own, in the form of ``reminder/compliance/formulas.toml``.
    """

    data: str
    database: str = ""
    site: str | None = None
    formulas: str | None = None

    def zone(self) -> tzinfo:
        """The site's zone, of whose days periods are made."""
        return (Sites.read(Path(self.site)) if self.site else Sites()).default.zone


@contextlib.contextmanager
def made(asked: Asked, sources: Sources, told: Told) -> Iterator[Report]:
    """The report that is asked for. Its rows may be read while this lasts.

    Raises:
        RequestError: there is no such formula.
        StoreError: the journal or the store cannot be read.
    """
    if asked.by in asking.STORED:
        store = open_store(Path(sources.data), sources.database)
        try:
            yield _stored(asked, sources, store)
        finally:
            store.close()
        return
    with _reading(asked, sources, told) as reading:
        yield reading.report()


@contextlib.contextmanager
def made_reconciled(theirs: Theirs, asked: Asked, sources: Sources, told: Told) -> Iterator[Report]:
    """A bureau's file against the journal; as :func:`made`."""
    with _reading(asked, sources, told) as reading:
        yield reading.reconciled(theirs)


def _stored(asked: Asked, sources: Sources, store: Store) -> Report:
    zone = sources.zone()
    if asked.by == "ward":
        begin = datetime.combine(asked.begin, datetime.min.time(), zone).astimezone(UTC)
        return ward_report(ward_rows(store.findings(since=begin), zone), for_people=asked.format != "json")
    first, last = (datetime.combine(day, datetime.min.time()) for day in (asked.begin, asked.end))
    return indicator_report(indicators(store, first, last, datetime.now(zone).replace(tzinfo=None)))


@contextlib.contextmanager
def _reading(asked: Asked, sources: Sources, told: Told) -> Iterator[_Reading]:
    if not sources.database and not (Path(sources.data) / JOURNAL_FILE).exists():
        raise StoreError("gone", f"there is no journal in `{sources.data}`; name the folder of the sidecar by --data")
    journal = open_journal(Path(sources.data), sources.database)
    try:
        yield _Reading(asked, journal, sources, told)
    finally:
        journal.close()


class _Reading:
    """A report on its way: what is asked, the journal it comes from, and who hears how far it has come."""

    def __init__(self, asked: Asked, journal: JournalStore, sources: Sources, told: Told) -> None:
        self.asked, self.journal, self._told = asked, journal, told
        self.zone, self._place = sources.zone(), (sources.data, sources.database)
        self.period = period_of(asked.begin, asked.end, self.zone, asked.until)
        self.formula, self._later = _formulas(asked, sources)

    def report(self) -> Report:
        """The report by what is asked."""
        return _LISTS.get(self.asked.by, _Reading.groups)(self)

    def rows(self) -> Iterator[Entry]:
        """Every brief that is needed, by encounter."""
        return entries(self.journal, self.period, self.asked.institution, self._told)

    def figures(self, *by: str) -> dict[str, Counted]:
        """Figures by groups."""
        return figures(self.journal, self._place, self.period, self.asked.institution, by, self._told)

    # -- figures by groups

    def groups(self) -> Report:
        """Figures by groups, one row each, and a total."""
        by, english = self.asked.by, self.asked.english
        name = grouped.BY[by][0]
        drawn = self.asked.format == "html"
        found = self.figures(*(dict.fromkeys((name, "day")) if drawn else (name,)))
        counted = found[name]
        row = grouped.group_row(by, self.formula)
        return self._report(
            columns_=grouped.group_columns(by),
            rows=(row(one.key, one.figures) for one in counted.groups),
            counted=counted,
            totals=lambda: row("", counted.total) if counted.groups else (),
            charts=grouped.charts(by, counted, found["day"], self.formula, english=english) if drawn else (),
        )

    def top(self) -> Report:
        """Rules by findings."""
        counted, class_of = self._by_rule()
        charts = (grouped.pareto(counted),)
        return self._report(
            columns_=flat(listed.TOP), rows=listed.top_rows(counted, class_of), counted=counted, charts=charts
        )

    def demotion(self) -> Report:
        """Rules proposed for demotion."""
        counted, class_of = self._by_rule()
        return self._report(
            columns_=flat(listed.DEMOTION), rows=listed.demotion_rows(counted, class_of), counted=counted
        )

    def _by_rule(self) -> tuple[Counted, Mapping[str, str]]:
        """Figures by rule, and the class of each rule."""
        class_of: dict[str, str] = {}

        def seen(one: Reminder) -> None:
            class_of[one.rule_id] = one.class_id

        return reports(self.rows(), self.period, ("rule",), each=seen)["rule"], class_of

    def flags(self) -> Report:
        """What the office should look at."""
        exits = Exits()
        counted = reports(self.rows(), self.period, ("doctor",), each=exits)["doctor"]
        rows = listed.flag_rows((*exits.flags(), *flags(counted)))
        return self._report(columns_=flat(listed.FLAGS), rows=rows, counted=counted)

    def reasons(self) -> Report:
        """Reasons of going on."""
        counted = self.figures()[""]
        return self._report(columns_=flat(listed.REASONS), rows=listed.reason_rows(counted.total), counted=counted)

    def _report(
        self,
        *,
        columns_: tuple[Column, ...],
        rows: Iterable[Row],
        counted: Counted,
        totals: Callable[[], Row] = nothing,
        charts: tuple[Chart, ...] = (),
    ) -> Report:
        told = foot_of(counted.notes, counted.total, _lost(self.journal, self.period))
        return Report(
            title=self.asked.by,
            columns=columns_,
            rows=rows,
            totals=totals,
            head=head_of(self.asked, self.formula, self._later),
            foot=lambda: told,
            charts=charts,
        )

    # -- every one

    def reminders(self) -> Report:
        """Every reminder that began in the period."""
        rows = (listed.reminder_row(one, self.zone) for one in reminders(self.rows(), self.period))
        return self._list(flat(listed.REMINDER), rows)

    def bureau(self) -> Report:
        """Every finding shown, with the bureau's columns."""
        shown = shown_findings(self.rows(), self.period)
        return self._list(bureau_columns(), bureau_rows(shown, self.journal.about))

    def reconciled(self, theirs: Theirs) -> Report:
        """A bureau's file against the findings of the period."""
        shown = shown_findings(self.rows(), self.period)
        return reconciled(theirs, shown, self._elsewhere, head_of(self.asked))

    def _elsewhere(self, finding_id: str) -> bool:
        """Whether the journal has the answer a finding's id names."""
        named = decision_of(finding_id)
        return bool(named) and self.journal.decision(named) is not None

    def _list(self, columns_: tuple[Column, ...], rows: Iterator[Row]) -> Report:
        """A list that is read as it is written; it counts its rows."""
        lost = _lost(self.journal, self.period)
        written = [0]
        return Report(
            title=self.asked.by,
            columns=columns_,
            rows=_numbered(rows, written),
            head=head_of(self.asked),
            foot=lambda: foot_of_list(written[0], lost),
        )


def _numbered(rows: Iterable[Row], written: list[int]) -> Iterator[Row]:
    for row in rows:
        written[0] += 1
        yield row


_LISTS: Mapping[str, Callable[[_Reading], Report]] = {
    "top": _Reading.top,
    "demotion": _Reading.demotion,
    "flags": _Reading.flags,
    "reasons": _Reading.reasons,
    "reminder": _Reading.reminders,
    "bureau": _Reading.bureau,
}


def _formulas(asked: Asked, sources: Sources) -> tuple[Formula, tuple[Formula, ...]]:
    """The formula in force on the first day, and those of its name that come into force within the period."""
    try:
        own = _own_formulas(sources)
        name = asked.formula or DEFAULT_FORMULA
        return formula_of(name, asked.begin, own), changes_within(name, asked.begin, asked.end, own)
    except FormulaError as error:
        message = f"依从率公式不可用 (the formula cannot be used): {error}"
        raise RequestError([FieldProblem(field="formula", message=message)]) from error


def _own_formulas(sources: Sources) -> tuple[Formula, ...]:
    if sources.formulas is None:
        return ()
    try:
        return read_formulas(tomllib.loads(Path(sources.formulas).read_text("utf-8")).get("formula", []))
    except (OSError, ValueError) as error:
        raise FormulaError(f"`{sources.formulas}`: {error}") from error


def _lost(journal: JournalStore, period: Period) -> Lost:
    """What the journal itself says it does not hold of a period, and of the time its evidence may come from."""
    begin, until = reads_from(period), period.until
    told = [decode(row.body) for row in journal.period(begin, _ENDS, ("gap", "removed"))]
    within = [one for one in told if isinstance(one, Gap | Removed) and one.begin < until and one.end >= begin]
    return Lost(
        answers=sum(one.lost for one in within if isinstance(one, Gap)),
        removed=sum(sum(one.kinds.values()) for one in within if isinstance(one, Removed)),
    )
