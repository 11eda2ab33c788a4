"""A CDS Hooks request (order-select, order-sign) becomes our own JSON; what is said of it is said in its own words.

Source: reference `cds_hooks.md` b.3, b.5 and g. Unknown resource types are counted and left; a missing Bundle type, an
object for a list, a missing intent are nobody's concern; what is needed and missing is refused, naming the element.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.errors import FieldProblem, RequestError
from negative_list.prescription import Note
from negative_list.readers.fhir.elements import Told, id_of, kind_of, text
from negative_list.readers.fhir.found import Found, entries
from negative_list.readers.fhir.hooks import HOOKS
from negative_list.readers.fhir.observed import observed
from negative_list.readers.fhir.orders import fill_line, is_order, item_path, lacks_item, why_none
from negative_list.readers.fhir.tables import ORDERS
from negative_list.readers.fhir.visit import MORE_DIAGNOSES, Context, fill_encounter, fill_patient, insurance_of
from negative_list.readers.twice import notes_of
from negative_list.readers.wording import EXPECTED_OBJECT

if TYPE_CHECKING:
    from negative_list.prescription import Prescription
    from negative_list.readers.fhir.elements import Row
    from negative_list.readers.fhir.hooks import Naming
    from negative_list.readers.fhir.observed import Odd

__all__ = ["IN_FORCE", "HookForm", "NothingKnownError", "Ordered", "hook_form"]

IN_FORCE = frozenset({"medications", "services"})
"""Keys of the prefetch that tell the orders already in force; both whole: no order of this visit is missing."""

_ORDERS = "context.draftOrders"
_FEW = 5
_ALIVE = frozenset({"active", "completed", "on-hold"})
_OWN_PATIENT, _OWN_VISIT, _OWN_OTHERS = "patient", "encounter", "other_encounters"


class NothingKnownError(RequestError):
    """Nothing at all can be said of the drafts.

    None is an order of a kind that is judged, or none names its item, by itself or by a resource that was sent along.
    """


class Ordered(Struct, frozen=True, kw_only=True):
    """An order as it came: its reference (``Type/id``, "" where it has no id), and the resource."""

    reference: str
    resource: Mapping[str, Any]


class HookForm(Struct, frozen=True, kw_only=True):
    """A request as our own JSON.

    ``body`` is read by :func:`negative_list.readers.own.read_check_request`, with ``saved`` where there is no order to
    check. ``orders`` stand in the order of the encounter's first lines. ``whole``: no order of the visit is missing.
    ``patient_id`` is the FHIR id of the patient.
    """

    body: Mapping[str, Any]
    saved: bool
    orders: tuple[Ordered, ...]
    whole: bool
    patient_id: str
    notes: tuple[Note, ...]
    paths: Mapping[str, str]

    def finished(self, prescription: Prescription) -> Prescription:
        """The prescription of the body, with what our own JSON cannot say, in the words of the request."""
        visit = prescription.encounter
        told = tuple(msgspec.structs.replace(note, field=self.path_of(note.field)) for note in prescription.notes)
        return msgspec.structs.replace(
            prescription,
            encounter=visit if self.whole else msgspec.structs.replace(visit, complete=False),
            notes=(*told, *self.notes),
        )

    def refused(self, error: RequestError) -> RequestError:
        """A refusal of the body, in the words of the request."""
        fields = [FieldProblem(field=self.path_of(each.field), message=each.message) for each in error.fields]
        return type(error)(fields)

    def references(self, prescription: Prescription) -> dict[str, Ordered]:
        """The orders by the ids of their lines."""
        return {line.id: order for line, order in zip(prescription.encounter.lines, self.orders, strict=False)}

    def path_of(self, field: str) -> str:
        """Where a field of the body was found."""
        known = field
        while known and known not in self.paths:
            known = known[: max(known.rfind("."), known.rfind("["), 0)]
        return self.paths.get(known, field) if known else field


def hook_form(body: Row, naming: Naming, institution: str = "") -> HookForm:
    """A parsed request as our own JSON.

    Args:
        body: what the client sent.
        naming: under which systems ids are looked for.
        institution: whose request it is where the encounter does not say.

    Raises:
        NothingKnownError: No order can be read without resources that were not delivered.
        RequestError: Naming what is needed and missing.
    """
    context = body.get("context")
    if not isinstance(context, dict):
        raise _refused("context", EXPECTED_OBJECT if context is not None else _NO_CONTEXT)
    if not isinstance(context.get("draftOrders"), dict | list):
        raise _refused(_ORDERS, EXPECTED_OBJECT if context.get("draftOrders") is not None else _NO_ORDERS)
    return _Making(body, context, naming).form(institution)


class _Making:
    """One request on its way."""

    def __init__(self, body: Row, context: Row, naming: Naming) -> None:
        self._body = body
        self._row = context
        self._context = Context.of(context)
        self._naming = naming
        self._found = Found(body.get("prefetch"), context.get("draftOrders"))
        self._paths: dict[str, str] = {}
        self._notes: list[Note] = list(notes_of(body))

    def form(self, institution: str) -> HookForm:
        drafts = self._drafts()
        chosen = self._chosen(drafts)
        self._need_items([each for each in drafts if _is_chosen(each[0], chosen)])
        patient = Told(_OWN_PATIENT, "", self._paths)
        visit = Told(_OWN_VISIT, "", self._paths)
        fill_patient(patient, self._context, self._found, self._naming)
        fill_encounter(visit, self._context, self._found, self._naming, [row for row, _ in drafts])
        visit.put("insurance", insurance_of(self._found))
        self._observe(patient, visit)
        lines, others = self._lines(drafts, chosen)
        visit.row["lines"] = lines
        body = {
            "request_id": text(self._body.get("hookInstance")),
            "institution_id": visit.row.get("institution_id") or institution,
            _OWN_PATIENT: patient.row,
            _OWN_VISIT: visit.row,
            _OWN_OTHERS: others,
        }
        self._tell(visit.row)
        return HookForm(
            body=body,
            saved=not any(line["current"] for line in lines),
            orders=tuple(Ordered(reference=_reference(row), resource=row) for row, _ in drafts),
            whole=self._found.whole >= IN_FORCE,
            patient_id=self._context.patient,
            notes=tuple(self._notes),
            paths=self._paths,
        )

    # -- orders

    def _drafts(self) -> list[tuple[Row, str]]:
        """The orders to be checked; what is none is noted. Drafts without any are no pass: none of them was judged."""
        drafts, left, told = [], Counter[str](), self._row.get("draftOrders")
        found = list(entries(told, _ORDERS))
        for resource, path, _ in found:
            if not is_order(resource):
                left[kind_of(resource) or "?"] += 1
            elif why := why_none(resource):
                self.note("not_an_order", f"{path}.status", f"{_reference(resource)} {why}，未检查")
            else:
                drafts.append((resource, path))
        if not drafts and (left or (not found and _holds_something(told))):
            kinds = "、".join(f"{count} 项 {kind[:40]}" for kind, count in sorted(left.items())[:_FEW]) or "0 项资源"
            raise NothingKnownError([FieldProblem(field=_ORDERS, message=_no_order(kinds))])
        for kind, count in sorted(left.items()):
            self.note("not_checked", _ORDERS, f"{count} 项 {kind[:40]} 没有可检查的内容，未检查")
        return drafts

    def _need_items(self, drafts: list[tuple[Row, str]]) -> None:
        """Refuse drafts none of which names what is ordered."""
        lacking = [(row, path) for row, path in drafts if lacks_item(row, self._found)]
        if not drafts or len(lacking) < len(drafts):
            return
        for row, path in lacking:
            if at := item_path(row):
                raise NothingKnownError([FieldProblem(field=f"{path}.{at}", message=_NOTHING_KNOWN)])
        raise NothingKnownError([FieldProblem(field=lacking[0][1], message=_NO_ITEM)])

    def _lines(
        self, drafts: list[tuple[Row, str]], chosen: frozenset[str]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The lines of this visit, its drafts first, and other visits with theirs."""
        lines = [self._line(f"{_OWN_VISIT}.lines[{n}]", row, path) for n, (row, path) in enumerate(drafts)]
        for (row, _), line in zip(drafts, lines, strict=True):
            line["current"] = _is_chosen(row, chosen)
        others: dict[str, list[tuple[Row, str]]] = {}
        for row, path in self._in_force({_reference(row) for row, _ in drafts}):
            visit = id_of(row.get("encounter"), "Encounter")
            if visit == self._context.encounter:
                lines.append(self._line(f"{_OWN_VISIT}.lines[{len(lines)}]", row, path) | {"current": False})
            else:
                others.setdefault(visit, []).append((row, path))
        return lines, [self._other(n, visit, rows) for n, (visit, rows) in enumerate(others.items())]

    def _line(self, own: str, row: Row, path: str) -> dict[str, Any]:
        told = Told(own, path, self._paths)
        fill_line(told, row, self._found)
        return told.row

    def _other(self, place: int, visit: str, rows: list[tuple[Row, str]]) -> dict[str, Any]:
        own = f"{_OWN_OTHERS}[{place}]"
        lines = [self._line(f"{own}.lines[{n}]", row, path) for n, (row, path) in enumerate(rows)]
        return {"id": visit, "lines": [line | {"current": False} for line in lines]}

    def _in_force(self, drafts: set[str]) -> list[tuple[Row, str]]:
        """Prefetched orders that were signed before, and are not signed again now."""
        known = [each for kind, rows in self._found.kinds.items() if is_order({"resourceType": kind}) for each in rows]
        return [
            (row, path)
            for row, path in known
            if text(row.get("status")) in _ALIVE and not why_none(row) and _reference(row) not in drafts - {""}
        ]

    def _chosen(self, drafts: list[tuple[Row, str]]) -> frozenset[str]:
        """The ids order-select is about; none where it says nothing, or nothing that is there."""
        told = self._row.get("selections") if text(self._body.get("hook")) == HOOKS[0] else None
        named = {id_of(each) or text(each) for each in (told if isinstance(told, list) else [told]) if text(each)}
        there = named & {text(row.get("id")) for row, _ in drafts}
        if named and not there:
            self.note("conflict", "context.selections", "所选医嘱不在 draftOrders 中，按全部医嘱检查")
        return frozenset(there)

    # -- the rest

    def _observe(self, patient: Told, visit: Told) -> None:
        """What observations tell, where nothing else told it."""
        odd: Odd = []
        for name, value, path in observed(self._found, odd):
            told = patient if name.startswith("patient.") else visit
            if name not in told.row.get("facts", {}):
                told.fact(name, value)
                self._paths[f"{_OWN_PATIENT if told is patient else _OWN_VISIT}.facts.{name}"] = path
        for path, sent, unit in odd:
            self.note("impossible_value", path, f"单位 `{sent[:20]}` 不是 {unit}，未换算，按未知处理")

    def _tell(self, visit: Row) -> None:
        """What the caller should know of the prefetch."""
        for key in self._found.refused:
            told = "客户端未取得（OperationOutcome），按未知处理"
            self.note("not_delivered", f"prefetch.{key[:40]}", told)
        if any(each.get("name") == MORE_DIAGNOSES for each in visit.get("diagnoses", ())):
            self.note("not_delivered", "prefetch.conditions", "未送达全部诊断，不据此排除任何诊断")

    def note(self, code: str, field: str, message: str) -> None:
        """Tell the caller something about a field."""
        self._notes.append(Note(code=code, field=field, message=message))


def _is_chosen(resource: Row, chosen: frozenset[str]) -> bool:
    return not chosen or text(resource.get("id")) in chosen


def _holds_something(bundle: object) -> bool:
    """Whether a Bundle that has no resource has anything in their place; an empty one asks nothing."""
    told = bundle.get("entry") if isinstance(bundle, dict) else bundle
    return bool(told)


def _reference(resource: Row) -> str:
    name = text(resource.get("id"))
    return f"{kind_of(resource)}/{name}" if name else ""


def _refused(field: str, message: str) -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])


def _no_order(kinds: str) -> str:
    return (
        f"草稿中没有可检查的医嘱：{kinds} (no order among the drafts that can be checked); "
        f"请使用 FHIR R4 的 {'、'.join(ORDERS)} (send these resources)"
    )


_NO_CONTEXT = "缺少 (missing); 请给出 hook 的 context (give the hook's context)"
_NO_ORDERS = "缺少 (missing); 请给出医嘱的 Bundle (give the Bundle of orders)"
_NOTHING_KNOWN = (
    "医嘱的项目都只有引用，引用的资源未随请求送达 (every order names its item by a reference to a resource that was "
    "not delivered); 请在 draftOrders 或 prefetch 中带上这些资源 (send them along)"
)
_NO_ITEM = "医嘱都没有写明项目 (no order says what is ordered); 请给出项目的编码或名称 (give the item's code or name)"
