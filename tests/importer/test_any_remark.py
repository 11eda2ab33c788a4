"""Whatever a remark says, importing it does not fail, and what comes out is a valid list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from negative_list.classes import class_name
from negative_list.compile import canonical_lines
from negative_list.importer import import_points
from negative_list.importer.families import FAMILIES
from negative_list.parse import read_parsed
from negative_list.validate import validate

if TYPE_CHECKING:
    import pytest

_PIECES = """
限 仅限 需 儿童 成人 青少年 新生儿 婴幼儿 3岁 12岁 6个月 28天 及以上 以下 未满 不超过
不低于 ≥ < - 至 和 或 及 、 ， 。 ； ： （ ） 1. 2. 3. ① 2型糖尿病 肺癌 高血压
肝功能不全 严重肝功能不全 血友病 患者 的 除外 不包括 二级 三级 及以上医疗机构 住院 急诊 门诊
不予支付 支付 14天 单次 每周 最多 两次 间隔 发病 48小时内 营养风险筛查 治疗失败 不耐受 二线用药
转移性 晚期 一线治疗 男性 女性 绝经后 工伤保险 生育保险 抢救 BMI≥25 白蛋白低于30g/L
同时符合以下条件 以下情况 EGFR突变 停药 十二 半 0 999999
"""

_POINT = st.fixed_dictionaries(
    {
        "kp_id": st.just("KP-1"),
        "rule_class": st.sampled_from(sorted(FAMILIES)).map(class_name),
        "item_name": st.sampled_from(["某某片", "小儿某某颗粒", "新生儿某某", "甲×乙"]),
        "med_codes": st.just(["XA01BCD001A001010101467", "XA01BCD001A001010101468"]),
        "constraint": st.lists(st.sampled_from(_PIECES.split()), max_size=14).map("".join) | st.text(max_size=40),
        "batch_tag": st.just("batch_18"),
        "window": st.sampled_from([None, "单日", "6小时", "别的"]),
        "limit": st.sampled_from([None, 1, 24]),
        "unit": st.sampled_from([None, "日", "小时", "别的"]),
        "period_days": st.sampled_from([None, 7]),
    }
)


@given(point=_POINT)
def test_any_remark_is_a_valid_list_or_needs_review(
    tmp_path_factory: pytest.TempPathFactory, point: dict[str, Any]
) -> None:
    """A point either becomes valid rules, or needs review and says why."""
    imported = import_points([point])
    entry = imported.report[0]
    assert (entry.status == "needs-review") == (entry.rule_ids == ())
    assert bool(entry.reason) == (entry.status == "needs-review")
    if entry.rule_ids:
        path = tmp_path_factory.getbasetemp() / "any.jsonl"
        path.write_bytes(b"".join(canonical_lines(imported.rule_list)))
        parsed = read_parsed(path)
        assert (parsed.problems, validate(parsed)) == ((), ())
