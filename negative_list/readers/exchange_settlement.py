"""The settlement list (4101): what is missing, what contradicts itself, and how many points that takes off.

Both are tables: a field that has to be there (always, or where another thing is known), and a contradiction with the
rule it breaks in its docstring. The fields are those of the interface's settlement list (fact sheet, 7.3). Payers weigh
them differently and change the weights every year: the points here are ours, one for a field and two for what decides
the group or contradicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from negative_list.dictionary import ImpossibleValueError, parse_time
from negative_list.readers.exchange_rows import SET, Work
from negative_list.readers.reading import Row
from negative_list.readers.rows import plain

if TYPE_CHECKING:
    from negative_list.prescription import FactValue

__all__ = ["CONTRADICTIONS", "REQUIRED", "Contradiction", "Required", "SettlementList", "score", "settlement_of"]


class SettlementList(Struct, frozen=True, kw_only=True):
    """The nodes of one settlement list: its head and its lists, as sent."""

    head: Row
    diagnoses: tuple[Row, ...] = ()
    operations: tuple[Row, ...] = ()
    units: tuple[Row, ...] = ()


class Required(Struct, frozen=True, kw_only=True):
    """A field of the head that has to be there, and where: always, or for newborns, operations, intensive care."""

    field: str
    zh: str
    points: int = 1
    where: str = ""


REQUIRED: tuple[Required, ...] = (
    Required(field="psn_no", zh="人员编号"),
    Required(field="mdtrt_id", zh="就诊ID"),
    Required(field="setl_id", zh="结算ID"),
    Required(field="medcasno", zh="病案号"),
    Required(field="adm_time", zh="入院时间"),
    Required(field="dscg_time", zh="出院时间"),
    Required(field="adm_dept_code", zh="入院科别"),
    Required(field="dscg_caty", zh="出院科别"),
    Required(field="dscg_way", zh="离院方式"),
    Required(field="chfpdr_code", zh="主诊医师代码"),
    Required(field="hi_paymtd", zh="医保支付方式"),
    Required(field="wm_dise_code", zh="主要诊断代码", points=2),
    Required(field="nwb_adm_type", zh="新生儿入院类型", where="newborn"),
    Required(field="nwb_bir_wt", zh="新生儿出生体重", points=2, where="newborn"),
    Required(field="nwb_adm_wt", zh="新生儿入院体重", points=2, where="newborn"),
    Required(field="oprn_oprt_code", zh="手术操作代码", points=2, where="operation"),
    Required(field="oper_dr_code", zh="术者医师代码", where="operation"),
    Required(field="scs_cutd_ward_type", zh="重症监护病房类型", where="unit"),
)
"""Fields that have to be there."""

_NEWBORN_DAYS = 28
_NEWBORN_FIELDS = ("nwb_adm_type", "nwb_bir_wt", "nwb_adm_wt")
_NURSING = ("spga_nurscare_days", "lv1_nurscare_days", "scd_nurscare_days", "lv3_nurscare_days")
_LISTS = {"operation": "operations", "unit": "units"}
_DURATION_PARTS = 3


def _ends_before_it_begins(told: SettlementList) -> bool:
    """Nobody is discharged before the admission."""
    begins, ends = _stay(told)
    return begins is not None and ends is not None and ends < begins


def _several_main(told: SettlementList) -> bool:
    """Diagnoses have one main diagnosis among them."""
    western = [row for row in told.diagnoses if _text(row, "diag_type") in {"", "1"}]
    return bool(western) and sum(row.get("maindiag_flag") in SET for row in western) != 1


def _main_differs(told: SettlementList) -> bool:
    """The head's main diagnosis is the one called main in the list."""
    head = _text(told.head, "wm_dise_code")
    main = [_text(row, "diag_code") for row in told.diagnoses if row.get("maindiag_flag") in SET]
    return bool(head and main) and head not in main


def _too_much_nursing(told: SettlementList) -> bool:
    """Days of nursing add up to at most the days of the stay, both ends counted."""
    begins, ends = _stay(told)
    days = sum((_number(told.head, name) or Decimal(0)) for name in _NURSING)
    if begins is None or ends is None or ends < begins:
        return False
    return days > (ends.date() - begins.date()).days + 1


def _grown_newborn(told: SettlementList) -> bool:
    """Weights and types of a newborn belong to a child of at most 28 days."""
    days, years = _number(told.head, "age_days"), _number(told.head, "age")
    old = (years is not None and years >= 1) or (days is not None and days > _NEWBORN_DAYS)
    return old and any(_number(told.head, name) for name in _NEWBORN_FIELDS)


def _unit_outside_the_stay(told: SettlementList) -> bool:
    """Intensive care lies inside the stay."""
    return any(_outside(told, row, ("scs_cutd_inpool_time", "scs_cutd_exit_time")) for row in told.units)


def _operation_outside_the_stay(told: SettlementList) -> bool:
    """Operations are done during the stay."""
    return any(_outside(told, row, ("oprn_oprt_begntime", "oprn_oprt_endtime")) for row in told.operations)


def _ventilated_longer_than_there(told: SettlementList) -> bool:
    """Nobody is ventilated for longer than the stay (days/hours/minutes)."""
    begins, ends = _stay(told)
    parts = _text(told.head, "vent_used_dura").split("/")
    if begins is None or ends is None or len(parts) != _DURATION_PARTS or not all(part.isdecimal() for part in parts):
        return False
    days, hours, minutes = map(int, parts)
    return timedelta(days=min(days, 9999), hours=min(hours, 9999), minutes=min(minutes, 9999)) > ends - begins


def _dead_and_readmitted(told: SettlementList) -> bool:
    """Who died is not planned to come again."""
    return _text(told.head, "dscg_way") == "5" and _text(told.head, "days_rinp_flag_31") == "2"


class Contradiction(Struct, frozen=True, kw_only=True):
    """Two fields that cannot both be right: its name, what it says, points, and the test, true where it is broken."""

    name: str
    zh: str
    points: int = 2
    broken: Callable[[SettlementList], bool]


CONTRADICTIONS: tuple[Contradiction, ...] = (
    Contradiction(name="dscg_time-adm_time", zh="出院时间早于入院时间", broken=_ends_before_it_begins),
    Contradiction(name="maindiag_flag", zh="主要诊断不唯一", broken=_several_main),
    Contradiction(name="wm_dise_code-maindiag_flag", zh="主要诊断前后不一致", broken=_main_differs),
    Contradiction(name="nurscare_days-stay", zh="护理天数多于住院天数", points=1, broken=_too_much_nursing),
    Contradiction(name="age-nwb", zh="非新生儿填写新生儿信息", broken=_grown_newborn),
    Contradiction(name="icuinfo-stay", zh="重症监护时间不在住院期间", broken=_unit_outside_the_stay),
    Contradiction(name="oprninfo-stay", zh="手术时间不在住院期间", broken=_operation_outside_the_stay),
    Contradiction(
        name="vent_used_dura-stay", zh="呼吸机时长超过住院时长", points=1, broken=_ventilated_longer_than_there
    ),
    Contradiction(
        name="dscg_way-days_rinp_flag_31", zh="死亡离院却有再住院计划", points=1, broken=_dead_and_readmitted
    ),
)
"""Fields that contradict each other."""

_Told: TypeAlias = "dict[str, FactValue]"


def score(told: SettlementList) -> _Told:
    """Return what a settlement list lacks and contradicts, and the points that takes off, as facts of its encounter."""
    missing = [required for required in REQUIRED if _missing(told, required)]
    broken = [contradiction for contradiction in CONTRADICTIONS if contradiction.broken(told)]
    return {
        "encounter.settlement_missing": _names(required.field for required in missing),
        "encounter.missing_fields": len(missing),
        "encounter.settlement_contradictions": _names(contradiction.name for contradiction in broken),
        "encounter.settlement_points_off": Decimal(
            sum(row.points for row in missing) + sum(row.points for row in broken)
        ),
    }


def settlement_of(work: Work, nodes: Mapping[str, tuple[Row, ...]], head: Row) -> SettlementList:
    """The settlement list of a call; whose it is may stand above its head."""
    whole = {key: work.of(head, key) for key in ("psn_no", "mdtrt_id", "setl_id")}
    return SettlementList(
        head={**head, **whole},
        diagnoses=nodes.get("diseinfo", ()),
        operations=nodes.get("oprninfo", ()),
        units=nodes.get("icuinfo", ()),
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names)) or ("none",)


def _missing(told: SettlementList, required: Required) -> bool:
    if required.where in _LISTS:
        rows: tuple[Row, ...] = getattr(told, _LISTS[required.where])
        return any(not _text(row, required.field) for row in rows)
    if required.where == "newborn" and not _is_newborn(told):
        return False
    return not _text(told.head, required.field)


def _is_newborn(told: SettlementList) -> bool:
    days, years = _number(told.head, "age_days"), _number(told.head, "age")
    return days is not None and 0 < days <= _NEWBORN_DAYS and not years


def _outside(told: SettlementList, row: Row, names: tuple[str, str]) -> bool:
    begins, ends = _stay(told)
    first, last = (_time(row, name) for name in names)
    early = begins is not None and first is not None and first.date() < begins.date()
    late = ends is not None and last is not None and last.date() > ends.date()
    return early or late or (first is not None and last is not None and last < first)


def _stay(told: SettlementList) -> tuple[datetime | None, datetime | None]:
    return _time(told.head, "adm_time"), _time(told.head, "dscg_time")


def _text(row: Row, name: str) -> str:
    return plain(row.get(name)).strip("-—") if name in row else ""


def _time(row: Row, name: str) -> datetime | None:
    try:
        read = parse_time(row.get(name) or "")
    except ImpossibleValueError:
        return None
    return read[0] if read else None


def _number(row: Row, name: str) -> Decimal | None:
    try:
        return Decimal(_text(row, name) or "x")
    except InvalidOperation:
        return None
