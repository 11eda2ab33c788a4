"""The disease table covers ICD-10, and its names are found in texts."""

from __future__ import annotations

from collections import Counter

import pytest

from negative_list.codes import expand_ranges
from negative_list.diseases import disease, diseases, mentions
from negative_list.text import normalise


def test_the_table_covers_every_chapter() -> None:
    """There are 800 rows or more, and some in every chapter of ICD-10 but the external causes of chapter 20."""
    chapters = Counter(row.chapter for row in diseases())
    assert len(diseases()) >= 800
    assert {n for n in range(1, 23) if chapters[n] >= 10} >= set(range(1, 22)) - {20}


def test_every_row_has_codes_of_the_right_form() -> None:
    """Every row has codes, and each is a category, a code or a range that runs forward, as rules may name them."""
    assert [row.name for row in diseases() if not row.codes] == []
    for row in diseases():
        assert expand_ranges(row.codes)


def test_no_name_stands_twice() -> None:
    """No name or synonym is given to two diseases, or twice to one."""
    names = Counter(normalise(term) for row in diseases() for term in row.terms)
    assert [name for name, count in names.items() if count > 1 or not name] == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("限转移性非小细胞肺癌(nsclc)患者", ["非小细胞肺癌"]),
        ("广泛期小细胞肺癌", ["小细胞肺癌"]),
        ("2型糖尿病伴高血压", ["2型糖尿病", "高血压"]),
        ("没有疾病的文字", []),
    ],
)
def test_the_longest_name_is_found(text: str, names: list[str]) -> None:
    """A text's diseases are read leftmost and longest, and a name inside another one is not read."""
    assert [m.disease.name for m in mentions(normalise(text))] == names


def test_a_disease_is_looked_up_by_any_name() -> None:
    """Abbreviations and older names lead to the same row."""
    assert disease("COPD") is not None
    assert disease("copd") == disease("慢性阻塞性肺疾病")
    assert disease("不存在的病") is None


_FILED = """
肺结核 A15 | 霍乱 A00 | 细菌性痢疾 A03 | 猩红热 A38 | 梅毒 A53 | 带状疱疹 B02 |
手足口病 B08.4 | 慢性乙型肝炎 B18 | 艾滋病 B20 | 疟疾 B54 | 包虫病 B67 | 疥疮
B86 | 胃癌 C16 | 直肠癌 C20 | 胰腺癌 C25 | 黑色素瘤 C43 | 宫颈癌 C53 | 卵巢癌
C56 | 肾癌 C64 | 胶质母细胞瘤 C71 | 霍奇金淋巴瘤 C81 | 多发性骨髓瘤 C90 | 子宫肌瘤
D25 | 骨髓增生异常综合征 D46 | 鼻咽癌 C11 | 缺铁性贫血 D50 | 地中海贫血 D56 |
甲型血友病 D66 | 原发免疫性血小板减少症 D69 | 弥散性血管内凝血 D65 | 甲状腺功能减退症 E03 |
1型糖尿病 E10 | 糖尿病 E14 | 库欣综合征 E24 | 高脂血症 E78 | 高尿酸血症 E79 | 戈谢病
E75 | 维生素D缺乏 E55 | 营养不良 E46 | 精神分裂症 F20 | 抑郁症 F32 | 强迫症 F42
| 神经性厌食症 F50 | 注意缺陷多动障碍 F90 | 阿尔茨海默病 G30 | 多发性硬化 G35 | 偏头痛
G43 | 面神经麻痹 G51 | 脑性瘫痪 G80 | 吉兰-巴雷综合征 G61 | 睡眠呼吸暂停综合征 G47 |
角膜炎 H16 | 青光眼 H40 | 年龄相关性黄斑变性 H35 | 近视 H52 | 梅尼埃病 H81 | 葡萄膜炎
H20 | 心绞痛 I20 | 冠心病 I25 | 肺动脉高压 I27 | 心力衰竭 I50 | 脑梗死 I63 |
下肢静脉曲张 I83 | 心肌炎 I40 | 动脉粥样硬化 I70 | 流行性感冒 J11 | 支气管扩张症 J47 |
哮喘 J45 | 特发性肺纤维化 J84 | 慢性鼻窦炎 J32 | 气胸 J93 | 十二指肠溃疡 K26 |
克罗恩病 K50 | 便秘 K59 | 脂肪肝 K76 | 急性胰腺炎 K85 | 阑尾炎 K37 | 胃食管反流病
K21 | 龋齿 K02 | 银屑病 L40 | 湿疹 L30 | 斑秃 L63 | 压疮 L89 | 类风湿关节炎
M06 | 骨关节炎 M19 | 强直性脊柱炎 M45 | 腰椎间盘突出症 M51 | 骨髓炎 M86 | 肾病综合征
N04 | 急性肾损伤 N17 | 尿路感染 N39 | 勃起功能障碍 N48 | 盆腔炎 N73 | 多囊卵巢综合征
E28 | 月经不调 N92 | IgA肾病 N02 | 子痫前期 O14 | 产后出血 O72 | 妊娠期糖尿病
O24 | 新生儿呼吸窘迫综合征 P22 | 新生儿败血症 P36 | 新生儿窒息 P21 | 唇裂 Q36 | 隐睾
Q53 | 结节性硬化症 Q85 | 发热 R50 | 腹痛 R10 | 恶病质 R64 | 吞咽困难 R13 | 烧伤
T30 | 脑外伤 S06 | 有机磷中毒 T60 | 过敏性休克 T78 | 化疗 Z51 | 新型冠状病毒感染
U07
"""


def test_common_diseases_are_filed_where_hospitals_file_them() -> None:
    """The codes of a common disease hold its usual category."""
    rows = [entry.split() for entry in _FILED.replace("\n", " ").split("|")]
    found = {name: disease(name) for name, _ in rows}
    assert [name for name, row in found.items() if row is None] == []
    assert [name for name, code in rows if not any(_holds(c, code) for c in getattr(found[name], "codes", ()))] == []


def _holds(category: str, code: str) -> bool:
    """Whether a category, code or range has the code."""
    first, _, last = category.partition("-")
    return (
        first <= code[: len(first)] <= last[: len(first)] if last else code.startswith(first) or first.startswith(code)
    )
