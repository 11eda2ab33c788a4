"""The sex a text tells, by words only one sex has: organs, diseases, stages of life.

Breasts, infertility, climacteric complaints and hormones alone tell nothing. A clause that says who must *not* use
the item ("孕妇禁用"), or speaks of the patient's partner, tells nothing either. Words of both sexes in one text are no
answer, and neither are those of one sex beside a disease that anybody may have ("习惯性流产及进行性肌营养不良").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from negative_list.diseases import Mention, mentions
from negative_list.text import normalise

if TYPE_CHECKING:
    from negative_list.importer.remark import Reader

__all__ = ["Sex", "read_sex", "sex_of"]

Sex: TypeAlias = Literal["男", "女"]
"""The words of the fact ``patient.sex``."""

_FEMALE_PEOPLE = (
    "女性|女童|女孩|女子|女病人|女患者|妇女|妇人|妇科|妇产|孕妇|孕产妇?|产妇|育龄妇?|产褥|经产|幼女|哺乳期|绝经|经绝期"
)
_MALE_PEOPLE = "男性|男童|男孩|男子|男科|男病人|男患者"
_FEMALE = (
    f"{_FEMALE_PEOPLE}|女(?![贞真])|妇|月经|痛经|行经(?![络脉])|经行|经期|经间期|经前期|经前综合征|经前(?=[情乳腹烦头紧])|经后(?=[腹出])|经来|闭经|经闭|停经|经血|经水|"
    "经量|经色|经漏|经少|经迟|调经|通经(?![络脉穴])|止带|带下(?![肢列一])|白带|赤带|崩漏|崩中|胞宫|宫寒|不孕(?!不育)|冲任|子宫|宫颈|宫腔|宫内|宫外孕|宫缩|胎[儿盘心膜动漏位元毛粪]|安胎|保胎|"
    "胎(?!盘(?:多肽|组织|片|脂|提取)|素|牛)|卵巢|卵泡|排卵|取卵|采卵|促卵|输卵管|附件炎|阴道|外阴|女阴|阴门|阴蒂|阴唇|阴痒|处女膜|前庭大腺|穹窿|盆腔炎|盆腔粘连|妊娠|怀孕|受孕|助孕|"
    "孕早期|孕期|早孕|[保养]孕|孕囊|羊水|羊膜(?!移植)|绒毛(?!状)|脐带|脐静脉穿刺|产后|产前|产程|分娩|接生|助产|难产|顺产|剖宫产|剖腹产|流产|引产|早产(?!儿|婴)|"
    "催产|催乳(?!素)|通乳|下乳|缺乳|少乳|乳汁|泌乳(?!素)|回乳|恶露|刮宫|节育环|宫内节育器|取环|上环|女性避孕|口服避孕|紧急避孕|避孕药|阔韧带|曼氏手术|唐氏综合症筛查|"
    "唐氏筛查|葡萄胎|子痫|手取胎盘|外倒转"
)
_MALE = (
    f"{_MALE_PEOPLE}|男|前列腺(?!素)|精囊|睾丸|附睾|阴茎|阴囊|包皮|包茎|龟头|精索|输精管|射精|精子|精液|精浆|弱精|少精|无精|死精|遗精|滑精|梦遗|早泄|"
    "阳痿|阳萎|勃起|举而不坚|隐睾|鞘膜积液|鞘膜(?=翻转)|精阜|球海绵体|海绵体|不射精|血精"
)
_WORDS: tuple[tuple[Sex, re.Pattern[str], re.Pattern[str]], ...] = (
    ("女", re.compile(_FEMALE_PEOPLE), re.compile(_FEMALE)),
    ("男", re.compile(_MALE_PEOPLE), re.compile(_MALE)),
)
_FORBIDS = re.compile(
    r"[^,;。]*(?:禁用|慎用|忌用|忌服|禁服|禁止|不得|不宜(?:使用|服用|接触)|不适用|(?<!于)不[能可](?:使?用|服用|接触|触摸)|不应|"
    r"不推荐|不建议|应?避免|切勿|除外|不包括|(?:没有|未)进行研究|配偶|性伴|伴侣|丈夫|妻子)[^,;。]*"
)
_EXPLICIT: tuple[tuple[Sex, re.Pattern[str]], ...] = (
    (
        "女",
        re.compile(
            "绝经后的?(?:女性|妇女)?|育龄期?(?:女性|妇女)|哺乳期妇女|女性患者|妇女|女性|女童|孕产?妇|产妇|妊娠期妇女"
        ),
    ),
    ("男", re.compile("男性患者|男性|男童|男子")),
)


def sex_of(*texts: str) -> Sex | None:
    """The sex the texts tell together, ``None`` where they tell none or both.

    The last text is the item's own name, which weighs more than a further use anybody may have of it.
    Words that name people ("女性", "男性") decide before organs and diseases: "男性患者的乳汁分泌" is about men.
    """
    text = _FORBIDS.sub("", "。".join(map(normalise, texts)))
    told = {sex for clause in _CLAUSE.split(text) for sex in _told(clause)}
    anybodys = not _told(normalise(texts[-1])) and (
        any(map(_anybodys, _SENTENCE.split(text))) or any(map(_also, _CLAUSE.split(text)))
    )
    return told.pop() if len(told) == 1 and not anybodys else None


_CLAUSE = re.compile(r"[,;。]|\d[.、)]")
_SENTENCE = re.compile("[;。]")
_ALSO = re.compile("(?:也|亦|还|又)可?(?:用于|治疗|适用于|使用)")
_USED_FOR = re.compile("(?:用于|治疗)$")
_CAUSED = re.compile("所致|引起|导致|[症证]见|[症证]候")
_LISTED = re.compile("[、,及和与或]")
_AMONG = re.compile("[、或及和与]$")
_LAST = re.compile("[及和与]$")
_TUMOURS = 2
_OF_THE_BODY = (14, 15, 18, 21)


def _told(clause: str) -> set[Sex]:
    """The sexes one clause tells: of the people it names, else of the organs and diseases."""
    people: set[Sex] = {sex for sex, who, _ in _WORDS if who.search(clause)}
    return people if len(people) == 1 else {sex for sex, _, words in _WORDS if words.search(clause)}


def _also(clause: str) -> bool:
    """Whether a clause adds a use and tells no sex in it ("也可用于头痛")."""
    return bool(_ALSO.search(clause)) and not _told(clause)


def _anybodys(sentence: str) -> bool:
    """Whether a sentence that names nobody ends its list of one sex's diseases with a disease anybody may have.

    A tumour counts wherever it stands in the list. Symptoms, states and diseases of kidney and bladder (chapters 14,
    15, 18, 21) may go with those of one sex.
    """
    if not _told(sentence) or any(who.search(sentence) for _, who, _ in _WORDS):
        return False
    others = [m for m in mentions(sentence) if m.disease.chapter not in _OF_THE_BODY and not _told(_said(sentence, m))]
    return any(
        (_AMONG if m.disease.chapter == _TUMOURS else _LAST).search(sentence[: m.start]) or _is_first(sentence, m)
        for m in others
    )


def _said(sentence: str, mention: Mention) -> str:
    return f"{mention.disease.name}、{sentence[mention.start : mention.end]}"


def _is_first(sentence: str, mention: Mention) -> bool:
    """Whether a disease opens the list of an item's uses, and not of what causes them ("用于气血不足，…引起的")."""
    return not _CAUSED.search(sentence) and bool(
        _USED_FOR.search(sentence[: mention.start]) and _LISTED.match(sentence, mention.end)
    )


def read_sex(reader: Reader) -> Sex | None:
    """Take the words for women or men out of a text and say whom it means; ``None`` where none, or both, are named."""
    named = {sex for sex, pattern in _EXPLICIT for _ in reader.takes(pattern)}
    return named.pop() if len(named) == 1 else None
