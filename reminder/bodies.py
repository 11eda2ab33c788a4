"""What every face says of a body: whose it is, and in Chinese what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list.errors import FieldProblem
from negative_list.readers.dialects import is_national

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FAILED", "NOT_KEPT", "OURS", "chinese", "inside", "is_national"]

OURS = "sidecar"
"""The field of a problem that is none of the body's: there is nothing in it to mend."""

FAILED = "审核失败 (the check failed inside the sidecar); 请联系信息科 (see its log)"
"""What a caller is told when the fault is ours."""

NOT_KEPT = "未能保存 (neither the store nor the disk could take it); 请稍后重发 (send it again later)"
"""What a caller is told when what was to be remembered could not be written anywhere."""


def inside(name: str, fields: Iterable[FieldProblem]) -> list[FieldProblem]:
    """The problems of a body that stands inside another one, under ``name``."""
    return [FieldProblem(field=f"{name}.{each.field}", message=each.message) for each in fields]


def chinese(problem: FieldProblem) -> str:
    """The Chinese sentence that names the field, and the problem's own words; these alone where nothing is to mend."""
    if problem.field == OURS:
        return problem.message
    return f"请求中的字段 {problem.field} 无法使用，请修改后重发：{problem.message}"
