"""The national interface (两定接口) over HTTP: transactions 3101, 3102 and 3103 as hospitals' systems call them.

``transactions`` says which transaction a call is, ``face`` takes it, ``replies`` writes the answer of a check,
``feedback`` reads 3103.
"""

__all__: list[str] = []
