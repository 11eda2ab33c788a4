"""What remarks limit besides diseases, ages and sexes: level, visit mode, insurance, course, frequency, evidence.

Every function takes its words out of a reader and returns what they say; ``None`` or empty where they say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from negative_list.importer.numbers import NUMBER, number, whole_days
from negative_list.importer.remark import TAKEN, Reader

__all__ = [
    "MODES",
    "Cap",
    "Course",
    "Level",
    "read_cap",
    "read_course",
    "read_insurance",
    "read_level",
    "read_modes",
    "read_nutrition",
    "read_onset_hours",
]

MODES = ("outpatient", "emergency", "inpatient", "internet", "pharmacy")
"""The visit modes, as the fact ``encounter.visit_mode`` names them."""


class Level(Struct, frozen=True, kw_only=True):
    """An institution of at least ``at_least``; with ``first`` only for the first prescription.

    ``rest`` is what the words say beyond the level ("三级医院眼科或二级及以上眼科专科医院").
    """

    at_least: int
    first: bool = False
    rest: str = ""


class Course(Struct, frozen=True, kw_only=True):
    """Payable for ``days`` days of use; ``encounter``: counted anew for each stay; ``span``: from first to last day."""

    days: int
    encounter: bool = False
    span: bool = False


class Cap(Struct, frozen=True, kw_only=True):
    """At most ``limit`` in any ``days`` days; ``source``: the remark's own characters that say so."""

    limit: Decimal
    days: int
    source: str = ""


_LEVELS = {"一": 1, "二": 2, "三": 3, "1": 1, "2": 2, "3": 3, "i": 1, "ii": 2, "iii": 3}
_GRADE_WORD = "(?:一|二|三|iii|ii|i|[123])"
_LISTED_GRADE = "[一二三](?=[、和或及][一二三][级、和或及])"
_GRADE = f"(?:{_GRADE_WORD}级|[一二三](?=[甲乙丙]))"
_LEVEL = re.compile(
    rf"(?:首次[^,;。{TAKEN}]{{0,8}}?)?(?:限|需|须|应|由|在|于|仅限)*(?:不低于)?(?P<first>(?:[一二三](?:、|和|或|及))*{_GRADE})(?:[甲乙丙]等?)?"
    rf"(?:\(?[及含或]\)?(?:其|{_GRADE})?)?(?P<up>以上)?(?P<tail>[^,;。{TAKEN}级]{{0,12}}?(?:医疗机构|医院|医疗单位|机构))"
    rf"(?P<more>[^,;。{TAKEN}级]{{0,6}}?或{_GRADE}(?:[甲乙丙]等)?(?:\(?[及含]\)?)?(?:以上)?[^,;。{TAKEN}]{{0,12}}?(?:医疗机构|医院))?"
    r"(?P<who>(?:的)?(?:[^,;。]{0,6}?医[师生])?(?:开具)?(?:的)?(?:处方|使用)?)?"
)
_NOT_BELOW = re.compile(
    rf"(?:不得|不能|不可|禁止)(?:在|于)(?P<grade>{_GRADE_WORD})级以下(?:医疗机构|医院|机构)(?:使用|开具)?"
)
_FIRST_TIME = re.compile(r"首次|初次|第一次")
_LOWER_TOO = re.compile(
    r"\(含[^()]*(?:中心|医院|机构|卫生院|诊所)|[、或及和][^,;。级]{0,8}(?:医院|中心|机构|卫生院|诊所)"
)
_BELOW = re.compile(r"(?:及|或)?以下|不高于|基层")
_SPECIAL = re.compile(r"专科|[^综合]科(?!医)|医[师生]")

_WORDS = {
    "门诊抢救": ("outpatient", "emergency"),
    "留观": ("emergency",),
    "门急诊": ("outpatient", "emergency"),
    "门(急)诊": ("outpatient", "emergency"),
    "门诊": ("outpatient",),
    "急诊": ("emergency",),
    "住院": ("inpatient",),
    "互联网": ("internet",),
    "药店": ("pharmacy",),
}
_MODE = r"(?:门诊抢救|留观|门急诊|门\(急\)诊|门诊|急诊|住院|互联网(?:诊疗|医院)?|(?:零售)?药店)"
_ONLY = re.compile(
    rf"除(?P<modes>{_MODE}(?:(?:、|或者?|和|及|与){_MODE})*)(?:患者)?以?外,?(?:一律)?均?(?:不予支付|不予报销|不支付)"
)
_DAY_CARE = re.compile("日间|家庭病床")
_MODES = re.compile(
    rf"(?<![非不单每])(?<!单次)(?<!每次)(?:限|仅限|仅|需|须|用于)?(?P<modes>{_MODE}(?:抢救|留观)?(?:(?:、|或者?|和|及|与|/|以及){_MODE}(?:抢救|留观)?)*)"
    r"(?:的?(?:患者|病人)|期间|治疗|使用|方可|方予|才|的)?(?:时)?(?P<refused>(?:一律)?(?:均)?(?:不予支付|不予报销|不支付|不得使用|除外))?(?:使用|方可|方予|支付|给予)*"
)

_INSURANCES = (
    ("work-injury", "工伤保险|工伤"),
    ("maternity", "生育保险|生育"),
    ("employee", "职工(?:基本)?(?:医疗)?(?:保险|医保)|城镇职工"),
    ("resident", "(?:城乡)?居民(?:基本)?(?:医疗)?(?:保险|医保)"),
)
_INSURANCE = re.compile(
    "(?:限|仅限|参加)*(?:"
    + "|".join(f"(?P<k{n}>{words})" for n, (_, words) in enumerate(_INSURANCES))
    + ")(?:参保)?(?:的?(?:参保人员?|人员|职工|患者|支付)(?:使用)?)?"
)

_TIME = r"(?P<unit>天|日|周(?![期岁])|个?月|年)"
_COURSE = re.compile(
    rf"(?P<lead>(?:[^,;。{TAKEN}]{{0,6}}?(?:疾病过程|疗程))?(?:(?:单次|每次|一次)(?:发病|发作)?|每疗程|一个疗程|总|累计|连续|最长|最多|医保|基金)*(?P<stay>住院)?(?:期间)?(?:内)?"
    r"(?:最多|最长|总|累计|连续|使用|应用)*(?:支付|使用|用药|治疗|疗程|用)?(?:的)?(?:总)?(?:期限|时限|时间|天数|日期总计)?(?:总计|合计)?)"
    rf"(?:为|应)?(?:不(?:得|能|应|可)?(?:超过|多于|长于|大于)|最多(?:支付|使用)?|最长(?:支付|使用)?|限(?:支付|用)?|≤|少于等于|(?<=支付)|(?:期限|疗程)为?)(?P<n>{NUMBER}){_TIME}(?:的?(?:费用|用量|疗程))?"
)
_LONGER = re.compile(
    rf"(?<=[,;])[^,;。{TAKEN}]{{0,16}}?(?:患者|者)(?:可|最多|最长|支付|延长)*(?:至|不超过)(?P<n>{NUMBER}){_TIME}"
)
_EXTENDED = re.compile(
    rf"(?:可|最多可|最长可)(?:继续)?(?P<more>延长|续用|追加)?(?:支付|使用|用药|延长)*(?:最多|最长)?(?P<to>至|到)?(?P<n>{NUMBER}){_TIME}"
)
_BY_MODE = re.compile(
    rf"(?:{_MODE}|成人|儿童|小儿|老年人)(?:的)?(?:患者|病人)?(?:最多|最长|可|限)*(?:支付|使用|用药)?(?:时间|天数)?(?:不超过|最多|最长)?(?:支付)?(?P<n>{NUMBER}){_TIME}"
)
_COURSE_WORDS = re.compile(r"最长|累计|支付|使用|用药|疗程|治疗|时间|天数|过程|住院|连续|日期")
_GAP = re.compile(
    rf"(?:两次|每次)?(?:评定|评估|检查|检测|测定|治疗|使用|用药|支付)?的?(?:至少)?间隔(?:时间|天数)?(?:应)?(?:不(?:得|应|能)?(?:短于|少于|低于|小于)|至少|≥|大于等于|(?<=至少间隔))(?P<n>{NUMBER}){_TIME}"
)
_TIMES = re.compile(
    rf"(?:每|(?<![\d一二两三四五六七八九十百])(?=一[天日周年]))(?P<every>{NUMBER})?个?(?:自然)?(?P<period>天|日|周|月|季度|年)(?:内)?(?:最多|限|不超过|不得超过|只能|仅|可)*(?:支付|使用|检查|收费|计费|计价)?(?:不超过|最多)?(?P<n>{NUMBER})次"
    rf"|(?P<n3>{NUMBER})次/(?P<every3>{NUMBER})?个?(?P<period3>天|日|周|月|季度|年)"
    rf"|(?P<every2>{NUMBER})个?(?P<period2>天|日|周|月|季度|年)内?(?:最多|限|不超过|不得超过|只能|仅|可)*(?:支付|使用|检查|收费)?(?:不超过|最多)?(?P<n2>{NUMBER})次"
)
_NUTRITION = re.compile(
    r"(?:需|须)?经?营养(?:不良)?风险筛查[^;。]*?(?:补充足够(?:的)?营养的?|具有营养风险(?!,?且)的?|存在营养风险的?|(?=住院|方|[;。]|$))"
)
_ONSET = re.compile(
    rf"(?:在)?(?:发作|发病|起病|症状出现|症状发作|卒中|出现症状)(?:后)?(?:的)?(?P<n>{NUMBER})个?(?P<unit>小时|h|天|日)(?:以)?内(?:的)?(?:开始)?(?:使用|用药|治疗|给药)?"
)


def read_level(reader: Reader) -> Level | None:
    """The lowest level that suffices; words that also allow a *lower* one or none say nothing we can judge."""
    found = [Level(at_least=_LEVELS[match["grade"]]) for match in reader.takes(_NOT_BELOW)]
    for match in _LEVEL.finditer(reader.text):
        if _BELOW.search(match.group()) or _LOWER_TOO.match(reader.text, match.end()):
            continue
        reader.take(*match.span())
        grades = [_LEVELS[g] for g in re.findall(rf"{_LISTED_GRADE}|{_GRADE_WORD}(?=级|[甲乙丙])", match.group())]
        special = match["more"] or _SPECIAL.search(match["tail"]) or "医" in (match["who"] or "")
        rest = reader.original(*match.span()) if special else ""
        first = bool(_FIRST_TIME.search(reader.text[max(0, match.start() - 8) : match.end()] + match.group()))
        found.append(Level(at_least=min(grades), first=first, rest=rest))
    return min(found, key=lambda level: level.at_least) if found else None


def read_modes(reader: Reader) -> tuple[str, ...]:
    """The visit modes the fund pays for, in the order of :data:`MODES`: "急诊或住院" is both.

    "门诊不予支付" names those it does not pay for; then it is all the others. Day care is filed as either kind of
    visit; its words stay unread.
    """
    named = {mode for match in reader.takes(_ONLY) for mode in _listed(match["modes"])}
    for match in reader.takes(_MODES):
        found = _listed(match["modes"])
        named |= set(MODES) - found if match["refused"] else found
    if named and _DAY_CARE.search(reader.text):
        named.add("outpatient")
    return tuple(mode for mode in MODES if mode in named)


def _listed(words: str) -> set[str]:
    return {mode for word in re.findall(_MODE, words) for mode in _modes_of(word)}


def _modes_of(word: str) -> tuple[str, ...]:
    """The visit modes of one word; the longer words stand first in the table."""
    return next((modes for key, modes in _WORDS.items() if word.startswith(key)), ("pharmacy",))


def read_insurance(reader: Reader) -> tuple[str, ...]:
    """The kinds of insurance named."""
    return tuple(dict.fromkeys(_INSURANCES[int((m.lastgroup or "k0")[1:])][0] for m in reader.takes(_INSURANCE)))


def read_course(reader: Reader) -> Course | None:
    """The longest payable course; where some patients or visits get a longer one, theirs: nobody gets more."""
    if len(list(_BY_MODE.finditer(reader.text))) > 1:
        return Course(days=max(whole_days(m["n"], m["unit"]) for m in reader.takes(_BY_MODE)))
    longer = [whole_days(m["n"], m["unit"]) for m in reader.takes(_LONGER)]
    extended = list(reader.takes(_EXTENDED))
    for match in _COURSE.finditer(reader.text):
        if not _COURSE_WORDS.search(match.group()):
            continue
        reader.take(*match.span())
        days = _extended(max([whole_days(match["n"], match["unit"]), *longer]), extended)
        lead = match["lead"] or ""
        once = bool(match["stay"]) or bool(re.match(r"单次|每次|一次", lead))
        return Course(days=days, encounter=once, span=bool(re.search("总时间", match.group())))
    return None


def _extended(days: int, extended: Iterable[re.Match[str]]) -> int:
    """Days of a course with its extensions: "可支付至28天" is 28 in all, "可延长90天" 90 more."""
    for match in extended:
        more = whole_days(match["n"], match["unit"])
        days = max(days, more) if match["to"] or not match["more"] else days + more
    return days


def read_cap(reader: Reader) -> Cap | None:
    """How many in how many days: from "每周最多支付一次", or from a pause ("间隔不短于14天": one in 14 days)."""
    for match in reader.takes(_TIMES):
        every, period, n = (
            match["every"] or match["every2"] or match["every3"],
            match["period"] or match["period2"] or match["period3"],
            match["n"] or match["n2"] or match["n3"],
        )
        source = reader.original(*match.span())
        return Cap(limit=Decimal(int(number(n))), days=whole_days(every or "1", period), source=source)
    for match in reader.takes(_GAP):
        source = reader.original(*match.span())
        return Cap(limit=Decimal(1), days=whole_days(match["n"], match["unit"]), source=source)
    return None


def read_nutrition(reader: Reader) -> bool:
    """Whether a nutrition-risk screen is demanded (at risk, and not to be fed enough by mouth or tube)."""
    return reader.took(_NUTRITION)


def read_onset_hours(reader: Reader) -> Decimal | None:
    """Hours after the onset within which use must begin."""
    hours = [Decimal(str(number(m["n"]))) * (1 if m["unit"] in ("小时", "h") else 24) for m in reader.takes(_ONSET)]
    return max(hours, default=None)
