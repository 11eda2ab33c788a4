"""FactService over gRPC: streams of facts and of history. Good entries are kept, bad ones are named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message
from msgspec import Struct, field

from negative_list.errors import FieldProblem, LimitError, RequestError
from reminder import wire
from reminder.feeds import Feed
from reminder.rpc import Context, answered
from reminder.stores.base import Coverage, HistoryRecord, StoreError
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from reminder.memory import Memory, Written
    from reminder.service import Service

__all__ = ["MAX_ENTRIES", "MAX_REFUSED", "SERVICE", "add_facts"]

SERVICE = pb.DESCRIPTOR.services_by_name["FactService"].full_name
"""The name of the service."""

MAX_ENTRIES = 1000
"""Entries of one message; they are read a few at a time and written a hundred at a time."""

MAX_REFUSED = 100
"""Refused entries that are told; who sent a hundred wrong ones knows what to look at, and the rest is counted."""

M = TypeVar("M", bound=Message)
T = TypeVar("T")
_MAX_TEXT = 200
# Entries read until checks may go first: half a millisecond.
_PAUSE_EVERY = 4
# Entries of one transaction: while one is written, every read waits for its turn on the interpreter again and again.
_AT_ONCE = 100
_Stream: TypeAlias = AsyncIterator[bytes]


def add_facts(server: grpc.aio.Server, service: Service) -> None:
    """FactService."""
    face = _Facts(service)
    facts: grpc.RpcMethodHandler[bytes, pb.PutFactsResponse] = grpc.stream_unary_rpc_method_handler(
        face.put_facts, request_deserializer=None, response_serializer=pb.PutFactsResponse.SerializeToString
    )
    history: grpc.RpcMethodHandler[bytes, pb.PutHistoryResponse] = grpc.stream_unary_rpc_method_handler(
        face.put_history, request_deserializer=None, response_serializer=pb.PutHistoryResponse.SerializeToString
    )
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {"PutFacts": facts, "PutHistory": history}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))


class _Heard(Struct):
    """What became of a stream so far."""

    kind: str
    seen: int = 0
    stored: int = 0
    spooled: int = 0
    refused_count: int = 0
    refused: list[pb.Refused] = field(default_factory=list)

    def refuse(self, index: int, problem: FieldProblem) -> None:
        self.refused_count += 1
        if len(self.refused) < MAX_REFUSED:
            told = pb.Refused(index=index, field=problem.field[:_MAX_TEXT], message=problem.message[:_MAX_TEXT])
            self.refused.append(told)

    def took(self, count: int, written: Written) -> None:
        self.stored += count
        self.spooled += count if written.waits else 0


class _Facts:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def put_facts(self, stream: _Stream, context: Context) -> pb.PutFactsResponse:
        heard = await answered(self._service, context, self._all_facts(stream))
        return pb.PutFactsResponse(
            stored=heard.stored, spooled=heard.spooled, refused_count=heard.refused_count, refused=heard.refused
        )

    async def put_history(self, stream: _Stream, context: Context) -> pb.PutHistoryResponse:
        heard = await answered(self._service, context, self._all_history(stream))
        return pb.PutHistoryResponse(
            stored=heard.stored, spooled=heard.spooled, refused_count=heard.refused_count, refused=heard.refused
        )

    async def _all_facts(self, stream: _Stream) -> _Heard:
        memory, feed, heard = *self._feed(), _Heard(kind="facts")
        async for data in stream:
            for told in _parts(_message(data, pb.PutFactsRequest, heard).facts):
                facts = await self._read(told, lambda one: feed.fact(_fact_row(one)), heard)
                known = [fact for fact in facts if fact is not None]
                heard.stored += len(facts) - len(known)  # an unknown value tells nothing, and is no mistake
                if known:
                    heard.took(len(known), await memory.put_facts(known))
        return self._counted(heard)

    async def _all_history(self, stream: _Stream) -> _Heard:
        memory, feed, heard = *self._feed(), _Heard(kind="history")
        async for data in stream:
            for entries in _parts(_message(data, pb.PutHistoryRequest, heard).entries):
                await _put(memory, await self._read(entries, partial(_entry, feed), heard), heard)
        return self._counted(heard)

    async def _read(self, entries: Sequence[M], read: Callable[[M], T], heard: _Heard) -> list[T]:
        """Every good entry read; the bad ones are refused, each with its first wrong field.

        Checks go first between entries, and on beside a large one.
        """
        good, service = [], self._service
        for index, entry in enumerate(entries, heard.seen):
            try:
                good.append(await service.run(entry.ByteSize(), partial(read, entry)))
            except RequestError as error:
                heard.refuse(index, error.fields[0])
            if index % _PAUSE_EVERY == 0 and service.memory is not None:
                await service.memory.give_way()
        heard.seen += len(entries)
        return good

    def _feed(self) -> tuple[Memory, Feed]:
        service = self._service
        if service.memory is None:
            raise StoreError("gone", "this sidecar keeps no history")
        return service.memory, Feed(service.memory.keys, service.active.sites, service.now)

    def _counted(self, heard: _Heard) -> _Heard:
        self._service.fed(heard.kind, heard.stored, heard.refused_count)
        return heard


def _message(data: bytes, kind: type[Any], heard: _Heard) -> Any:
    """The next message of a stream; the error of one that cannot be used says what was kept before it."""
    read = wire.message_in(data, kind)
    entries = read.facts if isinstance(read, pb.PutFactsRequest) else read.entries
    if len(entries) > MAX_ENTRIES:
        message = (
            f"一条消息超过 {MAX_ENTRIES} 项 (over {MAX_ENTRIES:,} in one message); 请分条发送 (send more messages)"
        )
        raise LimitError([FieldProblem(field=f"entries[{heard.seen}:]", message=message)])
    return read


def _parts(entries: Sequence[M]) -> Iterator[Sequence[M]]:
    return (entries[first : first + _AT_ONCE] for first in range(0, len(entries), _AT_ONCE))


async def _put(memory: Memory, told: Sequence[_Entry], heard: _Heard) -> None:
    """Write what entries of history tell, in one transaction of each kind."""
    same = [pair for one in told for pair in one.same]
    if same:
        heard.took(sum(bool(one.same) for one in told), await memory.put_aliases(same))
    records = [record for one in told for record in one.records]
    coverage = [word for one in told for word in one.coverage]
    if records or coverage:
        count = sum(not one.same for one in told)
        heard.took(count, await memory.put_history(records, coverage))


def _fact_row(told: pb.Fact) -> dict[str, object]:
    """The row of a fact; what was not sent is left out."""
    texts = (
        "subject",
        "encounter_id",
        "fact",
        "unit",
        "valid_from",
        "expires",
        "source",
        "institution_id",
        "id_system",
    )
    row: dict[str, object] = {name: text for name in texts if (text := getattr(told, name))}
    return row | {"value": wire.value_in(told.value)}


class _Entry(Struct, frozen=True, kw_only=True):
    """What one entry of a stream of history tells."""

    records: tuple[HistoryRecord, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    same: tuple[tuple[str, str], ...] = ()


def _entry(feed: Feed, entry: pb.HistoryEntry) -> _Entry:
    kind = entry.WhichOneof("entry")
    if kind == "record":
        return _Entry(records=feed.records(_record_row(entry.record)))
    if kind == "coverage":
        return _Entry(coverage=(feed.coverage(_coverage_row(entry.coverage)),))
    if kind == "same_patient":
        return _Entry(same=feed.same_patient([_patient_row(one) for one in entry.same_patient.ids]))
    raise RequestError([FieldProblem(field="entry", message="nothing is told; set one of its kinds")])


def _record_row(record: pb.HistoryRecord) -> dict[str, object]:
    row: dict[str, object] = {
        "institution_id": record.institution_id,
        "record_id": record.record_id,
        "patient": _patient_row(record.patient),
        "source": record.source,
    }
    return row | ({"encounter": wire.encounter_body(record.encounter)} if record.HasField("encounter") else {})


def _coverage_row(coverage: pb.HistoryCoverage) -> dict[str, object]:
    row: dict[str, object] = {
        "institution_id": coverage.institution_id,
        "since": coverage.since,
        "complete": coverage.complete,
        "until": coverage.until,
    }
    return row | ({"patient": _patient_row(coverage.patient)} if coverage.HasField("patient") else {})


def _patient_row(patient: pb.PatientId) -> Mapping[str, object]:
    return {"id": patient.id, "id_system": patient.id_system}
