"""What every face says of a body: whose it is, and in Chinese what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from negative_list.errors import FieldProblem

__all__ = ["FAILED", "chinese", "is_national"]

FAILED = "审核失败 (the check failed inside the sidecar); 请联系信息科 (see its log)"
"""What a caller is told when the fault is ours."""


def chinese(problem: FieldProblem) -> str:
    """The Chinese sentence that names the field; details stay in the problem's own words."""
    return f"请求中的字段 {problem.field} 无法使用，请修改后重发：{problem.message}"


def is_national(body: dict[str, Any]) -> bool:
    """Whether a body is one of the national interface, as :func:`negative_list.readers.read_body` tells them apart."""
    return "input" in body or "infno" in body
