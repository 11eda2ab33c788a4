"""What a valid list still says that cannot be meant: ``negative-list check --deep``.

Validation looks at rules one by one; here they are set beside each other. Whatever is said here is certain: of two
conditions one is only said to imply, or to exclude, the other where that follows from what they are
(:mod:`negative_list.deep.implying`). Much that is so cannot be seen, so silence proves nothing.
"""

from __future__ import annotations

__all__: list[str] = []
