"""What a hospital already exchanges with the payer's platform, as history and facts.

One row is a call of the national interface: a request that is answered elsewhere (``infno``, ``input``), together with
its ``output``, or an object of ``request`` and ``reply``. :mod:`negative_list.readers.exchange_table` says which
transactions are read and what their fields are; nothing here knows a transaction by number but the table's kinds.
Several calls tell more together: diagnoses join their visits, changes of stock their count, and a query for all visits
whose fees were all asked for covers the institution since its first day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.errors import FieldProblem, RequestError
from negative_list.prescription import Encounter, Note
from negative_list.readers.derived import DERIVED
from negative_list.readers.exchange_calls import sides, transaction_of, work_of
from negative_list.readers.exchange_fees import line_records
from negative_list.readers.exchange_rows import (
    Record,
    Work,
    diagnosis_records,
    facts_of,
    moment,
    named_of,
    set_facts,
    visit_of,
    visit_records,
)
from negative_list.readers.exchange_settlement import score, settlement_of
from negative_list.readers.exchange_stock import StockChange, sales, stock_changes, stock_facts
from negative_list.readers.national import read_national
from negative_list.readers.reading import Gathered, Place, Reading, Row
from negative_list.readers.rows import plain, rows
from negative_list.readers.stored import StoreFact

if TYPE_CHECKING:
    from negative_list.readers.build import Named
    from negative_list.readers.exchange_table import Kind, Transaction
    from negative_list.site import Sites

__all__ = ["Asked", "Covered", "Exchange", "Record", "read_exchange", "read_exchanges"]

_NAMES = {
    "patient.birth_date": "brdy",
    "encounter.discharged_at": "endtime",
    "encounter.visit_kind": "med_mdtrt_type",
    "line.code": "med_list_codg",
    "line.stops": "endtime",
}
_PAST_VISITS = ("outpatient_visits", "admissions", "purchases")
_RIGHT = ("0", 0)


class Covered(Struct, frozen=True, kw_only=True):
    """From when until when a patient's records in an institution are all there.

    ``institution_id`` "": in every institution.
    """

    patient_id: str
    institution_id: str
    since: datetime
    until: datetime


class Asked(Struct, frozen=True, kw_only=True):
    """A query for all visits of a patient up to now, and which there were."""

    covered: Covered
    visits: frozenset[str]


class Exchange(Struct, frozen=True, kw_only=True):
    """What calls tell: records of patients, what they cover, facts of anything, and notes with the path of a field.

    ``changes`` of stock, the queries ``asked`` and the visits whose fees were ``answered`` are what further calls may
    add to; :func:`read_exchanges` has made facts and coverage of them as far as they go.
    """

    records: tuple[Record, ...] = ()
    coverage: tuple[Covered, ...] = ()
    facts: tuple[StoreFact, ...] = ()
    notes: tuple[Note, ...] = ()
    changes: tuple[StockChange, ...] = ()
    asked: tuple[Asked, ...] = ()
    answered: frozenset[str] = frozenset()


def read_exchange(told: object, sites: Sites, at: datetime | None = None, *, reply: object = None) -> Exchange:
    """Read one call, already parsed; ``at`` stands for its time where it tells none (``inf_time``).

    ``reply`` is the platform's answer where ``told`` is the request alone.
    Raises ``RequestError`` naming the field where it is no call, or one of a transaction that is not read.
    """
    return _together([_read(told if reply is None else {"request": told, "reply": reply}, sites, at)])


def read_exchanges(calls: Iterable[object], sites: Sites, at: datetime | None = None) -> Exchange:
    """Read several calls, in any order, that were made by one or more institutions.

    Raises ``RequestError`` naming every call that cannot be read, as ``[2].input``; nothing is told then.
    """
    read: list[Exchange] = []
    problems: list[FieldProblem] = []
    for number, told in enumerate(calls):
        try:
            one = _read(told, sites, at)
        except RequestError as error:
            problems += [FieldProblem(field=f"[{number}].{p.field}", message=p.message) for p in error.fields]
        else:
            placed = [msgspec.structs.replace(note, field=f"[{number}].{note.field}") for note in one.notes]
            read.append(msgspec.structs.replace(one, notes=tuple(placed)))
    if problems:
        raise RequestError(problems)
    return _together(read)


# -- one call


def _read(told: object, sites: Sites, at: datetime | None) -> Exchange:
    request, reply = sides(told)
    transaction = transaction_of(request)
    if transaction.kind == "prescription":
        return _prescription(request, sites, at, transaction)
    reading = Reading(sites.of(plain(request.get("fixmedins_code"))), at, _NAMES, plain(request.get("fixmedins_code")))
    if reply is not None and "infcode" in reply and reply["infcode"] not in _RIGHT:
        reading.note("not_read", Place(""), "infcode", "平台未受理这次交易，其内容不计入")
        return Exchange(notes=reading.settled_notes())
    work = work_of(transaction, request, reply, reading)
    one = _KINDS[transaction.kind](work, request)
    known = tuple(record for record in one.records if record.patient_id)
    if len(known) < len(one.records):
        reading.note("not_read", Place(transaction.side), "psn_no", "没有人员编号，不知是谁的记录，未读")
    return msgspec.structs.replace(one, records=known, notes=reading.settled_notes())


def _prescription(request: Row, sites: Sites, at: datetime | None, transaction: Transaction) -> Exchange:
    """The lines in force of a check, its visits, and the packed counts of past visits; new lines are not saved yet."""
    told = read_national(request, sites, at, saved=True)
    source = f"transaction {transaction.number}"
    whole = (told.encounter, *told.others) if told.patient.id else ()
    records = [_in_force(told.patient.id, told.institution_id, one, source) for one in whole if one.id]
    names = tuple(f"patient.{kind}_" for kind in _PAST_VISITS)
    facts = tuple(
        StoreFact(subject=told.patient.id, fact=name, value=value, valid_from=at or told.at, source=source)
        for name, value in told.patient.facts.items()
        if name.startswith(names) and told.patient.sources.get(name) == DERIVED and told.patient.id
    )
    return Exchange(records=tuple(records), facts=facts, notes=told.notes)


def _in_force(patient_id: str, institution_id: str, encounter: Encounter, source: str) -> Record:
    lines = tuple(line for line in encounter.lines if not line.current)
    return Record(
        institution_id=str(encounter.facts.get("encounter.institution_id", institution_id)),
        record_id=f"{source.rpartition(' ')[2]}:{encounter.id}",
        patient_id=patient_id,
        encounter=msgspec.structs.replace(encounter, lines=()),
        lines=lines,
        source=source,
    )


def _visits(work: Work, request: Row) -> Exchange:
    found = tuple(visit_records(work))
    ids = frozenset(record.encounter.id for record in found if record.encounter)
    asked = (_asked(work, ids, request),) if work.transaction.number == "5201" else ()
    facts = tuple(facts_of(work))
    return Exchange(records=found, facts=facts, asked=tuple(filter(None, asked)))


def _asked(work: Work, ids: frozenset[str], _request: Row) -> Asked | None:
    """The query as one for everything up to now, ``None`` where it left something out."""
    first, last = (moment(work, {}, key, "input") for key in ("begntime", "endtime"))
    patient, institution = work.of({}, "psn_no"), work.of({}, "fixmedins_code")
    narrowed = work.of({}, "med_type") or work.of({}, "mdtrt_id")
    if (
        narrowed
        or not (patient and institution and first and last and work.asked_at)
        or last.date() < work.asked_at.date()
    ):
        return None
    covered = Covered(patient_id=patient, institution_id=institution, since=first, until=work.asked_at)
    return Asked(covered=covered, visits=ids)


def _diagnoses(work: Work, _request: Row) -> Exchange:
    return Exchange(records=tuple(diagnosis_records(work)))


def _lines(work: Work, _request: Row) -> Exchange:
    visit = work.of({}, "mdtrt_id") if work.transaction.side == "output" else ""
    narrowed = work.of({}, "setl_id")
    return Exchange(records=tuple(line_records(work)), answered=frozenset({visit} if visit and not narrowed else ()))


def _stock(work: Work, _request: Row) -> Exchange:
    return Exchange(changes=tuple(stock_changes(work)))


def _sales(work: Work, _request: Row) -> Exchange:
    accepted = _accepted(work)
    records, facts = sales(accepted)
    return Exchange(records=tuple(records), facts=tuple(facts), changes=tuple(stock_changes(accepted)))


def _accepted(work: Work) -> Work:
    """The rows the platform took: the business answer of each line (retRslt 1) counts beside ``infcode`` (7.1)."""
    output = work.output
    told = output.get("result", output.get("data")) if isinstance(output, dict) else output
    answers = told if isinstance(told, list) else [told] if isinstance(told, dict) else []
    kept = []
    for n, (row, path) in enumerate(work.rows):
        answer = answers[n] if n < len(answers) and isinstance(answers[n], dict) else {}
        if str(answer.get("retRslt", "1")) == "1":
            kept.append((row, path))
        else:
            work.reading.note("not_read", Place(path), "retRslt", f"平台未受理：{plain(answer.get('msgRslt'))[:100]}")
    return msgspec.structs.replace(work, rows=tuple(kept))


def _facts(work: Work, _request: Row) -> Exchange:
    return Exchange(facts=tuple(facts_of(work)))


def _sets(work: Work, _request: Row) -> Exchange:
    visits = tuple(visit_records(work)) if work.transaction.fields else ()
    return Exchange(facts=tuple(set_facts(work)), records=visits)


def _settlements(work: Work, request: Row) -> Exchange:
    told = request.get("input")
    nodes = _nodes(told) if isinstance(told, dict) else {}
    records: list[Record] = []
    facts: list[StoreFact] = []
    for head, path in work.rows:
        scored = score(settlement_of(work, nodes, head))
        if (visit := visit_of(work, head, path, _named(nodes, "diseinfo"), _named(nodes, "oprninfo"))) is None:
            continue
        record = Record(
            institution_id=work.of(head, "fixmedins_code"),
            record_id=f"4101:{visit.id}",
            patient_id=work.of(head, "psn_no"),
            encounter=msgspec.structs.replace(visit, facts={**visit.facts, **scored}),
            source=work.source,
        )
        records.append(record)
        facts += [
            StoreFact(subject=visit.id, fact=name, value=value, valid_from=work.asked_at, source=work.source)
            for name, value in scored.items()
        ]
    return Exchange(records=tuple(records), facts=tuple(facts))


def _nodes(told: dict[str, object]) -> dict[str, tuple[Row, ...]]:
    return {
        key: tuple(row for row, _ in rows(value, f"input.{key}")) for key, value in told.items() if key != "setlinfo"
    }


def _named(nodes: Mapping[str, tuple[Row, ...]], node: str) -> Iterator[Named]:
    kind, stem = ("diagnosis", "diag") if node == "diseinfo" else ("operation", "oprn_oprt")
    for row in nodes.get(node, ()):
        main = row.get("maindiag_flag" if kind == "diagnosis" else "oprn_oprt_type")
        read: Gathered = {
            f"{kind}.code": plain(row.get(f"{stem}_code")),
            f"{kind}.name": plain(row.get(f"{stem}_name")),
            f"{kind}.main": str(main) == "1",
        }
        yield named_of(read, kind)


_KINDS: Mapping[Kind, Callable[[Work, Row], Exchange]] = {
    "visit": _visits,
    "diagnosis": _diagnoses,
    "line": _lines,
    "stock": _stock,
    "sale": _sales,
    "settlement": _settlements,
    "fact": _facts,
    "set": _sets,
}


# -- several calls


def _together(read: list[Exchange]) -> Exchange:
    changes = tuple(change for one in read for change in one.changes)
    asked = tuple(query for one in read for query in one.asked)
    answered = frozenset[str]().union(*(one.answered for one in read))
    coverage = dict.fromkeys(query.covered for query in asked if query.visits <= answered)
    told = [fact for one in read for fact in one.facts]
    return Exchange(
        records=tuple(_joined(record for one in read for record in one.records)),
        coverage=(*(covered for one in read for covered in one.coverage), *coverage),
        facts=(*told, *stock_facts(changes)),
        notes=tuple(note for one in read for note in one.notes),
        changes=changes,
        asked=asked,
        answered=answered,
    )


def _joined(records: Iterable[Record]) -> Iterator[Record]:
    """Encounters of one id are one record, with the facts and diagnoses of each; lines stay in their own records."""
    by_visit: dict[tuple[str, str], Record] = {}
    for record in records:
        if record.encounter is None:
            yield record
            continue
        key = (record.institution_id, record.encounter.id)
        before = by_visit.get(key)
        by_visit[key] = record if before is None else _united(before, record)
    yield from by_visit.values()


def _united(before: Record, after: Record) -> Record:
    first, second = before.encounter, after.encounter
    if first is None or second is None:
        return before
    encounter = msgspec.structs.replace(
        first,
        facts={**second.facts, **first.facts},
        diagnoses=tuple(dict.fromkeys((*first.diagnoses, *second.diagnoses))),
        operations=tuple(dict.fromkeys((*first.operations, *second.operations))),
    )
    return msgspec.structs.replace(
        before,
        patient_id=before.patient_id or after.patient_id,
        encounter=encounter,
        lines=(*before.lines, *(line for line in after.lines if line not in before.lines)),
    )
