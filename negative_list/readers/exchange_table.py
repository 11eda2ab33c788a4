"""What a hospital already exchanges with the payer's platform, as a table.

A row of it names a transaction, where the rows of its bodies stand, and what their fields are in our words. Sections
are those of the fact sheet of the national interface (specification V1.1.27); field names that the sheet only sums up
are those of the specification's tables, as public clients declare them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["STOCK_CHANGES", "TRANSACTIONS", "Kind", "Tells", "Transaction"]

Kind: TypeAlias = Literal["prescription", "visit", "diagnosis", "line", "stock", "sale", "settlement", "fact", "set"]
"""What a row is: a whole prescription, a visit, one diagnosis, one line, a change of stock, a sale, a settlement list,
facts only, or one of several rows that together are one fact of a patient."""


class Tells(Struct, frozen=True, kw_only=True):
    """A fact a row tells: of whom, which, and from which field or as which constant.

    ``at`` names the field of the moment it was found, ``until`` that of the last day it holds; ``of_day``: until that
    moment's day is over. ``unless`` names a flag that, where set, leaves the fact untold.
    """

    subject: str
    fact: str
    value: str = ""
    constant: bool | None = None
    at: str = "inf_time"
    until: str = ""
    unless: str = ""
    of_day: bool = False


class Transaction(Struct, frozen=True, kw_only=True):
    """One transaction: number, name, section of its source, the side and the nodes its rows stand under.

    ``nodes`` are tried in turn; without any the rows are the input or output itself. ``fields`` give the dictionary's
    name of each field read; ``tells`` facts of their own. ``amount`` and ``at`` name the fields of a change of stock,
    ``sign`` its direction (0: ``inv_chg_type`` says; a count replaces what was there, see ``counted``).
    ``asked``: an answer without rows about the person asked for says that there is nothing.
    """

    number: str
    zh: str
    section: str
    side: Literal["input", "output"]
    nodes: tuple[str, ...] = ()
    kind: Kind
    fields: Mapping[str, str] = MappingProxyType({})
    tells: tuple[Tells, ...] = ()
    amount: str = ""
    at: str = ""
    sign: int = 0
    counted: bool = False
    asked: bool = False


_VISIT: Mapping[str, str] = MappingProxyType(
    {
        "mdtrt_id": "encounter.id",
        "med_type": "encounter.med_type",
        "insutype": "encounter.insurance",
        "begntime": "encounter.admitted_at",
        "endtime": "encounter.discharged_at",
        "begndate": "encounter.admitted_at",
        "enddate": "encounter.discharged_at",
        "adm_time": "encounter.admitted_at",
        "dscg_time": "encounter.discharged_at",
        "adm_dept_codg": "encounter.department_code",
        "adm_dept_code": "encounter.department_code",
        "adm_dept_name": "encounter.department_name",
        "dscg_dept_codg": "encounter.discharge_department_code",
        "dscg_dept_name": "encounter.discharge_department_name",
        "atddr_no": "encounter.doctor_id",
        "adm_bed": "encounter.bed",
        "dscg_way": "encounter.discharge_way",
        "dise_no": "encounter.special_disease",
        "dise_codg": "encounter.special_disease",
        "dise_name": "encounter.special_disease_name",
        "dscg_maindiag_code": "encounter.main_diagnosis_code",
        "dscg_maindiag_name": "encounter.main_diagnosis_name",
        "geso_val": "encounter.gestational_week",
        "ipt_days": "encounter.stay_days",
        "setl_time": "encounter.settled_at",
        "medfee_sumamt": "encounter.total_fen",
        "fulamt_ownpay_amt": "encounter.ownpay_fen",
        "acct_pay": "encounter.account_fen",
        "fund_pay_sumamt": "encounter.pooled_fen",
        "fixmedins_name": "encounter.institution_name",
        "hosp_lv": "encounter.institution_level",
        "spga_nurscare_days": "encounter.special_nursing_days",
        "lv1_nurscare_days": "encounter.level1_nursing_days",
        "scd_nurscare_days": "encounter.level2_nursing_days",
        "lv3_nurscare_days": "encounter.level3_nursing_days",
        "nwb_bir_wt": "encounter.birth_weight_g",
        "nwb_adm_wt": "encounter.admission_weight_g",
        "days_rinp_flag_31": "encounter.readmission_planned",
    }
)

_LINE: Mapping[str, str] = MappingProxyType(
    {
        "feedetl_sn": "line.id",
        "rxno": "line.rx_no",
        "rx_drord_no": "line.rx_no",
        "drord_no": "line.rx_no",
        "fee_ocur_time": "line.begins",
        "hilist_code": "line.code",
        "hilist_name": "line.name",
        "med_list_codg": "line.code",
        "medins_list_codg": "line.local_code",
        "medins_list_name": "line.hospital_name",
        "list_type": "line.item_type",
        "med_chrgitm_type": "line.charge_type",
        "chrgitm_lv": "line.list_level",
        "spec": "line.spec",
        "dosform_name": "line.dosage_form",
        "cnt": "line.quantity",
        "pric": "line.unit_price_fen",
        "det_item_fee_sumamt": "line.amount_fen",
        "fulamt_ownpay_amt": "line.ownpay_fen",
        "preselfpay_amt": "line.selfpay_fen",
        "sin_dos_dscr": "line.dose_text",
        "used_frqu_dscr": "line.frequency_text",
        "prd_days": "line.days",
        "bilg_dept_codg": "line.department_code",
        "bilg_dept_name": "line.department_name",
        "bilg_dr_codg": "line.doctor_id",
        "lmt_used_flag": "line.restricted",
        "hosp_appr_flag": "line.approval",
        "tcmdrug_used_way": "line.herb_use",
        "dscg_tkdrug_flag": "line.take_home",
    }
)

_SALE: Mapping[str, str] = MappingProxyType(
    {
        "rxno": "line.rx_no",
        "med_list_codg": "line.code",
        "fixmedins_hilist_id": "line.local_code",
        "fixmedins_hilist_name": "line.name",
        "sel_retn_time": "line.begins",
        "sel_retn_cnt": "line.quantity",
        "finl_trns_pric": "line.unit_price_fen",
        "prsc_dr_no": "line.doctor_id",
        "rx_flag": "line.dispensing_class",
        "trdn_flag": "line.split_pack",
        "sin_dos_dscr": "line.dose_text",
        "used_frqu_dscr": "line.frequency_text",
        "prd_days": "line.days",
    }
)

_DIAGNOSIS: Mapping[str, str] = MappingProxyType(
    {"diag_code": "diagnosis.code", "diag_name": "diagnosis.name", "maindiag_flag": "diagnosis.main"}
)

STOCK_CHANGES: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(("101", "103", "106", "108", "110"), 1)
    | dict.fromkeys(("102", "104", "105", "107", "109", "111"), -1)
)
"""``inv_chg_type`` (5.6): transfers, counts, donations and purchases in and out; whether the stock grows or shrinks."""


def _stock(number: str, zh: str, node: str, fields: tuple[str, str], sign: int = 0) -> Transaction:
    """A change of stock; ``fields`` name its amount and its time. A count (3501) replaces what was there."""
    return Transaction(
        number=number,
        zh=zh,
        section="7.1, 5.6",
        side="input",
        nodes=(node, f"{node}Detail", "data"),
        kind="stock",
        amount=fields[0],
        at=fields[1],
        sign=sign,
        counted=number == "3501",
    )


def _sale(number: str, zh: str, sign: int) -> Transaction:
    return Transaction(
        number=number,
        zh=zh,
        section="7.1",
        side="input",
        nodes=("selinfo", "selinfoDetail", "data"),
        kind="sale",
        fields=_SALE,
        amount="sel_retn_cnt",
        at="sel_retn_time",
        sign=sign,
    )


_ROWS: tuple[Transaction, ...] = (
    Transaction(number="3101", zh="事前分析", section="2", side="input", kind="prescription"),
    Transaction(number="3102", zh="事中分析", section="2", side="input", kind="prescription"),
    Transaction(
        number="5201",
        zh="就诊信息查询",
        section="7.4",
        side="output",
        nodes=("mdtrtinfo",),
        kind="visit",
        fields=_VISIT,
        tells=(Tells(subject="psn_no", fact="patient.deceased_at", value="die_date", at=""),),
    ),
    Transaction(
        number="5202",
        zh="诊断信息查询",
        section="7.4",
        side="output",
        nodes=("diseinfo",),
        kind="diagnosis",
        fields=_DIAGNOSIS,
    ),
    Transaction(
        number="5203", zh="结算信息查询", section="7.4", side="output", nodes=("setlinfo",), kind="visit", fields=_VISIT
    ),
    Transaction(
        number="5204",
        zh="费用明细查询",
        section="7.4, 7.2",
        side="output",
        nodes=("feedetail", ""),
        kind="line",
        fields=_LINE,
    ),
    Transaction(
        number="5205",
        zh="人员慢特病用药记录查询",
        section="7.4",
        side="output",
        nodes=("feedetail", ""),
        kind="line",
        fields=_LINE,
    ),
    Transaction(
        number="5301",
        zh="人员慢特病备案查询",
        section="7.4",
        side="output",
        nodes=("feedetail", ""),
        kind="set",
        tells=(Tells(subject="psn_no", fact="patient.special_diseases", value="opsp_dise_code", until="enddate"),),
        asked=True,
    ),
    Transaction(
        number="5302",
        zh="人员定点信息查询",
        section="7.4",
        side="output",
        nodes=("psnfixmedin", ""),
        kind="set",
        tells=(
            Tells(subject="psn_no", fact="patient.designated_institutions", value="fixmedins_code", until="enddate"),
        ),
        asked=True,
    ),
    Transaction(
        number="5303",
        zh="在院信息查询",
        section="7.4",
        side="output",
        nodes=("data", "mdtrtinfo", ""),
        kind="set",
        fields=_VISIT,
        tells=(
            Tells(subject="psn_no", fact="patient.in_hospital", constant=True, of_day=True),
            Tells(subject="psn_no", fact="patient.in_hospital_at", value="fixmedins_code", of_day=True),
        ),
        asked=True,
    ),
    Transaction(
        number="2204",
        zh="门诊费用明细上传",
        section="7.2",
        side="input",
        nodes=("feedetail",),
        kind="line",
        fields=_LINE,
    ),
    Transaction(
        number="2301",
        zh="住院费用明细上传",
        section="7.2",
        side="input",
        nodes=("feedetail",),
        kind="line",
        fields=_LINE,
    ),
    _stock("3501", "商品盘存上传", "invinfo", ("inv_cnt", "invdate"), 1),
    _stock("3502", "商品库存变更", "invinfo", ("cnt", "inv_chg_time")),
    _stock("3503", "商品采购", "purcinfo", ("purc_retn_cnt", "purc_retn_stoin_time"), 1),
    _stock("3504", "商品采购退货", "purcinfo", ("purc_retn_cnt", "purc_retn_stoin_time"), -1),
    _sale("3505", "商品销售", -1),
    _sale("3506", "商品销售退货", 1),
    Transaction(
        number="3513",
        zh="销售追溯查询",
        section="7.1",
        side="output",
        nodes=("data", "result", ""),
        kind="fact",
        tells=(
            Tells(
                subject="drugTracCodg", fact="line.trace_code_sold", constant=True, at="selRetnTime", unless="trdnFlag"
            ),
            Tells(subject="drugTracCodg", fact="line.trace_code_encounter", value="mdtrtId", at="selRetnTime"),
        ),
        asked=True,
    ),
    Transaction(
        number="4101",
        zh="医疗保障基金结算清单上传",
        section="7.3",
        side="input",
        nodes=("setlinfo",),
        kind="settlement",
        fields=_VISIT,
    ),
    Transaction(
        number="9001",
        zh="签到",
        section="1.1",
        side="output",
        nodes=("signinoutb", ""),
        kind="fact",
        tells=(
            Tells(subject="opter_no", fact="line.doctor_signed_in", constant=True, at="sign_time", of_day=True),
            Tells(subject="opter_no", fact="line.doctor_signed_in_at", value="sign_time", at="sign_time", of_day=True),
            Tells(
                subject="opter_no",
                fact="line.doctor_signed_in_institution",
                value="fixmedins_code",
                at="sign_time",
                of_day=True,
            ),
        ),
    ),
)

TRANSACTIONS: Mapping[str, Transaction] = MappingProxyType(
    {row.number: row for row in _ROWS} | {f"{row.number}A": row for row in _ROWS if row.number[:2] in {"35", "41"}}
)
"""Transactions that are read, by number; those of 35xx and 4101 also in their newer layout (…A)."""
