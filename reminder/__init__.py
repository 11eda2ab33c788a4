"""The service: bytes, time and configuration around the pure ``negative_list``."""

__all__: list[str] = []
