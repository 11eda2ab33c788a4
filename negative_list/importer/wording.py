"""The words of a remark that are neither limits nor diseases: evidence of earlier treatment, exclusions, filler.

Each table is ordered from the longer phrase to the shorter; the words are the payer's own habits of writing, seen in
the public batches and the national drug catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from negative_list.importer.numbers import NUMBER
from negative_list.importer.remark import TAKEN, Reader

__all__ = [
    "Exclusion",
    "drop_information",
    "hide_substances",
    "implied_disease",
    "only_fills",
    "read_exclusions",
    "read_leftover",
    "read_prior_treatment",
]


class Exclusion(Struct, frozen=True, kw_only=True):
    """People who are not meant: the folded words, and the same in the remark's own characters."""

    text: str
    source: str


_INFORMS = re.compile(
    r"尚未确定[^。]*|[^。;,]*(?:安全性和有效性|有效性和安全性)[^。;]*|(?:需|应|请)?按(?:药品)?(?:法定)?说明书(?:使用|用药|要求使用|规定使用)?"
    r"|本方案[^。]*|诊疗规范:[^。]*|\([^()]*〔?\d{4}〕?\d+号\)"
)
_SUBSTANCES = re.compile(
    r"间变性淋巴瘤激酶|[慢急恶良女男]性病|慢特病|鼠类肉瘤病毒癌基因|(?:抗)?肿瘤坏死因子[α-ω]*|抗肿瘤|抗感染|抗病毒|抗流感(?:病毒)?|镇静/抗焦虑/遗忘|抗焦虑(?:/遗忘)?|抗风湿|抗癌|抗凝|抗血小板|抗抑郁|抗癫痫|抗结核|改善病情|"
    r"血管内皮生长因子|疾病活动度?|疾病进展|疾病表型|血清学阳性|并发症高?风险|(?<=性)病灶|抗高血压|降压|降糖药?|口服降糖|胰岛素|"
    r"(?:新)?辅助化疗|(?:含铂|系统|全身|铂类|以铂类为基础的|一线|二线)*(?:同步)?(?:放化疗|化疗|放疗)(?=后|失败|期间|方案|时|治疗|药|[^,;。]{0,14}(?:失败|进展|不耐受|缓解))|"
    r"(?:手术|放疗|化疗)后(?=复发|残留)|术后(?=辅助)|手术治疗|根治性手术|根治性放疗|手术(?=切除|或放疗)|手术(?=或)|(?:预防|控制)?出血高危|"
    r"(?:自体|异基因)?(?:造血)?干细胞移植(?=的新诊断|\([^)]*\)的复发)|工伤保险|生育保险|心血管死亡|(?<=降低)(?![^,;。]*患者)[^,;。]*?风险|(?<=患者的)[^,;。]*?风险|主要心血管不良事件\([^)]*\)|"
    r"外科手术|免疫缺陷病毒\([^)]*\)阴性|疱疹病毒\d?型?\([^)]*\)阴性"
)
_AGE_END = rf"(?:本数|{NUMBER}(?:周?岁|个?月|天|日)?龄?)\)"
_EXCLUSIONS = (
    re.compile(r"(?:^|(?<=[,;。:]))(?:限|仅限|仅)*(?P<who>[^,;。:()]+?)(?:患者|病人|者)?除外的"),
    re.compile(r"\((?P<who>[^()]*?)(?:患者|者)?(?:除外|不包括在内|不予支付)\)"),
    # "(不含12周岁)" says which end of an age is open
    re.compile(rf"\((?:不含|不包括|除外|排除)(?!{_AGE_END})(?P<who>[^()]+)\)"),
    re.compile(
        rf",?(?:但|且)?(?:不包括|不含|排除|(?:不得|不能|不可|不适|禁)用于|不用于)(?!{_AGE_END})(?P<who>[^,;。()]+?)(?:的?(?:患者|病人|者))?(?=[,;。)]|$|的(?!患者|病人|者))"
    ),
    re.compile(r"除(?!外)(?P<who>[^,;。()]*?)(?:以)?外(?=[,;。]|的|$|均|任何)"),
    re.compile(r"[,;](?:但|其中)?(?P<who>[^,;。()]*?(?:\([^()]*\))?)(?:患者|者)?(?:除外|不予支付)"),
)

_FAILED = (
    r"治疗失败|失败|(?:效果|疗效|控制|反应|应答|缓解|治疗反应)(?:不佳|欠佳|不理想|不良|不充分|不足|不满意)|不(?:充分)?应答|失应答|应答(?:不佳|不足|不充分)|难以控制|无法控制|"
    r"不能(?:有效)?控制|控制不佳|不能(?:有效)?控制症状|无效|(?:仍)?无法达(?:到[^,;。]*?目标|标)|未达标|仍有症状|(?:不(?:能)?|无法)耐受|(?:出现)?(?:疾病)?进展(?!风险|期|性)|下降低于\d+%"
)
_PRIOR = re.compile(
    rf"(?:[^,;。]*?(?:{_FAILED}|二线(?:治疗|用药|使用)?|三线(?:治疗|用药)?|(?:既往)?(?:至少)?(?:接受|使用|经过?)过?[^,;。或]*?(?:治疗|化疗|方案|药物)(?:后)?))+(?:的|者|后)?"
)
_TREATED = re.compile(rf"{_FAILED}|二线|三线|接受过|经过|既往")
_NEVER = re.compile(
    r"未(?:经|曾|接受|出现|使用|达到)?(?!达)[^,;。]*?(?:治疗|化疗|过|进展)|初治|首次|新诊断|一线(?!标准|含|系统|治疗[^,;。]*(?:失败|进展|后))|不超过"
)
_OTHERWISE = re.compile(r"停药|停用|禁忌|不适(?:合|宜|用)|不宜|不能(?:使用|接受|口服)|无法(?:使用|口服)|高危|未接受")

_ALONE = rf"(?<![^{TAKEN},;:。、()/])"
_OR_ELSE = re.compile(r"[^,;。]{0,2},或")
_FILLER = re.compile(
    r"[也亦]可|医保(?:基金)?|统筹基金|基金|方可支付|方予支付|予以支付|支付|情况方予|以下情况|下列情况|下列患者群体|下列患者|以下|下列|情况|之一|符合|同时(?=符合|满足|具备|需|$)|条件|"
    r"包括(?:但不限于)?|例如|仅用于|适用于|限于|用于|适合|应用于|用作|作为|仅限|需要|"
    r"临床(?:上)?(?:确诊|诊断|证据)?|诊断(?:明确|为)?|明确(?:的)?(?:诊断|证据)?|有明确|确诊|证据|诊断|具有|具备|存在|出现|"
    r"由于|所致|所引起|引起|导致|伴有|伴随|伴发|合并|并发|继发于|相关性?|属于|"
    r"患者群?体?|病人|人群|病例|受者|成年人?|和/或|及/或|以及|或者|"
    r"治疗(?:药物)?|长期|短期|急救|抢救性?|紧急|辅助用药|疾病|病情|病症|症状|该病|本病|血糖控制|控制|改善|缓解|补充(?:治疗)?|预防|防治|使用|用药|应用|"
    r"新发的?|急性期|急性发作期?|参保(?:人员?|患者)|年龄|之间|说明书(?:标明)?|本品|"
    + _ALONE
    + r"(?:急性|限|仅|须|需|应|可|方(?!案|式)|有|因(?!子)|由|所|致|伴|并|如|即|者|人|的|和|及(?:其(?!他))?|与|或|且|等|"
    r"在|于|对(?!照)|时|中(?![枢度危间重])|后|为|从|向|之|其(?!他)|用|患|型|期|级|类|第|项|[,;:。、()/\[\]{}+\-·.])"
)
_MEANS = re.compile(r"\([a-z0-9αβγ\-/,、 +.]{1,14}\)")


_IMPLIED: tuple[tuple[re.Pattern[str], str], ...] = (
    # what the first-line drug treats, where the remark names only the drug
    (re.compile("降糖药|胰岛素|二甲双胍"), "2型糖尿病"),
    (re.compile("降压药|血管紧张素|acei|钙通道阻滞剂"), "高血压"),
    (re.compile("他汀"), "高胆固醇血症"),
    (re.compile("抗癫痫药"), "癫痫"),
)


def implied_disease(text: str) -> str:
    """The disease a remark means that names only the drug given for it before; empty where it names no such drug."""
    return next((name for pattern, name in _IMPLIED if pattern.search(text)), "")


def hide_substances(text: str) -> str:
    """Blank names of drugs and treatments that hold the name of a disease ("肿瘤坏死因子", "抗肿瘤")."""
    return _SUBSTANCES.sub(lambda m: TAKEN * len(m.group()), text)


def drop_information(reader: Reader) -> None:
    """Take what only informs: what a label knows of safety, where a norm is printed."""
    reader.took(_INFORMS)


def read_exclusions(reader: Reader) -> tuple[Exclusion, ...]:
    """Take what a text leaves out ("严重肝功能不全者除外", "不包括…的患者")."""
    found: list[Exclusion] = []
    for pattern in _EXCLUSIONS:
        for match in reader.takes(pattern):
            who = match.span("who")
            found += [Exclusion(text=match["who"], source=reader.original(*who))]
    return tuple(found)


def only_fills(text: str) -> bool:
    """Whether a text says nothing but filler."""
    reader = Reader(text)
    reader.took(_FILLER)
    return not _SAYS.search(reader.text)


def read_prior_treatment(reader: Reader) -> bool:
    """Take the words for an earlier treatment that failed or was not tolerated, and say whether one is demanded.

    Where the words also let somebody in who never had it (contraindicated, not suitable), nothing is taken: the
    doctor has to say which it was.
    """
    demanded = False
    for match in _PRIOR.finditer(reader.text):
        if _must_have_failed(match.group(), reader.text[match.end() :]):
            reader.take(*match.span())
            demanded = True
    return demanded


def _must_have_failed(words: str, after: str) -> bool:
    """Whether words demand an earlier treatment, with no other way in beside them."""
    other_way = _OTHERWISE.search(words + after[:8]) or _OR_ELSE.match(after)
    return bool(_TREATED.search(words)) and not _NEVER.search(words) and not other_way


def read_leftover(reader: Reader) -> tuple[str, ...]:
    """What nobody has read, without filler, each piece in the remark's own characters and in their order."""
    reader.took(_MEANS)
    clauses = list(re.finditer(r"[^,;。]+", reader.text))
    reader.took(_FILLER)
    return tuple(piece for clause in clauses for piece in _pieces(reader, *clause.span()))


def _pieces(reader: Reader, start: int, end: int) -> Iterator[str]:
    """The unread stretches of one clause; what only a few read characters part is one stretch."""
    spans = [m.span() for m in re.finditer(rf"[^{TAKEN}]+", reader.text[start:end])]
    joined: list[tuple[int, int]] = []
    for begin, stop in spans:
        near = joined and begin - joined[-1][1] <= _NEAR
        joined.append((joined.pop()[0] if near else begin, stop))
    for begin, stop in joined:
        if _SAYS.search(reader.text[start + begin : start + stop]):
            yield reader.original(start + begin, start + stop).strip("的、，,：:；;。（(")


_NEAR = 5
_SAYS = re.compile(r"[^\d\s.%ivx\x00]")
