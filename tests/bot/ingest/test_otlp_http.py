"""`POST /v1/traces`: what is answered, and what is stored."""

import asyncio
import gzip
import io
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from memalign.records import Json, Trace, Verdict
from tests.bot.ingest.otlp import TestSpan, as_json, as_protobuf, json_span, trace_id
from tests.bot.ingest.trace_server import TraceServer, trace_server
from tests.storage.records import verdict

PROTOBUF, JSON = "application/x-protobuf", "application/json"
QUESTION, ANSWER = {"input.value": "Where is my parcel?"}, {"output.value": "Ask the post."}


@dataclass(slots=True)
class Clock:
    """A clock that the test moves."""

    ms: int = 1_790_000_000_000

    def __call__(self) -> int:
        return self.ms

    def wait(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@dataclass(slots=True, kw_only=True)
class SpanServer:
    """The server, a clock, and what a sender and a reader do."""

    server: TraceServer
    clock: Clock = field(default_factory=Clock)

    async def send(
        self, body: bytes, kind: str = PROTOBUF, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """POST to `/v1/traces`: status, body and headers of the answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.server.server.url}/v1/traces",
                data=io.BytesIO(body),
                headers={"Content-Type": kind, **headers},
            ) as answer,
        ):
            return answer.status, await answer.read(), dict(answer.headers)

    async def spans(self, *spans: TestSpan) -> None:
        """Send spans that are all taken."""
        assert (await self.send(as_protobuf(spans)))[:2] == (200, b"")

    async def rest(self, seconds: float = 11) -> None:
        """Let time pass, and finish what is due."""
        self.clock.wait(seconds)
        while await self.server.assembly.finish_due():
            pass

    async def trace(self, word: str) -> Trace | None:
        return await self.server.database.traces.get(trace_id(word))

    async def judge_all(self) -> None:
        """Store a verdict for each job."""
        for job in await self.server.database.traces.next_jobs(self.clock.ms, 100):
            assert await self.server.database.verdicts.keep(
                verdict(job.trace_id, job.judge), channel="C1", judged_ms=self.clock.ms, day="2026-11-20"
            )

    async def keep(self, given: Verdict, seen: Trace | None) -> bool:
        """Store a verdict on a trace as the judge saw it."""
        return await self.server.database.verdicts.keep(
            given, channel="C1", judged_ms=self.clock.ms, day="2026-11-20", judged_trace=seen
        )

    async def open(self) -> int:
        return await self.server.database.open_traces.count()


@asynccontextmanager
async def span_server(folder: Path, **sections: Json) -> AsyncIterator[SpanServer]:
    clock = Clock()
    async with trace_server(
        folder, clock=clock, **{"sampling": {"rate": 1.0, "spread": False}, **sections}
    ) as server:
        yield SpanServer(server=server, clock=clock)


def root(trace: str = "t", **attributes: Json) -> TestSpan:
    return TestSpan(trace=trace, name="answer", attributes={**QUESTION, **ANSWER, **attributes})


def child(trace: str = "t", name: str = "look up", **attributes: Json) -> TestSpan:
    return TestSpan(trace=trace, name=name, parent="answer", attributes=attributes)


@pytest.mark.parametrize(("form", "kind"), [(as_protobuf, PROTOBUF), (as_json, JSON)])
async def test_a_trace_of_one_request_is_judged_once_it_has_rested(
    tmp_path: Path, form: Callable[..., bytes], kind: str
) -> None:
    async with span_server(tmp_path) as bot:
        status, _, headers = await bot.send(form([child(), root()]), kind)
        assert (status, headers["Content-Type"].split(";")[0]) == (200, kind)
        await bot.rest(9)
        assert await bot.trace("t") is None
        await bot.rest(2)
        trace = await bot.trace("t")
        assert trace is not None
        assert (trace.inputs, trace.outputs) == ("Where is my parcel?", "Ask the post.")
        assert [span["name"] for span in trace.spans] == ["look up", "answer"] or len(trace.spans) == 2
        assert trace.metadata["service"] == "shop"
        assert await bot.server.database.traces.waiting() == 1
        assert await bot.open() == 0


async def test_answers_are_in_the_form_of_the_request(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        assert (await bot.send(as_json([root()]), JSON))[:2] == (200, b"{}")
        assert (await bot.send(as_protobuf([root()])))[:2] == (200, b"")
        status, body, _ = await bot.send(b"\xff\xff\xff")
        assert (status, "protobuf" in Status.FromString(body).message) == (400, True)
        status, body, _ = await bot.send(b'{"resourceSpans": ', JSON)
        assert (status, "not JSON" in json.loads(body)["message"]) == (400, True)
        assert (await bot.send(b"[]", JSON))[0] == 400
        assert (await bot.send(b"<spans/>", "text/xml"))[0] == 415
        assert (await bot.send(b"", PROTOBUF))[0] == 200
        assert (await bot.send(b"{}", JSON))[0] == 200


async def test_spans_come_in_pieces_and_in_any_order(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(child(name="one"))
        await bot.rest(200)
        assert await bot.open() == 1
        await bot.spans(root())
        await bot.rest(9)
        await bot.spans(child(name="two"))
        await bot.rest(9)
        assert await bot.trace("t") is None
        await bot.rest(2)
        trace = await bot.trace("t")
        assert trace is not None
        assert {span["name"] for span in trace.spans} == {"one", "answer", "two"}


async def test_a_trace_without_a_root_is_finished_after_a_longer_rest(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(child(**QUESTION, **ANSWER))
        await bot.rest(299)
        assert await bot.trace("t") is None
        await bot.rest(2)
        assert (await bot.trace("t")) is not None


async def test_a_trace_that_never_rests_is_finished_after_an_hour(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(root())
        for number in range(3600 // 8):
            await bot.spans(child(name=f"step {number}"))
            await bot.rest(8)
        assert await bot.trace("t") is not None


async def test_late_spans_are_added_until_the_trace_is_judged(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(root())
        await bot.rest()
        await bot.spans(child())
        await bot.rest()
        trace = await bot.trace("t")
        assert trace is not None
        assert {span["name"] for span in trace.spans} == {"answer", "look up"}
        assert (trace.inputs, trace.outputs) == ("Where is my parcel?", "Ask the post.")
        await bot.judge_all()
        await bot.spans(child(name="too late"))
        await bot.rest(400)
        assert await bot.trace("t") == trace
        assert 'memalign_spans{result="late"} 1.0' in (await bot.server.get("/metrics"))[1]


async def test_late_spans_that_come_while_a_judge_is_asked_make_it_judge_again(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(root())
        await bot.rest()
        seen = await bot.trace("t")
        await bot.spans(child())
        await bot.rest()
        (job,) = await bot.server.database.traces.next_jobs(bot.clock.ms, 100)
        given = verdict(job.trace_id, job.judge)
        assert not await bot.keep(given, seen)
        assert await bot.server.database.traces.waiting() == 1
        assert await bot.keep(given, await bot.trace("t"))
        assert await bot.server.database.traces.waiting() == 0


async def test_late_spans_that_rest_after_the_verdict_are_left_out_of_what_was_judged(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(root())
        await bot.rest()
        seen = await bot.trace("t")
        await bot.spans(child())
        await bot.judge_all()
        await bot.rest()
        assert (await bot.trace("t"), await bot.open()) == (seen, 0)


async def test_the_same_spans_again_change_nothing(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        for _ in range(3):
            await bot.spans(root(), child())
        assert await bot.open() == 1
        await bot.rest()
        await bot.spans(root(), child())
        await bot.rest()
        trace = await bot.trace("t")
        assert trace is not None
        assert len(trace.spans) == 2
        assert await bot.server.database.traces.waiting() == 1


async def test_a_span_that_cannot_be_read_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    good = json_span(root())
    bad: list[Json] = [
        {**json_span(child()), "traceId": "xyz"},
        {**json_span(child()), "traceId": "0" * 32},
        {**json_span(child()), "spanId": ""},
        "no span",
        {**json_span(child()), "name": "half \ud83d"},
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [*bad, good]}]}]}).encode()
    async with span_server(tmp_path) as bot:
        status, answer, _ = await bot.send(body, JSON)
        partial = json.loads(answer)["partialSuccess"]
        assert (status, partial["rejectedSpans"]) == (200, "5")
        assert "trace id" in partial["errorMessage"]
        await bot.rest()
        assert await bot.trace("t") is not None


async def test_a_text_in_protobuf_that_is_not_utf_8_rejects_its_span_alone(tmp_path: Path) -> None:
    body = as_protobuf([TestSpan(trace="bad", name="XXXX"), root()]).replace(b"XXXX", b"\xff\xfeXX")
    async with span_server(tmp_path) as bot:
        status, answer, _ = await bot.send(body)
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
        assert (status, partial.rejected_spans) == (200, 1)
        assert "UTF-8" in partial.error_message
        await bot.rest()
        assert await bot.trace("t") is not None


async def test_snake_case_and_numbers_as_numbers_are_read(tmp_path: Path) -> None:
    span = {
        "trace_id": trace_id("t").upper(),
        "span_id": "00f067aa0ba902b7",
        "name": "chat",
        "start_time_unix_nano": 1_790_000_000_000_000_000,
        "end_time_unix_nano": "1790000001000000000",
        "attributes": [
            {"key": "input.value", "value": {"string_value": "Hi?"}},
            {"key": "output.value", "value": {"string_value": "Yes."}},
            {"key": "gen_ai.usage.input_tokens", "value": {"int_value": 3}},
            {"key": "tags", "value": {"array_value": {"values": [{"string_value": "a"}]}}},
        ],
    }
    body = json.dumps({"resource_spans": [{"scope_spans": [{"spans": [span]}]}]}).encode()
    async with span_server(tmp_path) as bot:
        assert (await bot.send(body, "application/json; charset=utf-8"))[0] == 200
        await bot.rest()
        trace = await bot.trace("t")
        assert trace is not None
        assert (trace.inputs, trace.outputs, trace.spans[0]["ms"]) == ("Hi?", "Yes.", 1000)
        assert trace.spans[0]["attributes"] == {"gen_ai.usage.input_tokens": 3, "tags": ["a"]}


async def test_the_limit_of_a_body_counts_what_gzip_unpacks(tmp_path: Path) -> None:
    async with span_server(tmp_path, ingest={"port": 0, "max_body_mb": 0.1}) as bot:
        packed = gzip.compress(as_protobuf([root()]))
        assert (await bot.send(packed, **{"Content-Encoding": "gzip"}))[0] == 200
        bomb = gzip.compress(as_protobuf([root(filler="x" * 200_000)]))
        assert len(bomb) < 2_000
        status, body, _ = await bot.send(bomb, **{"Content-Encoding": "gzip"})
        assert (status, "larger than" in Status.FromString(body).message) == (413, True)
        assert (await bot.send(b"no gzip", **{"Content-Encoding": "gzip"}))[0] == 400


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
    ids=[
        "gzip",
        "upper case",
        "its other name",
        "two members",
        "deflate",
        "deflate without a header",
        "plain",
    ],
)
async def test_compressed_bodies_are_taken(
    tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    async with span_server(tmp_path) as bot:
        body = pack(as_protobuf([root()]))
        assert (await bot.send(body, **{"Content-Encoding": encoding}))[:2] == (200, b"")
        assert await bot.open() == 1


@pytest.mark.parametrize("encoding", ["zstd", "br", "snappy", "gzip, gzip"])
async def test_other_encodings_are_refused_in_the_form_of_the_request(tmp_path: Path, encoding: str) -> None:
    async with span_server(tmp_path) as bot:
        status, body, headers = await bot.send(b"x", **{"Content-Encoding": encoding})
        assert (status, headers["Content-Type"]) == (415, PROTOBUF)
        assert "gzip or deflate" in Status.FromString(body).message


async def test_a_bomb_is_unpacked_up_to_the_limit_alone(tmp_path: Path) -> None:
    packer, zeros = zlib.compressobj(1, wbits=31), bytes(2**20)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(600)), packer.flush()])
    async with span_server(tmp_path) as bot:
        began = time.process_time()
        assert (await bot.send(bomb, **{"Content-Encoding": "gzip"}))[0] == 413
        refused = time.process_time()
        unpack_all(bomb)
        assert refused - began < (time.process_time() - refused) / 2


def unpack_all(packed: bytes) -> None:
    stream = zlib.decompressobj(wbits=31)
    while packed:
        stream.decompress(packed, 2**20)
        packed = stream.unconsumed_tail


@pytest.mark.parametrize(
    "body",
    [
        {"resourceSpans": None},
        {"resourceSpans": [None, {"scopeSpans": None}, {"scopeSpans": [{"spans": None}]}]},
        {"resourceSpans": [], "a field of tomorrow": {"x": 1}},
    ],
)
async def test_an_export_without_spans_is_taken(tmp_path: Path, body: Json) -> None:
    async with span_server(tmp_path) as bot:
        assert (await bot.send(json.dumps(body).encode(), JSON))[:2] == (200, b"{}")


@pytest.mark.parametrize("body", ["null", "[]", "7", '{"resourceSpans": {}}', '{"resourceSpans": "x"}', ""])
async def test_what_is_no_export_is_400(tmp_path: Path, body: str) -> None:
    async with span_server(tmp_path) as bot:
        status, answer, headers = await bot.send(body.encode(), JSON)
        assert (status, headers["Content-Type"].split(";")[0]) == (400, JSON)
        assert json.loads(answer)["message"]


async def test_fields_of_tomorrow_ids_in_capitals_and_names_of_enumerations_are_read(tmp_path: Path) -> None:
    span = json_span(TestSpan(trace="t", name="answer", parent="x", attributes=QUESTION, error="too late"))
    changed = {
        **span,
        **{name: str(span[name]).upper() for name in ("traceId", "spanId", "parentSpanId")},
        "kind": "SPAN_KIND_SERVER",
        "status": {"code": "STATUS_CODE_ERROR", "message": "too late", "more": 1},
        "flags": 256,
        "aFieldOfTomorrow": [{"x": 1}],
    }
    body = {"resourceSpans": [{"schemaUrl": "x", "scopeSpans": [{"scope": {"z": 1}, "spans": [changed]}]}]}
    async with span_server(tmp_path) as bot:
        assert (await bot.send(json.dumps(body).encode(), JSON))[:2] == (200, b"{}")
        await bot.spans(TestSpan(trace="t", name="x"))
        await bot.rest(400)
        trace = await bot.trace("t")
        assert trace is not None
        by_name = {each["name"]: each for each in trace.spans}
        assert by_name["answer"]["parent"] == by_name["x"]["id"]
        assert (by_name["answer"]["status"], by_name["answer"]["error"]) == ("error", "too late")


async def test_the_token_is_asked_for(tmp_path: Path) -> None:
    async with span_server(tmp_path, token="secret") as bot:
        status, body, _ = await bot.send(as_protobuf([root()]))
        assert (status, "Bearer" in Status.FromString(body).message) == (401, True)
        assert (await bot.send(as_protobuf([root()]), Authorization="Bearer secret"))[0] == 200


async def test_a_full_queue_answers_429_and_stores_no_new_trace(tmp_path: Path) -> None:
    async with span_server(tmp_path, ingest={"port": 0, "max_pending": 2}) as bot:
        await bot.spans(root("a"))
        await bot.rest()
        await bot.spans(root("b"))
        status, body, headers = await bot.send(as_protobuf([root("c")]))
        assert (status, int(headers["Retry-After"]) > 0) == (429, True)
        assert "later" in Status.FromString(body).message
        assert await bot.open() == 1
        await bot.spans(child("b"))


async def test_traces_that_have_nothing_to_do_with_a_model_take_no_room_of_the_others(tmp_path: Path) -> None:
    health = {"http.request.method": "GET", "url.path": "/healthz"}

    def noise(number: int) -> TestSpan:
        return TestSpan(trace=f"noise {number}", name="GET", parent="a gateway's span", attributes=health)

    async with span_server(tmp_path, ingest={"port": 0, "max_pending": 2}) as bot:
        await bot.spans(*map(noise, range(20)))
        await bot.spans(root("a"))
        # what turns out to be of AI takes its place, though nothing of it is refused
        await bot.spans(
            TestSpan(trace="noise 0", name="chat", parent="GET", attributes={**QUESTION, **ANSWER})
        )
        assert (await bot.send(as_protobuf([root("b")])))[0] == 429
        await bot.spans(noise(20))
        assert (await bot.send(as_protobuf([noise(21)])))[0] == 429
        await bot.rest(400)
        assert (await bot.open(), bot.server.assembly.without_content) == (0, 0)
        assert await bot.trace("noise 0") is not None
        assert await bot.server.database.traces.waiting() == 2
        await bot.spans(*map(noise, range(30, 50)))


async def test_a_store_that_cannot_be_written_answers_503_and_exporters_come_again(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        _delete_files(tmp_path)
        status, body, headers = await bot.send(as_protobuf([root()]))
        assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, PROTOBUF, "2")
        assert Status.FromString(body).message


async def test_traces_that_are_not_sampled_leave_a_hash_alone(tmp_path: Path) -> None:
    async with span_server(tmp_path, sampling={"rate": 0.0}) as bot:
        await bot.spans(root(), child())
        await bot.spans(TestSpan(trace="noise", name="GET /healthz"))
        assert await bot.open() == 0
        assert await bot.server.database.traces.count() == 1
        assert b"parcel" not in _bytes(tmp_path)


async def test_noise_is_no_trace(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        http = {"http.request.method": "GET", "url.path": "/healthz"}
        await bot.spans(TestSpan(trace="t", name="GET /healthz", attributes=http))
        await bot.rest()
        assert (await bot.trace("t"), await bot.open(), bot.server.assembly.without_content) == (None, 0, 0)


async def test_a_trace_without_content_is_counted_and_told_once(tmp_path: Path) -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    async with span_server(tmp_path) as bot:
        for word in ("a", "b"):
            await bot.spans(TestSpan(trace=word, name="chat m", attributes=attributes))
        await bot.rest()
        assert await bot.trace("a") is None
        assert "memalign_traces_without_content_total 2.0" in (await bot.server.get("/metrics"))[1]
        document = json.loads((await bot.server.get("/readyz"))[1])
        told = [
            each for each in document["why"] if "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in each
        ]
        assert len(told) == 1
        assert "2 traces" in told[0]
        await bot.spans(TestSpan(trace="a", name="late", parent="chat m", attributes=QUESTION))
        await bot.rest(400)
        assert bot.server.assembly.without_content == 2


async def test_what_was_told_of_traces_without_content_is_told_after_a_restart_and_fades(
    tmp_path: Path,
) -> None:
    silent = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}

    async def told(bot: TraceServer) -> list[str]:
        working = asyncio.create_task(bot.assembly.run())
        await asyncio.sleep(0.1)
        working.cancel()
        return [each.reason[:8] for each in bot.health.problems()]

    async with span_server(tmp_path) as before:
        clock = before.clock
        for word in ("a", "b"):
            await before.spans(TestSpan(trace=word, name="chat m", attributes=silent))
        await before.rest()
    async with trace_server(tmp_path, clock=clock, sampling={"rate": 1.0, "spread": False}) as bot:
        assert await told(bot) == ["2 traces"]
        assert bot.assembly.without_content == 0
        again = SpanServer(server=bot, clock=clock)
        await again.spans(TestSpan(trace="c", name="chat m", attributes=silent))
        await again.rest()
        assert await told(bot) == ["3 traces"]
        clock.wait(24 * 3600)
        assert await told(bot) == []
        await again.spans(TestSpan(trace="d", name="chat m", attributes=silent))
        await again.rest()
        assert await told(bot) == ["1 trace "]


async def test_secrets_in_spans_never_reach_the_store(tmp_path: Path) -> None:
    span = TestSpan(
        trace="t",
        name="answer",
        attributes={**ANSWER, "input.value": "I am ana@example.com", "http.url": "https://u:hunter2@x.org/"},
    )
    async with span_server(tmp_path) as bot:
        await bot.spans(span)
        assert b"ana@example.com" not in _bytes(tmp_path)
        await bot.rest()
        assert b"ana@example.com" not in _bytes(tmp_path)
        trace = await bot.trace("t")
        assert trace is not None
        assert trace.inputs == "I am [e-mail address]"


@pytest.mark.parametrize(
    "span",
    [
        root(**{"openinference.span.kind": "ana@example.com"}),
        root(**{"ana@example.com": "a name of an attribute"}),
        TestSpan(trace="t", name="answer for ana@example.com", attributes={**QUESTION, **ANSWER}),
        TestSpan(trace="t", name="answer", attributes=QUESTION, error="no user ana@example.com"),
        TestSpan(trace="t", name="answer", attributes=QUESTION, events=[("ana@example.com", {})]),
        TestSpan(
            trace="t",
            name="answer",
            attributes={"gen_ai.input.messages": [{"role": "ana@example.com", "content": "Hi"}]},
        ),
    ],
    ids=["kind", "attribute", "name", "error", "event", "role"],
)
async def test_no_part_of_a_span_is_stored_unredacted(tmp_path: Path, span: TestSpan) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(span)
        await bot.rest()
        assert await bot.trace("t") is not None
        assert b"ana@example.com" not in _bytes(tmp_path)


async def test_forgetting_takes_spans_that_still_arrive_and_late_ones_are_refused(tmp_path: Path) -> None:
    async with span_server(tmp_path) as bot:
        await bot.spans(root())
        await bot.server.database.forgetting.delete_traces([trace_id("t")])
        assert b"parcel" not in _bytes(tmp_path)
        status, answer, _ = await bot.send(as_protobuf([child()]))
        partial = ExportTraceServiceResponse.FromString(answer).partial_success
        assert (status, partial.rejected_spans, "forgotten" in partial.error_message) == (200, 1, True)
        await bot.rest(400)
        assert await bot.trace("t") is None


def _delete_files(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.unlink()


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def test_the_original_is_kept_where_settings_say_so_late_spans_included(tmp_path: Path) -> None:
    secret = TestSpan(trace="t", name="answer", attributes={**ANSWER, "input.value": "I am ana@example.com"})
    async with span_server(tmp_path, redaction={"keep_original": True}) as bot:
        await bot.spans(secret)
        await bot.rest()
        await bot.spans(child(name="late"))
        await bot.rest()
        trace = await bot.trace("t")
        original = await bot.server.database.traces.original(trace_id("t"))
        assert trace is not None
        assert original is not None
        assert (trace.inputs, original.inputs) == ("I am [e-mail address]", "I am ana@example.com")
        assert len(trace.spans) == len(original.spans) == 2


async def test_fields_that_settings_drop_are_left_out_of_spans_and_trace(tmp_path: Path) -> None:
    async with span_server(tmp_path, redaction={"drop_fields": ["spans", "metadata"]}) as bot:
        await bot.spans(root(), child(note="confidential"))
        assert b"confidential" not in _bytes(tmp_path)
        await bot.rest()
        trace = await bot.trace("t")
        assert trace is not None
        assert (trace.inputs, trace.outputs) == ("Where is my parcel?", "Ask the post.")
        assert (trace.spans, trace.metadata) == ((), {})


async def test_a_field_that_settings_keep_is_kept_in_each_span(tmp_path: Path) -> None:
    asked = {"input.value": json.dumps({"mail": "ana@example.com", "other": "ben@example.com"}), **ANSWER}
    async with span_server(tmp_path, redaction={"keep_fields": ["inputs.mail"]}) as bot:
        await bot.spans(TestSpan(trace="t", name="answer", attributes=asked))
        await bot.rest()
        trace = await bot.trace("t")
        assert trace is not None
        assert trace.inputs == {"mail": "ana@example.com", "other": "[e-mail address]"}


async def test_a_trace_without_room_in_the_queue_waits_and_is_handed_on_later(tmp_path: Path) -> None:
    async with span_server(tmp_path, ingest={"port": 0, "max_pending": 1}) as bot:
        await bot.spans(root("a"))
        assert (await bot.server.post(b'{"trace_id": "b", "inputs": "q", "outputs": "a"}'))[0] == 202
        bot.clock.wait(11)
        await bot.server.assembly.finish_due()
        assert await bot.open() == 1
        await bot.judge_all()
        await bot.rest()
        assert await bot.trace("a") is not None
        assert await bot.open() == 0
