"""Invented knowledge points, worded as payers word them, with what a careful reader takes from each.

None of them is a published point. ``"sex": None`` and the like say that the parameter must *not* be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = ["REMARKS", "Case", "age"]


class Case(NamedTuple):
    """One invented point: class, item, remark, what the report must say, its status, and columns of the sheet."""

    rule_class: str
    item: str
    remark: str
    expected: dict[str, Any]
    status: str = "rule"
    columns: Mapping[str, Any] = MappingProxyType({})


def age(
    low: int | None, high: int | None, unit: str = "year", *, low_open: bool = False, high_open: bool = False
) -> dict[str, Any]:
    """The ``age`` parameter."""
    return {"min": low, "max": high, "unit": unit, "min_open": low_open, "max_open": high_open}


CHILD = age(None, 18, high_open=True)
NEWBORN = age(None, 28, "day")

SEX = "药品区分性别使用"
SEX_ITEM = "医疗服务项目区分性别使用"
CHILD_DRUG = "药品儿童专用"
CHILD_PAY = "药品限儿童使用"
CHILD_ITEM = "医疗服务项目儿童专用"
INJURY = "药品限工伤保险"
MATERNITY = "药品限生育保险"
MODE = "药品限就医方式"
LEVEL = "药品限医疗机构级别"
COURSE = "药品限支付疗程"
ITEM_COURSE = "医疗服务项目限支付疗程"
PERIOD = "医疗服务项目周期超频次"
FREQUENCY = "医疗服务项目限定频次"
PAIR = "医疗服务项目重复收费"
GROUP = "手术项目未按规定折价收费"
INTERNET = "超互联网医院药品支付范围"
SECOND = "药品限二线使用"
INDICATION = "药品限适应症"
ITEM_AGE = "医疗服务项目限年龄"
NEVER = "中药饮片单复方均不予支付"
ALONE = "中药饮片单方使用不予支付"

REMARKS: tuple[Case, ...] = (
    # the sex of a drug, from its label
    Case(SEX, "盆炎康片", "清热利湿。用于慢性盆腔炎、带下量多色黄。", {"sex": "女"}),
    Case(SEX, "温经合剂", "温经散寒。用于经行腹痛、月经后期。", {"sex": "女"}),
    Case(SEX, "某某缩宫注射剂", "用于引产、催产及产后宫缩乏力性出血。", {"sex": "女"}),
    Case(SEX, "通乳丸", "用于产后气血两亏，乳汁不下。", {"sex": "女"}),
    Case(SEX, "炔诺孕胶囊", "本品用于女性口服避孕。男性禁用。", {"sex": "女"}),
    Case(SEX, "来曲某片", "适用于绝经后激素受体阳性早期乳腺癌患者。", {"sex": "女"}),
    Case(SEX, "前列舒片", "用于慢性前列腺炎。孕妇禁用。", {"sex": "男"}),
    Case(SEX, "坦索某缓释片", "治疗前列腺增生症引起的排尿障碍。", {"sex": "男"}),
    Case(SEX, "五子衍宗合剂", "补肾益精。用于肾虚精亏所致的阳痿不育、遗精早泄、精冷。", {"sex": "男"}),
    Case(SEX, "十一酸某软胶囊", "用于男性原发性或继发性性腺功能减退。", {"sex": "男"}),
    Case(SEX, "戈舍某缓释植入剂", "限前列腺癌患者。", {"sex": "男"}),
    Case(SEX, "前列地某注射液", "前列腺素类药物，用于妊娠晚期引产。", {"sex": "女"}),
    Case(SEX, "某某维生素片", "用于维生素缺乏。", {"sex": None}, "needs-review"),
    Case(SEX, "他莫某片", "用于乳腺癌的辅助治疗。", {"sex": None}, "needs-review"),
    Case(SEX, "尿促性素某", "女性：无排卵性不孕；男性：促性腺激素不足所致的生精障碍。", {"sex": None}, "needs-review"),
    Case(SEX, "疏通经络膏", "疏通经络，用于肩周炎。", {"sex": None}, "needs-review"),
    # sex of services
    Case(SEX_ITEM, "精囊镜检查", "男性泌尿生殖系统相关检查", {"sex": "男"}),
    Case(SEX_ITEM, "无痛分娩镇痛", "女性生产相关手术操作", {"sex": "女"}),
    Case(SEX_ITEM, "阴囊探查术", "", {"sex": "男"}),
    Case(SEX_ITEM, "宫颈冷刀锥切术", "", {"sex": "女"}),
    Case(SEX_ITEM, "膀胱镜检查", "泌尿系统相关检查", {"sex": None}, "needs-review"),
    # ages of child-only drugs, from label and name
    Case(CHILD_DRUG, "小儿止咳合剂", "用于咳嗽痰多。", {"age": CHILD}),
    Case(CHILD_DRUG, "健儿散", "用于小儿厌食。", {"age": CHILD}),
    Case(CHILD_DRUG, "新生儿护脑注射液", "用于缺氧缺血性脑病。", {"age": NEWBORN}),
    Case(CHILD_DRUG, "婴儿退热贴", "用于婴儿发热。", {"age": age(None, 1, high_open=True)}),
    Case(CHILD_DRUG, "肺表面活性剂某", "用于早产儿呼吸窘迫综合征。", {"age": age(None, 1, high_open=True)}),
    Case(CHILD_DRUG, "某某混悬滴剂", "适用于3个月以上婴幼儿退热。", {"age": age(3, 36, "month", high_open=True)}),
    Case(CHILD_DRUG, "某某儿童颗粒", "用于2岁以上、12岁以下儿童。", {"age": age(2, 12, high_open=True)}),
    Case(CHILD_DRUG, "小儿多维注射剂", "适用于11岁及以下患者肠外营养补充。", {"age": age(None, 11)}),
    Case(CHILD_DRUG, "小儿清肺合剂", "疗程7天，用于小儿肺炎恢复期，连服3周。", {"age": CHILD}),
    # ages the payer limits a drug to
    Case(CHILD_PAY, "某某口服溶液", "限儿童。", {"age": CHILD}),
    Case(CHILD_PAY, "某某颗粒", "限6岁及以上儿童。", {"age": age(6, 18, high_open=True)}),
    Case(CHILD_PAY, "某某干混悬剂", "限12岁以下儿童。", {"age": age(None, 12, high_open=True)}),
    Case(CHILD_PAY, "某某分散片", "限2～11岁癫痫患者。", {"age": age(2, 11)}),
    Case(CHILD_PAY, "某某滴剂", "限未满3周岁的儿童。", {"age": age(None, 3, high_open=True)}),
    Case(CHILD_PAY, "某某注射液", "限1月龄至2岁婴幼儿。", {"age": age(1, 36, "month", high_open=True)}),
    Case(CHILD_PAY, "某某散剂", "限新生儿。", {"age": NEWBORN}),
    Case(CHILD_PAY, "某某粉雾剂", "限4岁（含）以上、14岁（含）以下儿童哮喘患者。", {"age": age(4, 14)}),
    Case(CHILD_PAY, "某某口服液", "限28日龄以内的新生儿败血症患者。", {"age": NEWBORN}),
    Case(CHILD_PAY, "某某咀嚼片", "限≥2岁且＜10岁儿童的过敏性鼻炎。", {"age": age(2, 10, high_open=True)}),
    Case(CHILD_PAY, "某某糖浆", "限十四岁以下儿童癫痫患者。", {"age": age(None, 14, high_open=True)}),
    Case(
        CHILD_PAY,
        "某某胶囊",
        "限：1.3岁及以上儿童甲型血友病；2.6岁及以上儿童乙型血友病。",
        {"age": age(3, 18, high_open=True)},
    ),
    # ages of child-only services
    Case(CHILD_ITEM, "新生儿听力筛查", "新生儿专用项目", {"age": NEWBORN}),
    Case(CHILD_ITEM, "小儿推拿", "小儿专用项目", {"age": CHILD}),
    Case(CHILD_ITEM, "婴幼儿发育评估", "婴幼儿专用项目", {"age": age(None, 3, high_open=True)}),
    Case(CHILD_ITEM, "早产儿视网膜筛查", "早产儿专用项目", {"age": age(None, 1, high_open=True)}),
    # insurance
    Case(INJURY, "某某凝胶", "限工伤保险。", {"insurance": ["work-injury"]}),
    Case(INJURY, "某某疫苗", "限参加工伤保险的患者", {"insurance": ["work-injury"]}),
    Case(MATERNITY, "某某栓", "限生育保险支付", {"insurance": ["maternity"]}),
    Case(MATERNITY, "某某针", "限生育保险或工伤保险", {"insurance": ["maternity", "work-injury"]}),
    Case(INJURY, "某某软膏", "限烧伤患者", {"insurance": None}, "needs-review"),
    # visit mode
    Case(MODE, "某某丸", "限急诊或住院患者使用。", {"visit_modes": ["emergency", "inpatient"]}),
    Case(MODE, "某某注射用水", "限住院使用", {"visit_modes": ["inpatient"]}),
    Case(MODE, "某某输液", "限住院及急诊抢救患者。", {"visit_modes": ["emergency", "inpatient"]}),
    Case(MODE, "某某颗粒剂", "限门诊患者。", {"visit_modes": ["outpatient"]}),
    Case(MODE, "某某气雾剂", "限门急诊使用。", {"visit_modes": ["outpatient", "emergency"]}),
    Case(MODE, "某某脂肪乳", "需经营养风险筛查，明确具有营养风险的住院患者方予支付。", {"visit_modes": ["inpatient"]}),
    Case(
        MODE,
        "某某氨基酸",
        "限肾功能不全患者。住院方可支付，单次支付不超过7天。",
        {"visit_modes": ["inpatient"], "course_days": 7},
    ),
    Case(MODE, "某某片", "限高血压患者。", {"visit_modes": None}, "needs-review"),
    # level
    Case(LEVEL, "某某注射液", "限三级医疗机构。", {"level_at_least": 3}),
    Case(LEVEL, "某某注射液", "限二级及二级以上医疗机构使用", {"level_at_least": 2}),
    Case(LEVEL, "某某注射液", "限二级以上医院的重症肺炎患者。", {"level_at_least": 2}),
    Case(LEVEL, "某某注射液", "限一级及以上医疗机构", {"level_at_least": 1}),
    Case(LEVEL, "某某注射液", "限三级甲等医院使用。", {"level_at_least": 3}),
    Case(LEVEL, "某某注射液", "限不低于二级的医疗机构使用。", {"level_at_least": 2}),
    Case(
        LEVEL,
        "某某注射液",
        "限二级及以上医疗机构冠心病患者，支付不超过10天。",
        {"level_at_least": 2, "course_days": 10},
    ),
    Case(LEVEL, "某某注射液", "限基层医疗机构使用。", {"level_at_least": None}, "needs-review"),
    Case(LEVEL, "某某注射液", "首次处方须由三级医疗机构开具。", {"level_at_least": 3}),
    # course
    Case(COURSE, "某某注射液", "支付不超过7天。", {"course_days": 7}),
    Case(COURSE, "某某注射液", "限急性脑梗死，最长支付21天", {"course_days": 21}),
    Case(COURSE, "某某注射液", "限发作24小时内开始使用，支付不超过10日。", {"course_days": 10}),
    Case(COURSE, "某某注射液", "每次住院最多支付14天。", {"course_days": 14}),
    Case(COURSE, "某某注射液", "疗程不超过四周。", {"course_days": 28}),
    Case(COURSE, "某某注射液", "限慢性乙型肝炎，连续使用不超过12个月。", {"course_days": 365}),
    Case(COURSE, "某某注射液", "单次住院支付不得超过5天", {"course_days": 5}),
    Case(COURSE, "某某注射液", "支付期限为30天。", {"course_days": 30}),
    Case(COURSE, "某某注射液", "限急性胰腺炎。", {"course_days": None}, "needs-review"),
    Case(ITEM_COURSE, "平衡训练某", "支付不超过60天。", {"course_days": 60}),
    Case(ITEM_COURSE, "言语训练某", "一个疾病过程支付不超过六个月。", {"course_days": 180}),
    Case(
        ITEM_COURSE,
        "步态训练某",
        "总时间不超过90天，评定间隔时间不短于30天。",
        {"course_days": 90, "period_days": 30, "limit": 1},
    ),
    Case(
        ITEM_COURSE,
        "听力训练某",
        "支付不超过一年，每周最多支付两次。",
        {"course_days": 365, "period_days": 7, "limit": 2},
    ),
    # caps
    Case(
        PERIOD,
        "糖化白蛋白某",
        "反映近2周血糖。",
        {"limit": 1, "period_days": 14},
        "rule",
        {"limit": 1, "period_days": 14},
    ),
    Case(PERIOD, "评定某", "两次评定间隔时间不短于21天。", {"limit": 1, "period_days": 21}),
    Case(PERIOD, "骨密度某", "每90天最多支付1次。", {"limit": 1, "period_days": 90}),
    Case(PERIOD, "训练某", "每月最多支付四次。", {"limit": 4, "period_days": 30}),
    Case(PERIOD, "检查某", "检查规范。", {"limit": None}, "needs-review"),
    Case(FREQUENCY, "床位费某", "日", {"limit": 1, "unit": "日"}, "rule", {"limit": 1, "unit": "日"}),
    Case(FREQUENCY, "监护某", "小时", {"limit": 24, "unit": "小时"}, "rule", {"limit": 24, "unit": "小时"}),
    Case(FREQUENCY, "护理某", "次", {"limit": 3, "unit": "次"}, "rule", {"limit": 3, "unit": "次"}),
    Case(FREQUENCY, "换药某", "每日限一次。", {"limit": 1}),
    Case(FREQUENCY, "治疗某", "牙位", {"limit": None}, "needs-review", {"limit": 1, "unit": "牙位"}),
    Case(FREQUENCY, "雾化某", "日", {"limit": None}, "needs-review", {"unit": "日"}),
    # pairs
    Case(PAIR, "监护×吸氧", "含吸氧", {"window": "单日"}, "rule", {"window": "单日"}),
    Case(PAIR, "根治术×探查术", "含探查", {"window": "单次就诊"}, "rule", {"window": "单次就诊"}),
    Case(PAIR, "试验×血压", "含血压监测", {"window": "同一小时"}, "rule", {"window": "同一小时"}),
    Case(PAIR, "接生×胎监", "含胎心监测", {"window": "12小时"}, "rule", {"window": "12小时"}),
    Case(PAIR, "甲×乙", "含乙", {"window": None}, "needs-review"),
    Case(PAIR, "甲×乙", "含乙", {"window": None}, "needs-review", {"window": "一段时间"}),
    # groups, herbs, internet
    Case(GROUP, "胆囊切除术某", "肝胆手术组", {}),
    Case(NEVER, "某参", "不得纳入基金支付范围的中药饮片", {}),
    Case(ALONE, "某花", "单独使用时统筹基金不予支付，且全部由这些饮片组成的处方统筹基金也不予支付。", {}),
    Case(
        INTERNET,
        "某太尼注射液",
        "医疗机构开展互联网诊疗活动时，不得开具麻醉药品、精神药品等特殊管理药品的处方。",
        {"visit_modes": ["outpatient", "emergency", "inpatient", "pharmacy"]},
    ),
    # drugs payable in the second line
    Case(SECOND, "某列汀片", "限二线用药。", {}),
    Case(SECOND, "某沙星片", "限肺炎患者的二线治疗。", {"codes": "J09-J18"}),
    Case(SECOND, "某单抗", "限传统治疗无效的克罗恩病成人患者。", {"codes": "K50", "age": age(18, None)}),
    Case(SECOND, "某替尼片", "限既往接受过含铂化疗失败的晚期胃癌患者。", {"codes": "C16"}),
    # one disease from every chapter
    Case(INDICATION, "某某片", "限2型糖尿病患者。", {"codes": "E11", "terms": "2型糖尿病"}),
    Case(INDICATION, "某某片", "限COPD患者。", {"codes": "J44"}),
    Case(INDICATION, "某某片", "限抑郁症。", {"codes": "F32"}),
    Case(INDICATION, "某某片", "限帕金森病。", {"codes": "G20"}),
    Case(INDICATION, "某某滴眼液", "限青光眼患者。", {"codes": "H40"}),
    Case(INDICATION, "某某滴耳液", "限中耳炎。", {"codes": "H66"}),
    Case(INDICATION, "某某片", "限心力衰竭。", {"codes": "I50"}),
    Case(INDICATION, "某某胶囊", "限银屑病。", {"codes": "L40"}),
    Case(INDICATION, "某某胶囊", "限痛风患者。", {"codes": "M10"}),
    Case(INDICATION, "某某胶囊", "限肾病综合征。", {"codes": "N04"}),
    Case(INDICATION, "某某栓", "限先兆流产。", {"codes": "O20"}),
    Case(INDICATION, "某某注射液", "限新生儿呼吸窘迫综合征。", {"codes": "P22"}),
    Case(INDICATION, "某某注射液", "限先天性肾上腺皮质增生症。", {"codes": "E25"}),
    Case(INDICATION, "某某注射液", "限骨折术后。", {"codes": "S72"}, "partial"),
    Case(INDICATION, "某某注射液", "限败血症。", {"codes": "A41"}),
    Case(INDICATION, "某某注射液", "限缺铁性贫血。", {"codes": "D50"}),
    # alternatives, and conditions beside the disease
    Case(
        INDICATION, "某某片", "限：1.类风湿关节炎；2.强直性脊柱炎；3.银屑病关节炎。", {"codes": ("M05", "M45", "L40")}
    ),
    Case(INDICATION, "某某片", "限①哮喘；②慢性阻塞性肺疾病。", {"codes": ("J45", "J44")}),
    Case(INDICATION, "某某片", "限高血压；限心绞痛。", {"codes": ("I10", "I20")}),
    Case(INDICATION, "某某片", "限成人慢性丙型肝炎。", {"codes": "B18", "age": age(18, None)}),
    Case(INDICATION, "某某片", "限12岁及以上青少年和成人癫痫患者。", {"codes": "G40", "age": age(12, None)}),
    Case(INDICATION, "某某片", "限女性绝经后骨质疏松症。", {"codes": "M81", "sex": "女"}),
    Case(INDICATION, "某某片", "限子宫内膜异位症患者或生育保险。", {"codes": "N80", "insurance": None}),
    Case(INDICATION, "某某针", "限急性心肌梗死发病6小时内使用。", {"codes": "I21"}),
    Case(INDICATION, "某某片", "限肝功能不全（严重肝功能不全者除外）患者。", {"codes": "K70-K77"}),
    Case(INDICATION, "某某片", "限BMI≥28的肥胖症患者。", {"codes": "E66"}),
    Case(INDICATION, "某某针", "限白蛋白低于25g/L的肝硬化患者。", {"codes": "K74"}),
    Case(INDICATION, "某某片", "限二级及以上医疗机构的多发性硬化患者。", {"codes": "G35", "level_at_least": 2}),
    Case(
        INDICATION, "某某片", "限重度特应性皮炎患者，支付不超过90天。", {"codes": "L20", "course_days": 90}, "partial"
    ),
    Case(INDICATION, "某某单抗", "限联合化疗用于HER2阳性的转移性乳腺癌。", {"codes": "C50"}, "partial"),
    Case(INDICATION, "某某单抗", "限EGFR突变阳性的非小细胞肺癌患者。", {"codes": "C34"}, "partial"),
    Case(INDICATION, "某某针", "限有明确药敏试验证据的败血症。", {"codes": "A41"}),
    Case(INDICATION, "某某片", "限某某特殊状态。", {"codes": None}, "needs-review"),
    Case(INDICATION, "某某片", "", {"codes": None}, "needs-review"),
    # age of services, working age
    Case(ITEM_AGE, "职业能力训练", "限劳动年龄段患者。", {"age": age(16, 63, high_open=True)}),
    Case(ITEM_AGE, "技能训练", "限16周岁至法定退休年龄。", {"age": age(16, 63, high_open=True)}),
    Case(ITEM_AGE, "窝沟封闭", "限6～12岁。", {"age": age(6, 12)}),
    Case(ITEM_AGE, "认知评估", "限60岁及以上老年人。", {"age": age(60, None)}),
    Case(ITEM_AGE, "某训练", "限康复患者。", {"age": None}, "needs-review"),
    # wordings that were read wrong once
    Case(LEVEL, "某某注射液", "限县级及以上医院", {"level_at_least": None}, "needs-review"),
    Case(LEVEL, "某某注射液", "仅限三级医疗机构的住院患者。", {"level_at_least": 3, "visit_modes": ["inpatient"]}),
    Case(LEVEL, "某某注射液", "限三级医院或二级专科医院使用", {"level_at_least": 2}, "partial"),
    Case(LEVEL, "某某注射液", "限Ⅱ级以上医疗机构", {"level_at_least": 2}),
    Case(MODE, "某某片", "门诊不予支付", {"visit_modes": ["emergency", "inpatient", "internet", "pharmacy"]}),
    Case(MODE, "某某片", "限门（急）诊使用", {"visit_modes": ["outpatient", "emergency"]}),
    Case(MODE, "某某片", "限参保人员在急诊、住院时使用", {"visit_modes": ["emergency", "inpatient"]}),
    Case(MODE, "某某片", "限抢救或住院。", {"visit_modes": None}, "needs-review"),
    Case(COURSE, "某某片", "每次发病支付不超过14天", {"course_days": 14}),
    Case(COURSE, "某某片", "累计支付不超过3个月", {"course_days": 90}),
    Case(CHILD_PAY, "某某片", "限不超过12岁的儿童", {"age": age(None, 12)}),
    Case(CHILD_PAY, "某某片", "限14岁以下(含14岁)", {"age": age(None, 14)}),
    Case(CHILD_PAY, "某某片", "限儿童青少年", {"age": CHILD}),
    Case(CHILD_PAY, "某某片", "限2周岁以上未满14周岁", {"age": age(2, 14, high_open=True)}),
    Case(CHILD_PAY, "某某片", "限出生28天内的新生儿", {"age": NEWBORN}),
    Case(
        CHILD_PAY,
        "某某片",
        "限3岁及以上伴有症状、无法手术的神经纤维瘤病儿童患者。",
        {"age": age(3, 18, high_open=True)},
        "partial",
    ),
    Case(CHILD_PAY, "某某片", "限体重小于40kg的儿童", {"age": CHILD}),
    Case(CHILD_ITEM, "某检查", "7岁及以下儿童", {"age": age(None, 7)}),
    Case(FREQUENCY, "某监护", "每日不超过24小时", {"limit": 24, "unit": "小时"}),
    Case(PERIOD, "某检查", "两次检查间隔不少于3个月", {"limit": 1, "period_days": 90}),
    Case(ITEM_AGE, "某训练", "限男性16-60岁，女性16-55岁", {"age": age(16, 55)}),
    Case(
        INDICATION,
        "某某酶",
        "限法布雷病患者。尚未确定本品在0-6岁儿童中的安全性和有效性。",
        {"codes": "E75", "age": None},
    ),
    Case(INDICATION, "某某片", "限成人甲型流感，不包括存在流感相关并发症高风险的患者。", {"codes": "J09"}, "partial"),
    Case(INDICATION, "某某针", "限医院获得性肺炎(HAP)，但呼吸机相关性肺炎(VAP)除外。", {"codes": "J"}),
    Case(
        INDICATION,
        "某某针",
        "限成人高胆固醇血症患者以下情况方予支付：1.他汀治疗仍未达标的患者；2.他汀不耐受的患者。",
        {"codes": "E78", "age": age(18, None)},
    ),
    Case(INDICATION, "某某单抗", "限间变性淋巴瘤激酶(ALK)阳性的肺癌。", {"codes": "C34"}, "partial"),
    Case(INDICATION, "某某针", "限人免疫缺陷病毒感染，连续使用6个月无效时停药。", {"codes": "B20"}, "partial"),
    Case(SEX, "某某丸", "用于肾阳虚所致阳痿、宫寒不孕", {"sex": None}, "needs-review"),
    Case(SEX, "某某胶囊", "用于良性前列腺增生症；女性患者禁用。", {"sex": "男"}),
    Case(CHILD_DRUG, "某某颗粒", "适用于2-12岁儿童，2岁以下儿童遵医嘱", {"age": age(None, 12)}),
    Case(CHILD_DRUG, "小儿某某注射液", "1.早产儿、低体重儿及不能经口进食的新生儿。2.各种创伤。", {"age": CHILD}),
    Case(INDICATION, "某某片", "限门诊慢性病患者高血压", {"codes": "I10", "visit_modes": ["outpatient"]}, "partial"),
    Case(INDICATION, "某某片", "限工伤保险患者的骨折。", {"insurance": ["work-injury"], "codes": "S72"}),
    Case(INDICATION, "某某片", "限工伤保险；限骨折。", {"insurance": None, "codes": "S72"}),
    Case(INDICATION, "某某片", "限孕妇及哺乳期妇女除外的成人患者的偏头痛。", {"codes": "G43", "sex": None}),
    Case(INDICATION, "某某片", "限复发或转移性宫颈癌患者。", {"codes": "C53"}),
    Case(INDICATION, "某某片", "限支气管哮喘(12岁及以上)和慢性阻塞性肺疾病。", {"codes": ("J45", "J44")}),
    Case(INDICATION, "某某片", "限多发性骨髓瘤、复发或难治性套细胞淋巴瘤患者。", {"codes": ("C90", "C83")}, "partial"),
    Case(INDICATION, "某某片", "限生育保险或先兆流产患者", {"codes": "O20", "insurance": None}),
    Case(INDICATION, "某某片", "限脑梗死(发病6小时内)、肺栓塞", {"codes": ("I63", "I26")}),
    # what fresh eyes found: whom a label or a remark lets in beside
    Case(SEX, "某硝唑阴道泡腾片", "用于阴道滴虫病。男性配偶应同时治疗。", {"sex": "女"}),
    Case(SEX, "某维生素胶囊", "用于习惯性流产、不孕症及进行性肌营养不良的辅助治疗。", {"sex": None}, "needs-review"),
    Case(SEX, "某那雄片", "治疗良性前列腺增生；妇女不应接触碎片", {"sex": "男"}),
    Case(SEX, "亮某林", "1.子宫内膜异位症；2.绝经前乳腺癌；3.前列腺癌；4.中枢性性早熟", {"sex": None}, "needs-review"),
    Case(SEX, "某酮贴片", "用于睾酮缺乏。孕妇、哺乳期妇女禁用。", {"sex": None}, "needs-review"),
    Case(SEX, "某曲唑片", "用于绝经后乳腺癌；不推荐绝经前女性使用。", {"sex": "女"}),
    Case(CHILD_PAY, "某某颗粒", "限成人及12岁以上青少年", {"age": age(12, None)}),
    Case(CHILD_PAY, "某某颗粒", "限1岁半至6岁儿童", {"age": age(18, 84, "month", high_open=True)}),
    Case(CHILD_PAY, "某某颗粒", "限18岁（含）以下", {"age": age(None, 18)}),
    Case(CHILD_PAY, "某某颗粒", "限2~12周岁(不含12周岁)患者", {"age": age(2, 12, high_open=True)}),
    Case(CHILD_PAY, "某某颗粒", "限2岁以上（不含2岁）儿童", {"age": age(2, 18, low_open=True, high_open=True)}),
    Case(CHILD_PAY, "某某颗粒", "限儿童及孕妇", {"age": None}, "needs-review"),
    Case(CHILD_PAY, "某某颗粒", "限儿童、吞咽困难的成人", {"age": None}, "needs-review"),
    Case(CHILD_PAY, "某某颗粒", "限儿童；成人限吞咽障碍", {"age": None}, "needs-review"),
    Case(CHILD_DRUG, "婴儿某素", "用于婴幼儿消化不良", {"age": age(None, 3, high_open=True)}),
    Case(CHILD_DRUG, "某热贴", "用于发热，成人及儿童均可使用。", {"age": None}, "needs-review"),
    Case(MATERNITY, "某某片", "限生育保险或子宫肌瘤患者", {"insurance": None}, "needs-review"),
    Case(INJURY, "某某膏", "限参加工伤保险人员", {"insurance": ["work-injury"]}),
    Case(INJURY, "某某膏", "限工伤职工使用", {"insurance": ["work-injury"]}),
    Case(INJURY, "某某膏", "限工伤保险或二级及以上医疗机构", {"insurance": None}, "needs-review"),
    Case(LEVEL, "某某注射液", "限二、三级医院", {"level_at_least": 2}),
    Case(LEVEL, "某某注射液", "限三级医院；二级医院限重症患者", {"level_at_least": 2}),
    Case(MODE, "某某丸", "门诊抢救及住院患者", {"visit_modes": ["outpatient", "emergency", "inpatient"]}),
    Case(MODE, "某某丸", "限留观、住院", {"visit_modes": ["emergency", "inpatient"]}),
    Case(
        MODE,
        "某某丸",
        "住院患者使用时支付，儿童患者门诊也可支付",
        {"visit_modes": ["outpatient", "inpatient"], "age": CHILD},
    ),
    Case(COURSE, "某某滴丸", "首次支付不超过14天，有效后可支付至28天", {"course_days": 28}, "partial"),
    Case(ITEM_COURSE, "某训练", "支付不超过180天，评估有效可延长90天", {"course_days": 270}, "partial"),
    Case(COURSE, "某某滴丸", "每次发作支付不超过5天，每年不超过2次", {"course_days": 5}, "partial"),
    Case(PERIOD, "某测定", "至少间隔一个月", {"limit": 1, "period_days": 30}),
    Case(PERIOD, "某测定", "每自然月不超过1次", {"limit": 1, "period_days": 30}),
    Case(PERIOD, "某测定", "1次/15天", {"limit": 1, "period_days": 15}),
    Case(PERIOD, "某测定", "3天1次", {"limit": 1, "period_days": 3}),
    Case(FREQUENCY, "某护理", "一天不超过三次", {"limit": 3}),
    Case(FREQUENCY, "某护理", "日", {"limit": None}, "needs-review", {"limit": 0, "unit": "日"}),
    Case(INDICATION, "某某片", "限糖尿病伴周围神经病变", {"codes": "E10-E14"}, "partial"),
    Case(INDICATION, "某某片", "限慢性肾病所致贫血", {"codes": "N18"}, "partial"),
    Case(INDICATION, "某某片", "限合并糖尿病的高血压患者", {"codes": "I10"}, "partial"),
    Case(INDICATION, "某某单抗", "限中重度斑块状银屑病", {"codes": "L40"}, "partial"),
    Case(INDICATION, "某某单抗", "限湿性年龄相关性黄斑变性", {"codes": "H35"}, "partial"),
    Case(INDICATION, "某某针", "限非2型糖尿病的肥胖患者", {"codes": ("E66",)}, "partial"),
    Case(INDICATION, "某某片", "限高血压、糖尿病除外", {"codes": ("I10",)}, "partial"),
    Case(INDICATION, "某某片", "限预防移植后(肾及肝移植)及恶性肿瘤患者的真菌感染。", {"codes": ("T86",)}, "partial"),
    Case(INDICATION, "某某片", "限不可切除的胃肠道或肺源神经内分泌肿瘤。", {"codes": ("C34", "C15-C26")}),
    Case(INDICATION, "某某片", "限乙肝肝硬化失代偿期；不得用于肝癌", {"codes": ("K74",)}),
    Case(INDICATION, "某某片", "限孕产妇缺铁性贫血", {"codes": ("D50",)}, "partial"),
    Case(COURSE, "某某片", "支付不超过2周期", {"course_days": None}, "needs-review"),
    Case(COURSE, "某某片", "儿童支付不超过5天，成人支付不超过7天", {"course_days": 7, "age": None}),
    Case(MODE, "某某片", "限住院患者及门诊透析患者", {"visit_modes": ["outpatient", "inpatient"]}),
    Case(SEX, "某某丸", "用于痛经；也可用于头痛牙痛", {"sex": None}, "needs-review"),
    Case(LEVEL, "某某片", "限三甲医院", {"level_at_least": 3}),
    Case(CHILD_PAY, "某某片", "限6周岁（不含）以下儿童", {"age": age(None, 6, high_open=True)}),
    Case(FREQUENCY, "某护理", "每日计价一次", {"limit": 1}),
    Case(PERIOD, "某测定", "一周最多2次", {"limit": 2, "period_days": 7}),
    Case(COURSE, "某某片", "最长不超过二十一天", {"course_days": 21}),
    Case(SEX, "溴某亭片", "用于高泌乳素血症、产后抑制泌乳", {"sex": None}, "needs-review"),
    Case(LEVEL, "某某片", "限二级及以上医疗机构（含社区卫生服务中心）", {"level_at_least": None}, "needs-review"),
    Case(LEVEL, "某某片", "限二级及以上综合医院、专科医院", {"level_at_least": None}, "needs-review"),
    Case(MODE, "某某片", "限住院、日间病房", {"visit_modes": ["outpatient", "inpatient"]}, "partial"),
    Case(INDICATION, "某某片", "限儿童及老年肺炎患者", {"codes": ("J09-J18",), "age": None}, "partial"),
    Case(INDICATION, "某某片", "限低蛋白血症的危重病人", {"codes": ("E88",)}, "partial"),
    Case(LEVEL, "某某片", "不得在二级以下医疗机构使用", {"level_at_least": 2}),
    Case(MODE, "某某片", "除住院外不予支付", {"visit_modes": ["inpatient"]}),
    Case(INDICATION, "某某片", "限高血压或住院的糖尿病患者", {"codes": ("I10", "E10"), "visit_modes": None}),
    Case(INDICATION, "某某片", "限三级医院或急诊的心肌梗死患者。", {"codes": ("I21",), "level_at_least": None}),
    Case(SEX, "某瑞林", "用于前列腺癌、乳腺癌", {"sex": None}, "needs-review"),
    Case(SEX, "某某散", "用于痛经。头痛、牙痛也可使用。", {"sex": None}, "needs-review"),
    Case(CHILD_PAY, "某某颗粒", "限儿童或体重小于40kg的患者", {"age": None}, "needs-review"),
    Case(CHILD_PAY, "某某颗粒", "限儿童，或无法吞咽片剂的患者", {"age": None}, "needs-review"),
    Case(MATERNITY, "某某片", "限生育保险、计划生育手术", {"insurance": None}, "needs-review"),
    Case(INJURY, "某某膏", "限工伤保险。烧伤患者也可支付", {"insurance": None}, "needs-review"),
    Case(LEVEL, "某某片", "限二级及以上医疗机构，抢救患者除外", {"level_at_least": None}, "needs-review"),
    Case(COURSE, "某某片", "支付不超过7天，儿童除外", {"course_days": None}, "needs-review"),
    Case(MODE, "某某片", "限住院患者或透析患者", {"visit_modes": None}, "needs-review"),
)
