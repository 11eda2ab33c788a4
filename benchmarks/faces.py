"""The same prescription by 3101 over HTTP, by JSON over HTTP and by gRPC: processor time of the sidecar, and waiting.

``python -m benchmarks.faces [--details 20000] [--rounds 5] [--calls 2000]``. One sidecar, one journal, turn by turn in
one run; every call has a request id of its own and the body its face is used to: 3101 with the fields a HIS fills (some
30 a line), our JSON, the message. Processor time is user and system time of every process of the sidecar, less nothing.
Capacity is what 16 callers who never rest get through; the waiting is measured at half of that, by calls sent at times
fixed in advance, from those times on.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import msgspec
from msgspec import Struct

from benchmarks.serving import IN_FLIGHT, METHOD, served
from benchmarks.workers import Sidecar
from benchmarks.workload import make_workload
from negative_list.compile import canonical_lines, compile
from negative_list.generate import generate
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.faces import neutral

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["FACES", "Round", "bench_faces", "national_of"]

FACES = ("grpc", "3101", "json")
"""Turn by turn in this order, and back."""

_IDS = 10
_HTTP: Mapping[str, str] = {"3101": "/3101", "json": METHOD}
_INSURANCE = {"employee": "310", "resident": "390"}
_Call: TypeAlias = Callable[[bytes], Awaitable[bytes]]


class Round(Struct):
    """What one face made of one round."""

    per_s: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float


class _Bodies:
    """The workload as one face sends it, each body under an id of its own."""

    def __init__(self, face: str, bodies: Sequence[dict[str, Any]]) -> None:
        make = _MAKE[face]
        self._face = face
        self._made = [make(body | {"request_id": _ident("", 0)}) for body in bodies]
        self._count = 0

    def next(self) -> bytes:
        self._count += 1
        body = self._made[self._count % len(self._made)]
        return body.replace(_ident("", 0).encode(), _ident(self._face[0], self._count).encode(), 1)

    @property
    def size(self) -> int:
        """Bytes of a body in the middle."""
        return int(statistics.median(map(len, self._made)))


def _ident(face: str, number: int) -> str:
    return f"{face or 'x'}{number:0{_IDS}}"


def _message(body: dict[str, Any]) -> bytes:
    return request_of(body).SerializeToString()


def _national(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(national_of(body))


def national_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body of the workload as 3101, with the fields a HIS fills besides those that are looked at."""
    visit, told, institution = body["encounter"], neutral.national_of(body), body["institution_id"]
    data = told["input"]["data"]
    [person] = data["patient_dtos"]
    [encounter] = person["fsi_encounter_dtos"]
    diagnoses = zip(itertools.count(1), encounter["fsi_diagnose_dtos"], visit["diagnoses"], strict=False)
    orders = zip(encounter["fsi_order_dtos"], visit["lines"], strict=True)
    encounter |= _FILLED["encounter"] | {
        "medins_id": institution,
        "adm_dept_codg": visit.get("department_code", ""),
        "insutype": _INSURANCE[visit["insurance"][0]],
        "fsi_diagnose_dtos": [each | _diagnosis(place, own["main"]) for place, each, own in diagnoses],
        "fsi_order_dtos": [each | _order(line) for each, line in orders],
    }
    if "maternity" in visit["insurance"]:
        encounter["med_type"] = "52"
    person |= _FILLED["patient"]
    data |= _FILLED["data"]
    return told | _FILLED["envelope"] | {"msgid": body["request_id"], "fixmedins_code": institution}


def _diagnosis(place: int, main: bool) -> dict[str, Any]:
    told = {"dise_id": f"Z{place}", "maindise_flag": "1" if main else "0", "dias_srt_no": str(place)}
    return _FILLED["diagnosis"] | told


def _order(line: Mapping[str, Any]) -> dict[str, Any]:
    told = {"rxno": line["rx_no"], "hosplist_name": line["name"], "hilist_pric": line["unit_price_fen"] / 100}
    return _FILLED["order"] | told


_FILLED: Mapping[str, dict[str, Any]] = {
    "envelope": {
        "mdtrtarea_admvs": "430100",
        "insuplc_admdvs": "430100",
        "recer_sys_code": "HIS",
        "infver": "V1.0",
        "opter_type": "1",
        "opter": "D430100000001",
        "opter_name": "",
        "fixmedins_name": "测试医院",
    },
    "data": {"syscode": "HIS", "task_id": ""},
    "patient": {"patn_name": "", "poolarea": "430100", "fsi_his_data_dto": []},
    "encounter": {
        "medins_name": "测试医院",
        "medins_admdvs": "430100",
        "medins_type": "A1",
        "dr_codg": "D430100000001",
        **dict.fromkeys(("wardarea_codg", "wardno", "bedno", "dscg_date", "dscg_main_dise_codg"), ""),
        **dict.fromkeys(("dscg_main_dise_name", "adm_dept_name", "med_mdtrt_type"), ""),
        **dict.fromkeys(("medfee_sumamt", "ownpay_amt", "selfpay_amt"), 0),
        "matn_stas": "0",
        "reim_flag": "1",
        "out_setl_flag": "0",
    },
    "diagnosis": {"inout_dise_type": "1", "dise_date": "2026-05-01 00:00:00"},
    "order": {
        "long_drord_flag": "0",
        "drord_bhvr": "0",
        "drord_dr_codg": "D430100000001",
        **dict.fromkeys(("grpno", "hilist_type", "chrg_type", "hilist_dosform", "hilist_lv", "hosplist_code"), ""),
        **dict.fromkeys(("hosplist_dosform", "spec", "drord_stop_date", "drord_dept_codg", "drord_dept_name"), ""),
        **dict.fromkeys(("drord_dr_name", "drord_dr_profttl"), ""),
        **dict.fromkeys(("ownpay_amt", "selfpay_amt"), 0),
    },
}
"""What stands in these fields, as most systems send them."""

_MAKE: Mapping[str, Callable[[dict[str, Any]], bytes]] = {
    "grpc": _message,
    "3101": _national,
    "json": msgspec.json.encode,
}


# --- the callers ------------------------------------------------------------------------------------------------------


class _Connection:
    """One kept-alive connection; the client's own work is next to nothing."""

    def __init__(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._head = f"POST {path} HTTP/1.1\r\nHost: sidecar\r\nContent-Type: application/json\r\nContent-Length: "
        self._reader = reader
        self._writer = writer

    async def __call__(self, body: bytes) -> bytes:
        self._writer.write(self._head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(row[16:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length: "))
        return await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def _callers(face: str, addresses: Mapping[str, str], count: int) -> AsyncIterator[list[_Call]]:
    """So many callers of a face, each with a connection of its own."""
    async with AsyncExitStack() as stack:
        calls: list[_Call] = []
        for _ in range(count):
            if face == "grpc":
                options = [("grpc.use_local_subchannel_pool", 1)]
                channel = await stack.enter_async_context(grpc.aio.insecure_channel(addresses["grpc"], options=options))
                calls.append(channel.unary_unary(METHOD))  # type: ignore[arg-type]  # an awaitable call
                continue
            host, _, port = addresses["http"].rpartition(":")
            connection = _Connection(_HTTP[face], *await asyncio.open_connection(host, int(port)))
            stack.callback(connection.close)
            calls.append(connection)
        yield calls


async def _saturated(calls: Sequence[_Call], bodies: _Bodies, count: int) -> float:
    """Calls a second of callers who never rest."""
    numbers = iter(range(count))

    async def run(call: _Call) -> None:
        for _ in numbers:
            await call(bodies.next())

    begun = time.perf_counter()
    await asyncio.gather(*map(run, calls))
    return count / (time.perf_counter() - begun)


async def _paced(calls: Sequence[_Call], bodies: _Bodies, count: int, per_s: float) -> list[float]:
    """Milliseconds from when each call was due, of calls due at a steady pace."""
    times: list[float] = []
    free: asyncio.Queue[_Call] = asyncio.Queue()
    for call in calls:
        free.put_nowait(call)
    begun = time.perf_counter()

    async def run(number: int) -> None:
        due = begun + number / per_s
        await asyncio.sleep(due - time.perf_counter())
        call = await free.get()
        await call(bodies.next())
        times.append((time.perf_counter() - due) * 1000)
        free.put_nowait(call)

    await asyncio.gather(*(run(number) for number in range(count)))
    return sorted(times)


async def _round(face: str, addresses: Mapping[str, str], sidecar: Sidecar, bodies: _Bodies, count: int) -> Round:
    async with _callers(face, addresses, IN_FLIGHT) as calls:
        await calls[0](bodies.next())
        per_s = await _saturated(calls, bodies, count)
        before = sidecar.cpu_s()
        times = await _paced(calls, bodies, count, per_s / 2)
        cpu_ms = (sidecar.cpu_s() - before) / count * 1000
    return Round(
        per_s=per_s, cpu_ms=cpu_ms, p50_ms=times[len(times) // 2], p99_ms=times[min(int(len(times) * 0.99), count - 1)]
    )


async def bench_faces(list_path: Path, bodies: Sequence[dict[str, Any]], rounds: int, calls: int) -> dict[str, Any]:
    """What each face costs, and what 3101 costs against gRPC, by the median of the rounds' ratios."""
    made = {face: _Bodies(face, bodies) for face in FACES}
    seen: dict[str, list[Round]] = {face: [] for face in FACES}
    async with served(list_path) as (target, process, entry):
        addresses = {"grpc": target, "http": str(entry["http"])}
        sidecar = Sidecar(target, process.pid)
        async with _callers("grpc", addresses, IN_FLIGHT) as first:  # a rule is bound when it is first asked about
            await _saturated(first, made["grpc"], len(bodies))
        agreeing = await _agreeing(addresses, made)
        for turn in range(rounds):
            for face in FACES if turn % 2 else reversed(FACES):
                seen[face].append(await _round(face, addresses, sidecar, made[face], calls))
    faces = {face: _figures(rows) | {"body_bytes": made[face].size} for face, rows in seen.items()}
    return {"faces": faces, "against_grpc": {f: _against(seen[f], seen["grpc"]) for f in _HTTP}, "agreeing": agreeing}


async def _agreeing(addresses: Mapping[str, str], made: Mapping[str, _Bodies]) -> float:
    """What part of the workload has the same decision on every face: else the faces would do different work."""
    same = 0
    for _ in range(200):
        same += len({await _decision(face, addresses, made[face]) for face in FACES}) == 1
    return same / 200


async def _decision(face: str, addresses: Mapping[str, str], bodies: _Bodies) -> str:
    async with _callers(face, addresses, 1) as (call,):
        answer = await call(bodies.next())
    if face == "grpc":
        return pb.Action.Name(pb.CheckResponse.FromString(answer).decision).removeprefix("ACTION_").lower()
    told = json.loads(answer)
    return str(told["decision"] if face == "json" else told["output"]["decision"])


def _figures(rows: Sequence[Round]) -> dict[str, float]:
    names = Round.__struct_fields__
    return {name: round(statistics.median(getattr(row, name) for row in rows), 3) for name in names}


def _against(rows: Sequence[Round], others: Sequence[Round]) -> dict[str, float]:
    """Ratios, round by round: processor time a call, p99 at half of each face's own capacity."""
    pairs = list(zip(rows, others, strict=True))
    return {
        "cpu": round(statistics.median(one.cpu_ms / other.cpu_ms for one, other in pairs), 2),
        "p99": round(statistics.median(one.p99_ms / other.p99_ms for one, other in pairs), 2),
    }


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--details", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=2_000)
    given = parser.parse_args()
    rules = generate(given.details, 1)
    bodies = [msgspec.to_builtins(body) for body in make_workload(compile(rules)).bodies]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "list.jsonl"
        file.write_bytes(b"".join(canonical_lines(rules)))
        figures = asyncio.run(bench_faces(file, bodies, given.rounds, given.calls))
    print(json.dumps({"details": given.details} | figures, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
