"""Twenty ordinary patients over every shipped rule: nothing is shown, and nobody is asked without need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from negative_list.cli import app
from tests.cases.stories import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-11-20 09:00:00"
HARDEST = SHIPPED.parent / "hardest"


def line(code: str, name: str, quantity: int = 1, days: int | None = None, **facts: Any) -> dict[str, Any]:
    """A current line of today; ``facts`` by name, ``__`` for the dot."""
    told = {key.replace("__", "."): value for key, value in facts.items()}
    more: dict[str, Any] = {"days": days} if days else {}
    kind = "herb" if code.startswith("T") else "service" if code.startswith("00") else "drug"
    named = {"id": code[-14:], "code": code, "name": name, "item_type": kind, "begins": NOW, "rx_no": "R1"}
    return {**named, "quantity": str(quantity), "facts": told, **more}


def visit(
    mode: str, scene: str, sex: str, born: str, found: str, *lines: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """A check; ``found`` is the diagnoses as ``code name`` parted by 、."""
    pairs = [each.partition(" ") for each in found.split("、") if each]
    listed = [{"code": code, "name": name, "main": n == 0} for n, (code, _, name) in enumerate(pairs)]
    encounter = {
        "id": "e1",
        "visit_mode": mode,
        "institution_level": 3,
        "insurance": ["employee"],
        "lines": list(lines),
    }
    encounter |= {"admitted_at": "2026-11-18 08:30:00" if mode == "inpatient" else "2026-11-20 08:30:00"}
    patient = {"id": "p1", "sex": sex, "birth_date": born}
    return {"time": NOW, "scene": [scene], "patient": patient, "encounter": {**encounter, "diagnoses": listed, **more}}


AMLODIPINE = ("XC08CAA321A001010179306", "氨氯地平叶酸片(Ⅱ)")
STATIN = ("XC10AAA001A001010100001", "阿托伐他汀钙片")
PRESSURE = "I10.x00 高血压病"

CLEAN: dict[str, dict[str, Any]] = {
    "blood pressure, 28 days": visit(
        "outpatient",
        "2",
        "男",
        "1960-03-02",
        f"{PRESSURE}、E11.900 2型糖尿病",
        line(*AMLODIPINE, 4, 28),
        line("XA10BAE001A001010100001", "盐酸二甲双胍片", 2, 28),
        line(*STATIN, 4, 28),
    ),
    "blood pressure, days not sent": visit(
        "outpatient", "2", "男", "1960-03-02", PRESSURE, line(*AMLODIPINE, 4), line(*STATIN, 4)
    ),
    "a child's cold": visit(
        "outpatient",
        "2",
        "女",
        "2021-05-06",
        "J06.900 急性上呼吸道感染",
        line("ZA01BAX0343010101945", "小儿宝泰康颗粒", 1, 5),
        line("002501010150000", "血细胞分析"),
    ),
    "a pregnant woman": visit(
        "outpatient",
        "2",
        "女",
        "1995-05-06",
        "Z34.900 正常妊娠监督、D50.900 缺铁性贫血",
        line("XB03AAL001A001010100001", "琥珀酸亚铁片", 2, 28),
        line("003112010230000", "产前检查"),
        insurance=["employee", "maternity"],
        facts={"encounter.fertility": "pregnant"},
    ),
    "an allergy, pregnancy not told": visit(
        "outpatient", "2", "女", "1995-05-06", "J30.400 过敏性鼻炎", line("XR06AEX001A001010100001", "西替利嗪片", 1, 7)
    ),
    "a cut hand": visit(
        "emergency",
        "2",
        "男",
        "1988-01-01",
        "S61.900 腕和手开放性伤口",
        line("XJ01DCT001A001010100001", "头孢呋辛酯片", 1, 3),
        line("003315000010000", "清创缝合"),
    ),
    "pneumonia on the ward": visit(
        "inpatient",
        "5",
        "男",
        "1950-01-01",
        f"J18.900 肺炎、{PRESSURE}",
        line("XJ01DDT001B001010100001", "注射用头孢曲松钠", 2, 1),
        line("001201000040000", "Ⅱ级护理"),
        line("001102000050000", "住院诊查费"),
        line("002103000010000", "CT平扫"),
    ),
    "an admission": visit("inpatient", "3", "女", "1970-01-01", "K80.000 胆囊结石伴急性胆囊炎"),
    "a registration": visit("outpatient", "1", "女", "1970-01-01", ""),
    "an appendix before settlement": visit(
        "inpatient",
        "9",
        "男",
        "1968-01-01",
        "K35.900 急性阑尾炎",
        line("XJ01DCT001B001010100001", "注射用头孢呋辛钠", 4, 1),
        line("003310020040000", "阑尾切除术"),
        line("001201000040000", "Ⅱ级护理"),
        operations=[{"code": "47.0100", "name": "腹腔镜下阑尾切除术", "main": True}],
        discharged_at="2026-11-20 10:00:00",
    ),
    "herbs": visit(
        "outpatient",
        "2",
        "女",
        "1980-01-01",
        "K29.500 慢性胃炎",
        line("T001700571", "白术", 7, line__doses=7),
        line("T000600512", "茯苓", 7, line__doses=7),
        line("T001700624", "党参", 7, line__doses=7),
    ),
    "dialysis": visit(
        "outpatient",
        "2",
        "男",
        "1966-01-01",
        "N18.500 慢性肾脏病5期",
        line("003110000060000", "血液透析"),
        line("XB01ABD001B002010100001", "低分子肝素钠注射液", 1, 1),
    ),
    "a cataract": visit(
        "inpatient",
        "4",
        "女",
        "1950-01-01",
        "H25.900 老年性白内障",
        line("003304060050000", "白内障超声乳化摘除术+人工晶体植入术"),
        operations=[{"code": "13.4100", "name": "白内障超声乳化抽吸术", "main": True}],
    ),
    "chemotherapy": visit(
        "inpatient",
        "5",
        "女",
        "1965-01-01",
        "C50.900 乳腺恶性肿瘤、Z51.103 化疗",
        line("XL01CDD001B002010100001", "多西他赛注射液", 1, 1),
        line("XA04AAP001B002010100001", "盐酸帕洛诺司琼注射液", 1, 1),
    ),
    "a pharmacy": visit("pharmacy", "10", "男", "1965-01-01", "", line(*AMLODIPINE, 2, 14)),
    "a refill online": visit(
        "internet", "2", "男", "1965-01-01", PRESSURE, line("XC09CAX001A001010100001", "缬沙坦胶囊", 2, 14)
    ),
    "a newborn": visit(
        "inpatient",
        "4",
        "男",
        "2026-11-15",
        "P22.000 新生儿呼吸窘迫综合征",
        line("003112020070000", "新生儿监护"),
        line("XR07AAZ038B002010178331", "猪肺磷脂注射液", 1, 1),
        insurance=["resident"],
    ),
    "rehabilitation": visit(
        "inpatient",
        "5",
        "男",
        "1958-01-01",
        "I69.300 脑梗死后遗症",
        line("003402000210000", "减重支持系统训练", line__department_code="A21"),
        line("003402000050000", "手功能评定", line__department_code="A21"),
    ),
    "a tooth": visit("outpatient", "2", "女", "1990-01-01", "K04.000 牙髓炎", line("003105110180000", "根管治疗术")),
    "a stent": visit(
        "inpatient",
        "4",
        "男",
        "1960-01-01",
        "I21.400 急性心内膜下心肌梗死",
        line("003205000030000", "经皮冠状动脉内支架置入术(STENT)", line__vessel="LAD"),
        line("XB01ACC001A001010100001", "硫酸氢氯吡格雷片", 1, 1),
    ),
}


def answers(folder: Path, bodies: list[dict[str, Any]], rules: Path) -> list[dict[str, Any]]:
    """What a list says to bodies."""
    requests = folder / "bodies.jsonl"
    requests.write_text("\n".join(json.dumps(body, ensure_ascii=False) for body in bodies), encoding="utf-8")
    result = CliRunner().invoke(app, ["match", str(rules), "--requests", str(requests), "--at", NOW])
    assert result.exit_code == 0, result.output
    return [json.loads(told) for told in result.stdout.splitlines()]


@pytest.mark.parametrize("rules", [SHIPPED, HARDEST], ids=["classes", "hardest"])
def test_an_ordinary_prescription_is_left_alone(tmp_path: Path, rules: Path) -> None:
    """No finding and no question, whoever the patient is and whatever was not sent."""
    told = answers(tmp_path, list(CLEAN.values()), rules)
    shown = {
        name: [finding["rule_id"] for finding in answer["findings"]]
        for name, answer in zip(CLEAN, told, strict=True)
        if answer["findings"]
    }
    assert shown == {}
    assert {answer["decision"] for answer in told} == {"pass"}


def test_what_makes_an_ordinary_prescription_wrong_is_found(tmp_path: Path) -> None:
    """The same patients with one thing wrong: the sex, the age, the visit; so their silence says something."""
    child = json.loads(json.dumps(CLEAN["a child's cold"]))
    child["patient"]["birth_date"] = "1990-01-01"
    newborn = json.loads(json.dumps(CLEAN["a newborn"]))
    newborn["patient"]["birth_date"] = "2026-01-15"
    ward = json.loads(json.dumps(CLEAN["pneumonia on the ward"]))
    ward["encounter"]["visit_mode"] = "outpatient"
    found = [
        {finding["rule_id"] for finding in told["findings"]}
        for told in answers(tmp_path, [child, newborn, ward], SHIPPED)
    ]
    assert "class-R65-cough" in found[0]
    assert {"class-R06-poractant", "class-R18-radiant-warmer"} <= found[1]
    assert "class-R22-ward" in found[2]
