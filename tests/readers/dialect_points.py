"""Every point of the fact sheet's 2.7 and 2.8 as a body of our own making, beside its plain national twin.

The whole body of :mod:`tests.readers.dialect_list` is told as a client tells it. Where a deviation says something else
than the twin of the interface (a date that is none), the twin says it plainly.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from tests.readers.dialect_list import body, line

__all__ = ["POINTS", "Point", "camel", "current", "everywhere", "flat", "hainan", "people"]

Json: TypeAlias = "dict[str, Any]"


class Point(NamedTuple):
    """One deviation: the body as it comes, its plain twin, and what the form says of it."""

    sent: Json
    twin: Json
    dialect: str = "national"
    points: tuple[str, ...] = ()


def people(told: Json) -> list[Json]:
    """The patients of a nested body."""
    found: list[Json] = told["input"]["data"]["patient_dtos"]
    return found


def visits(told: Json) -> list[Json]:
    """The encounters of the only patient."""
    found: list[Json] = people(told)[0]["fsi_encounter_dtos"]
    return found


def current(told: Json) -> Json:
    """The current encounter, the last."""
    return visits(told)[-1]


def orders(told: Json) -> Iterator[Json]:
    """Every order of every encounter."""
    for visit in visits(told):
        yield from visit["fsi_order_dtos"]


def everywhere(told: Any, change: Callable[[str, Any], tuple[str, Any]]) -> Any:
    """A body with key and value of every field changed."""
    if isinstance(told, dict):
        changed = (change(key, value) for key, value in told.items())
        return {key: everywhere(value, change) for key, value in changed}
    return [everywhere(one, change) for one in told] if isinstance(told, list) else told


def camel(told: Json, *, whole: bool = False) -> Json:
    """The second implementation of 2.7: the whole tree in camelCase under ``input.trigScen``; ``whole``: under data."""
    data = told["input"]["data"]
    renamed = everywhere(data, lambda key, value: (re.sub("_([a-z0-9])", lambda m: m[1].upper(), key), value))
    return told | {"infno": "3660", "input": {"data" if whole else "trigScen": renamed}}


_HAINAN = {
    "patient_dtos": "patientDtos", "patn_id": "psn_no", "patn_name": "psn_name", "poolarea": "insuplc_admdvs",
    "fsi_encounter_dtos": "encounterDtos", "medins_id": "medins_code", "fsi_diagnose_dtos": "diagnoseDtos",
    "fsi_order_dtos": "orderDtos", "lv1_hosp_item_pric": "lv1_hospItem_pric", "trig_scen": "trigScen",
}  # fmt: skip


def hainan(told: Json, infno: str = "3660") -> Json:
    """The first implementation of 2.7: maps built by hand, one encounter as an object, two fields more."""
    told = copy.deepcopy(told)
    for visit in visits(told):
        visit["cvlserv_flag"] = "0"
        for one in visit["fsi_diagnose_dtos"]:
            one["dise_cgy"] = "1"
    renamed = everywhere(told["input"]["data"], lambda key, value: (_HAINAN.get(key, key), value))
    return told | {"infno": infno, "input": {"trigScen": renamed}}


def flat(told: Json, *, above: str = "input") -> Json:
    """2.8 nesting (S12): every set a sibling of ``data``, which holds placeholders; ``above``: of the envelope's."""
    told = copy.deepcopy(told)
    person = people(told)[0]
    visit = person["fsi_encounter_dtos"].pop()
    sets = {key: visit.pop(key, []) for key in ("fsi_diagnose_dtos", "fsi_order_dtos", "fsi_operation_dtos")}
    sets |= {"fsi_encounter_dtos": [*person.pop("fsi_encounter_dtos"), visit], "patient_dtos": person}
    data = told["input"]["data"] | dict.fromkeys(sets, "")
    return told | ({"input": {"data": data, **sets}} if above == "input" else {"input": {"data": data}, **sets})


def _with(change: Callable[[Json], object], **more: Any) -> Point:
    sent = body()
    change(sent)
    return Point(sent, body(), **more)


def _both(change: Callable[[Json], object], twin: Callable[[Json], object]) -> Point:
    """A point whose twin says plainly what the body says."""
    sent, plain = body(), body()
    change(sent)
    twin(plain)
    return Point(sent, plain)


def _fields(node: str, **fields: object) -> Callable[[Json], None]:
    """Set fields in every row of a node."""

    def change(told: Json) -> None:
        rows = {
            "patient": people(told),
            "encounter": visits(told),
            "order": list(orders(told)),
            "diagnosis": current(told)["fsi_diagnose_dtos"],
            "current": [current(told)],
        }[node]
        for row in rows:
            row.update(fields)

    return change


def _as_objects(told: Json) -> None:
    """Patient and encounter as single objects, as are the one operation and an encounter's one order."""
    person = people(told)[0]
    person["fsi_encounter_dtos"] = current(told)
    current_visit = person["fsi_encounter_dtos"]
    current_visit["fsi_operation_dtos"] = current_visit["fsi_operation_dtos"][0]
    told["input"]["data"]["patient_dtos"] = person


def _sets_of_one(told: Json) -> None:
    """One order, one diagnosis, one operation."""
    for key in ("fsi_order_dtos", "fsi_diagnose_dtos"):
        del current(told)[key][1:]


def _sets_as_objects(told: Json) -> None:
    """The same, each as a single object."""
    _sets_of_one(told)
    for key in ("fsi_order_dtos", "fsi_diagnose_dtos", "fsi_operation_dtos"):
        current(told)[key] = current(told)[key][0]


def _one_visit(told: Json) -> None:
    del visits(told)[0]


def _texts(told: Json) -> None:
    """Every number a text."""
    told |= everywhere(told, lambda key, value: (key, str(value) if isinstance(value, (int, float)) else value))


def _numbers(told: Json) -> None:
    """Every flag and id a number (S2, S4)."""
    flags = {"long_drord_flag", "maindise_flag", "curr_drord_flag", "drord_bhvr", "reim_flag", "out_setl_flag"}
    ids = {"dise_id", "main_oprn_flag", "gend", "setl_list_oprn_id", "trig_scen", "infno"}
    told |= everywhere(told, lambda key, value: (key, int(value) if key in flags | ids else value))


def _in_data(**told: object) -> Callable[[Json], None]:
    def change(sent: Json) -> None:
        sent["input"]["data"].update(told)

    return change


def _without(*keys: str) -> Callable[[Json], None]:
    def change(told: Json) -> None:
        for row in (*visits(told), *orders(told), *people(told)):
            for key in keys:
                row.pop(key, None)

    return change


def _dropped(told: Json) -> None:
    """Nulls and default values are dropped (S6)."""
    for row in (*visits(told), *orders(told)):
        for key in [key for key, value in row.items() if value in (0, "0", "", None) and key != "curr_drord_flag"]:
            del row[key]


def _local(told: Json) -> None:
    for one in current(told)["fsi_diagnose_dtos"]:
        one["dise_codg"] = "0815"


def _rx_shared(told: Json) -> None:
    for order in current(told)["fsi_order_dtos"]:
        order["rx_id"] = "X1"


def _placed_ids(told: Json) -> None:
    for place, order in enumerate(current(told)["fsi_order_dtos"], 1):
        order["rx_id"] = f"X1#{place}"


def _extra(told: Json) -> None:
    """Keys nobody knows at every level, and a duplicate subtree beside the national one (S5)."""
    told |= {"enc_type": "SM4", "mode": "2", "fixmedins_soft_fcty": "某厂"}
    told["input"]["extra"] = {"a": [1]}
    current(told).update(order_dtos=[line("A", "X")], prac_psn_name="测试", TarItemID=None)
    for order in orders(told):
        order |= {"order_id": 7, "order_state": "1", "hosp_chrg_type_name": "西药", "self_paying_flag": 0}


def _under_encounters(told: Json) -> None:
    """Operations under the encounters' key (S5), within the encounter."""
    current(told)["fsi_encounter_dtos"] = current(told).pop("fsi_operation_dtos")


def _among_encounters(told: Json) -> None:
    """The same, among the encounters."""
    visits(told).extend(current(told).pop("fsi_operation_dtos"))


def _swapped(told: Json) -> None:
    visit = current(told)
    visit["adm_dept_codg"], visit["adm_dept_name"] = visit["adm_dept_name"], visit["adm_dept_codg"]


def _as_text(told: Json) -> None:
    told["input"] = json.dumps(told["input"], ensure_ascii=False)


def _twice(told: Json) -> None:
    told["input"] = json.dumps(json.dumps(told["input"]))


def _parts_as_text(told: Json) -> None:
    for order in orders(told):
        if "extend_order_map" in order:
            order["extend_order_map"] = json.dumps(order["extend_order_map"])
    people(told)[0]["fsi_encounter_dtos"] = json.dumps(visits(told))


def _bare(told: Json) -> None:
    """The contents of ``data`` directly in ``input``."""
    told["input"] = told["input"]["data"]


def _no_input(told: Json) -> None:
    """``data`` directly in the envelope."""
    told["data"] = told.pop("input")["data"]


def _middle_tier(told: Json) -> None:
    told |= {"medins_code": told.pop("fixmedins_code"), "insur_code": told.pop("insuplc_admdvs")}


def _levels(sent: str) -> Point:
    """Levels of both tables: the grade read is that of a code without its zero."""
    return _both(_fields("encounter", medins_lv=sent), _fields("encounter", medins_lv=sent.lstrip("0")))


_STAYS = ("2026-01-01 08:50:00", "9999-12-31 00:00:00", "1900-01-01 00:00:00", None, "", "-")

POINTS: dict[str, Point] = {
    "2.7 hainan, maps by hand": Point(hainan(body()), body(), "hainan"),
    "2.7 hainan 3661": Point(hainan(body(), "3661"), body(), "hainan"),
    "2.7 hainan, camelCase": Point(camel(body()), body(), "hainan+camel"),
    "2.7 camelCase under data": Point(camel(body(), whole=True), body(), "hainan+camel"),
    "patient_dtos and fsi_encounter_dtos: objects": _both(_as_objects, _one_visit),
    "sets of one: objects": _both(_sets_as_objects, _sets_of_one),
    "data as a list of one": _with(lambda told: told["input"].update(data=[told["input"]["data"]])),
    "nesting: flat": Point(flat(body()), body(), points=("flat",)),
    "nesting: flat in the envelope": Point(flat(body(), above="envelope"), body(), points=("flat",)),
    "nesting: no data": _with(_bare, points=("bare",)),
    "nesting: no input": _with(_no_input, points=("bare",)),
    "input: text": _with(_as_text, points=("text",)),
    "input: text in a text": _with(_twice, points=("text",)),
    "other nodes: text": _with(_parts_as_text, points=("text",)),
    "flat in a text": Point(copy.deepcopy(flat(body())), body(), points=("text", "flat")),
    "envelope: middle tier": _with(_middle_tier, dialect="middle-tier"),
    **{f"rule_ids: {told!r}": _with(_in_data(rule_ids=told)) for told in ([], "", None, ["3101"])},
    "rule_ids: absent": _with(lambda told: told["input"]["data"].pop("rule_ids")),
    "several encounters": _with(lambda told: visits(told).reverse()),
    "numbers: texts": _with(_texts),
    **{
        f"numbers: {told!r} for unknown": _with(_fields("order", hilist_pric=told, ownpay_amt=told))
        for told in ("", "-", "--", 0, None)
    },
    "flags and ids: integers": _with(_numbers),
    "dates: only the day": _both(
        _fields("current", adm_date="2026-01-01"), _fields("current", adm_date="2026-01-01 00:00:00")
    ),
    **{f"dates: discharge {told!r}": _with(_fields("current", dscg_date=told)) for told in _STAYS},
    "dates: null": _both(_fields("order", drord_stop_date=None), _without("drord_stop_date")),
    "nulls: explicit": _with(_fields("order", hilist_memo=None, grpno=None, hosplist_dosform=None)),
    "nulls: forced to 0 and empty": _with(_fields("order", hilist_memo="", lv2_hosp_item_pric=0, grpno="")),
    "nulls: defaults dropped": _both(_dropped, _fields("current")),
    "missing: curr_drord_flag": _both(
        lambda told: current(told)["fsi_order_dtos"][0].pop("curr_drord_flag"), _fields("current")
    ),
    "diagnosis code: of the hospital": _both(_local, _local),
    "dias_srt_no: from 0": _with(_fields("diagnosis", dias_srt_no="0")),
    "main diagnosis: only in the encounter": _both(
        lambda told: current(told)["fsi_diagnose_dtos"].pop(0),
        lambda told: current(told)["fsi_diagnose_dtos"].reverse(),
    ),
    **{f"hilist_lv: {told}": _with(_fields("order", hilist_lv=told)) for told in ("02", "2", "--")},
    **{f"medins_lv: {told}": _levels(told) for told in ("01", "02", "05", "08", "2", "1", "9")},
    **{f"medins_type: {told}": _with(_fields("encounter", medins_type=told)) for told in ("A", "A1", "1")},
    **{
        f"med_mdtrt_type: {told!r}": _with(_fields("encounter", med_mdtrt_type=told))
        for told in (1, "110", "210", "2", "1")
    },
    "med_type: constant": _both(_fields("current", med_type="21"), _fields("current", med_type="21")),
    **{f"drord_bhvr: {told!r}": _with(_fields("order", drord_bhvr=told)) for told in ("0", "1", "-", 1)},
    **{
        f"drord_dr_profttl: {told!r}": _with(_fields("order", drord_dr_profttl=told))
        for told in ("231", "2", 3, "9", "-")
    },
    "drord_dr_profttl: absent": _with(_without("drord_dr_profttl")),
    "adm_dept: code and name swapped": _with(_swapped),
    "rx_id: of the prescription": _both(_rx_shared, _placed_ids),
    "extra keys and a second subtree": _with(_extra),
    "operations under fsi_encounter_dtos": _with(_under_encounters, points=("misplaced",)),
    "operations among the encounters": _with(_among_encounters, points=("misplaced",)),
    **{f"trig_scen: {told!r}": _with(_in_data(trig_scen=told)) for told in ("23", "1", "2,4", 5, "", "6,7")},
    "infno: 3301": _with(lambda told: told.update(infno="3301")),
}
"""By name: what 2.7 and 2.8 print, one or more of each row."""

POINTS["flat in a text"].sent["input"] = json.dumps(POINTS["flat in a text"].sent["input"], ensure_ascii=False)
