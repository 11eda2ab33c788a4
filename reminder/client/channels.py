"""How a client is connected: fast to see that a sidecar is gone, and fast to see it again."""

from __future__ import annotations

from negative_list.readers.body import MAX_BYTES

__all__ = ["DEADLINE_MS", "DEFAULT_TARGET", "OPTIONS", "TRY_PART", "WATCHING"]

DEFAULT_TARGET = "127.0.0.1:50051"
"""Where a sidecar listens to callers unless told otherwise."""

DEADLINE_MS = 300.0
"""What a prescription waits for its check at most: longer is felt, and an answer takes some milliseconds."""

TRY_PART = 2 / 3
"""What part of its time telling a word takes at most; the rest is for writing it down where that failed."""

OPTIONS: list[tuple[str, int]] = [
    # A proxy set for the internet does not know the hospital's machines.
    ("grpc.enable_http_proxy", 0),
    # 20,000 lines with a finding each answer with more than the 4 MiB of the default.
    ("grpc.max_receive_message_length", 8 * MAX_BYTES),
]
"""How a call finds its way."""

_AGAIN_MS, _AT_MOST_MS, _PING_MS = 100, 1_000, 20_000
WATCHING = [
    *OPTIONS,
    # Unless told otherwise gRPC waits a second before it tries again, then up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", _AGAIN_MS),
    ("grpc.min_reconnect_backoff_ms", _AT_MOST_MS),
    ("grpc.max_reconnect_backoff_ms", _AT_MOST_MS),
    # A machine that lost its power says no goodbye, and firewalls forget connections nobody uses.
    ("grpc.keepalive_time_ms", _PING_MS),
    ("grpc.keepalive_timeout_ms", _PING_MS // 2),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Two clients of a process must not share a connection, for one may be closed.
    ("grpc.use_local_subchannel_pool", 1),
]
"""The same for one that stays."""
