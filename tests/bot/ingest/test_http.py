"""`POST /traces` and the other pages of the bot's server, line by line as the contract has them."""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.judging.sampling import is_sampled
from bot.runtime.clock import now_ms
from bot.trace_json.rejected_trace import RejectedTrace
from bot.trace_json.trace_body import read_body
from memalign.errors import SettingsError
from memalign.models.address import is_loopback
from memalign.records import Json, Trace
from tests.bot.ingest.trace_server import TraceServer, trace_server
from tests.secrets import search

NDJSON = "application/x-ndjson"


def a_trace(number: int = 1, **more: Json) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": f"question {number}", "outputs": f"answer {number}", **more}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TraceServer]:
    async with trace_server(tmp_path) as ready:
        yield ready


@pytest.mark.parametrize(
    ("body", "kind", "accepted"),
    [
        (json.dumps(a_trace(1)), "application/json", 1),
        (json.dumps([a_trace(1), a_trace(2)]), "application/json", 2),
        (json.dumps([]), "application/json", 0),
        ("\n".join(json.dumps(a_trace(n)) for n in (1, 2, 3)) + "\n\n", NDJSON, 3),
        ("\r\n".join(json.dumps(a_trace(n)) for n in (1, 2)), f"{NDJSON}; charset=utf-8", 2),
    ],
)
async def test_one_an_array_or_lines_are_taken(
    server: TraceServer, body: str, kind: str, accepted: int
) -> None:
    status, answer = await server.post(body.encode(), kind)
    assert (status, answer["accepted"], answer["duplicates"], answer["rejected"]) == (202, accepted, 0, [])
    assert [await server.knows(n) for n in range(1, accepted + 1)] == [True] * accepted


async def test_everything_a_trace_may_carry_is_kept(server: TraceServer) -> None:
    full = a_trace(
        expectations={"a": [1, None, True, 0.5]},
        judges=["politeness"],
        timestamp="2026-11-20T09:00:00Z",
        url="https://example.com/tr-1",
        metadata={"user": "u", "n": 1},
    )
    status, answer = await server.post(json.dumps(full).encode())
    assert (status, answer["accepted"]) == (202, 1)
    kept = await server.database.traces.get("tr-1")
    assert kept is not None
    assert (kept.expectations, kept.judges, kept.timestamp, kept.url, dict(kept.metadata)) == (
        full["expectations"],
        ("politeness",),
        full["timestamp"],
        full["url"],
        full["metadata"],
    )


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe\x00", b'{"trace_id": NaN}', b"[" * 100_000, b"not json"]
)
async def test_no_json_is_400_with_a_sentence(server: TraceServer, body: bytes) -> None:
    status, answer = await server.post(body)
    assert status == 400
    assert "not JSON" in answer["error"]


BAD = [
    {},
    [],
    "tr-1",
    17,
    None,
    {"trace_id": "tr-1"},
    {"trace_id": "tr-1", "inputs": "a"},
    a_trace(trace_id=""),
    a_trace(trace_id=7),
    a_trace(trace_id=" blank"),
    a_trace(trace_id="line\nbreak"),
    a_trace(trace_id="nul\x00"),
    a_trace(trace_id="x" * 501),
    a_trace(expectations="text"),
    a_trace(timestamp="yesterday"),
    a_trace(timestamp=1700000000),
    a_trace(url=7),
    a_trace(metadata=[]),
    a_trace(judges="politeness"),
    a_trace(judges=["wit"]),
    a_trace(inputs="half \ud800 a character"),
    a_trace(inputs=None, outputs=None),
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
async def test_a_bad_trace_is_rejected_by_its_index_and_spares_its_neighbours(
    server: TraceServer, bad: Json
) -> None:
    status, answer = await server.post(json.dumps([a_trace(8), bad, a_trace(9)]).encode())
    assert (status, answer["accepted"]) == (202, 2)
    (rejected,) = answer["rejected"]
    assert rejected["index"] == 1
    assert rejected["error"]
    assert await server.knows(8)
    assert await server.knows(9)


@pytest.mark.parametrize("bad", [{}, "tr-1", a_trace(judges=["wit"])])
async def test_a_lone_bad_trace_is_answered_the_same_way(server: TraceServer, bad: Json) -> None:
    status, answer = await server.post(json.dumps(bad).encode())
    assert (status, answer["accepted"], answer["duplicates"]) == (422, 0, 0)
    assert [entry["index"] for entry in answer["rejected"]] == [0]


async def test_a_bad_line_is_rejected_by_its_number_among_the_lines(server: TraceServer) -> None:
    lines = [json.dumps(a_trace(1)), "{broken", "", json.dumps(a_trace(2)), json.dumps({"trace_id": "tr-3"})]
    status, answer = await server.post("\n".join(lines).encode(), NDJSON)
    assert (status, answer["accepted"]) == (202, 2)
    assert [entry["index"] for entry in answer["rejected"]] == [1, 3]


async def test_an_unknown_judge_is_named_with_those_there_are(server: TraceServer) -> None:
    _, answer = await server.post(json.dumps(a_trace(judges=["wit"])).encode())
    assert answer["rejected"][0]["error"] == (
        'judges: there is no judge named "wit"; the judges are: politeness'
    )


async def test_what_a_judge_needs_is_asked_for_at_the_door(tmp_path: Path) -> None:
    judge = {"instructions": "Is {{ outputs }} an answer to {{ conversation }}?"}
    async with trace_server(tmp_path, judge=judge) as server:
        _, answer = await server.post(json.dumps(a_trace()).encode())
        assert "has no conversation, which judge politeness looks at" in answer["rejected"][0]["error"]
        _, answer = await server.post(json.dumps(a_trace(conversation=["hello"])).encode())
        assert answer["accepted"] == 1


async def test_a_trace_without_expectations_is_judged_like_any_other(tmp_path: Path) -> None:
    judge = {"instructions": "Is {{ outputs }} like {{ expectations }}?"}
    async with trace_server(tmp_path, judge=judge) as server:
        _, answer = await server.post(json.dumps(a_trace()).encode())
        assert answer["accepted"] == 1


async def test_duplicates_within_a_batch_and_across_batches_change_nothing(server: TraceServer) -> None:
    _, first = await server.post(json.dumps([a_trace(1), a_trace(1), a_trace(2)]).encode())
    assert (first["accepted"], first["duplicates"]) == (2, 1)
    _, again = await server.post(json.dumps([a_trace(1, outputs="another"), a_trace(3)]).encode())
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    kept = await server.database.traces.get("tr-1")
    assert kept is not None
    assert kept.outputs == "answer 1"
    assert await server.database.traces.waiting() == 3


async def test_judging_is_woken_when_traces_are_stored(server: TraceServer) -> None:
    await server.post(json.dumps(a_trace()).encode())
    assert server.judging.count == 1


async def test_a_trace_waits_for_the_judges_it_names_or_for_all(tmp_path: Path) -> None:
    async with trace_server(tmp_path, judges=[{}, {"name": "wit"}]) as server:
        await server.post(json.dumps([a_trace(1), a_trace(2, judges=["wit"])]).encode())
        jobs = await server.database.traces.next_jobs(now_ms(), 10)
        assert sorted((job.trace_id, job.judge) for job in jobs) == [
            ("tr-1", "politeness"),
            ("tr-1", "wit"),
            ("tr-2", "wit"),
        ]


async def test_of_a_trace_that_no_judge_is_to_see_only_a_hash_of_the_id_is_kept(tmp_path: Path) -> None:
    async with trace_server(tmp_path, sampling={"rate": 0.0}) as server:
        _, first = await server.post(json.dumps([a_trace(77_777), a_trace(77_777)]).encode())
        _, again = await server.post(json.dumps(a_trace(77_777, judges=["politeness"])).encode())
        assert (first["accepted"], first["duplicates"]) == (1, 1)
        assert (again["accepted"], again["duplicates"]) == (0, 1)
        assert await server.database.traces.waiting() == 0
    assert search(tmp_path, ["tr-77777", "question 77777"]).found == ()


async def test_not_ready_while_not_connected(server: TraceServer) -> None:
    server.connected = False
    server.health.report("posting", "C1", "the channel is archived")
    status, text = await server.get("/readyz")
    assert status == 503
    assert json.loads(text)["why"] == [
        "not connected to Slack",
        "the channel of politeness: the channel is archived",
    ]
    assert (await server.get("/healthz"))[0] == 200


async def test_stored_before_the_202(tmp_path: Path) -> None:
    async with trace_server(tmp_path) as server:
        await server.post(json.dumps(a_trace()).encode())
    async with trace_server(tmp_path) as server:
        assert await server.knows(1)


async def test_the_token_is_asked_for_where_it_is_set(tmp_path: Path) -> None:
    async with trace_server(tmp_path, token="s3cret") as server:
        body = json.dumps(a_trace()).encode()
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
            status, answer = await server.post(body, **given)
            assert status == 401
            assert "MEMALIGN_INGEST_TOKEN" in answer["error"]
        assert not await server.knows(1)
        status, _ = await server.post(body, Authorization="Bearer s3cret")
        assert status == 202


async def test_too_large_a_body_is_413(tmp_path: Path) -> None:
    async with trace_server(tmp_path, ingest={"port": 0, "max_body_mb": 0.01}) as server:
        status, answer = await server.post(json.dumps(a_trace(inputs="x" * 11_000)).encode())
        assert status == 413
        assert "0.01 MB" in answer["error"]
        status, _ = await server.post(b"x" * 5_000_000)
        assert status == 413
        assert (await server.post(json.dumps(a_trace(inputs="x" * 9_000)).encode()))[0] == 202


async def test_a_full_queue_is_429_and_says_when_to_come_back(tmp_path: Path) -> None:
    async with trace_server(tmp_path, ingest={"port": 0, "max_pending": 2}) as server:
        status, answer = await server.post(json.dumps([a_trace(n) for n in range(1, 5)]).encode())
        assert status == 429
        assert int(answer["headers"]["Retry-After"]) > 0
        assert answer["accepted"] == 2
        assert [entry["index"] for entry in answer["rejected"]] == [2, 3]
        assert [await server.knows(n) for n in range(1, 5)] == [True, True, False, False]
        status, answer = await server.post(json.dumps(a_trace(1)).encode())
        assert (status, answer["duplicates"]) == (202, 1)


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0, 0), (1.0, 10_000, 10_000), (0.1, 880, 1120)])
def test_the_rate_is_the_share_that_is_judged(rate: float, low: int, high: int) -> None:
    assert low <= sum(is_sampled(f"tr-{n}", "politeness", rate) for n in range(10_000)) <= high


def test_a_higher_rate_adds_traces_and_takes_none_away() -> None:
    few = {n for n in range(1_000) if is_sampled(f"tr-{n}", "politeness", 0.1)}
    more = {n for n in range(1_000) if is_sampled(f"tr-{n}", "politeness", 0.3)}
    assert few < more


def test_who_does_not_know_the_stores_key_cannot_choose_what_is_sampled() -> None:
    never = [f"tr-{n}" for n in range(3_000) if not is_sampled(f"tr-{n}", "politeness", 0.3, b"guess")]
    share = sum(is_sampled(trace_id, "politeness", 0.3, b"key") for trace_id in never) / len(never)
    assert 0.25 < share < 0.35


async def test_health_readiness_and_metrics(server: TraceServer) -> None:
    await server.post(json.dumps([a_trace(1), {}]).encode())
    assert (await server.get("/healthz"))[0] == 200
    assert (await server.get("/readyz"))[0] == 200
    status, text = await server.get("/metrics")
    assert status == 200
    assert 'memalign_traces{result="accepted"} 1.0' in text
    assert 'memalign_traces{result="rejected"} 1.0' in text
    assert "memalign_connected 1.0" in text


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.1.2.3", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_which_hosts_are_this_machine_alone(host: str, inside: bool) -> None:
    assert is_loopback(host) is inside


async def test_an_open_address_needs_a_token(tmp_path: Path) -> None:
    open_to_all = {"host": "0.0.0.0", "port": 0}
    with pytest.raises(SettingsError, match="MEMALIGN_INGEST_TOKEN"):
        async with trace_server(tmp_path, ingest=open_to_all):
            pass
    async with trace_server(tmp_path, ingest=open_to_all, token="s3cret") as server:
        assert (await server.post(json.dumps(a_trace()).encode()))[0] == 401


def test_big_bodies_are_read_like_small_ones() -> None:
    items = read_body(json.dumps([a_trace(n) for n in range(3_000)] + [3]).encode(), ndjson=False)
    assert [type(item) for item in items] == [Trace] * 3_000 + [RejectedTrace]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"trace_id": "t", "inputs": 1e999, "outputs": "x"}', "too large for JSON"),
        ('{"trace_id": "t", "inputs": ' + "[" * 101 + "]" * 101 + ', "outputs": "x"}', "100 deep"),
        ('{"trace_id": "two\\nlines", "inputs": "a", "outputs": "x"}', "without line breaks"),
    ],
)
def test_what_no_reader_could_take_is_refused_for_itself(text: str, reason: str) -> None:
    (refused,) = read_body(text.encode(), ndjson=False)
    assert isinstance(refused, RejectedTrace)
    assert reason in refused.reason


def test_no_judges_named_means_all() -> None:
    (trace,) = read_body(b'{"trace_id": "t", "inputs": 1, "outputs": 2, "judges": null}', ndjson=False)
    assert isinstance(trace, Trace)
    assert trace.judges == ()


async def test_ten_thousand_refusals_are_counted_and_a_hundred_listed(server: TraceServer) -> None:
    status, answer = await server.post(b"[" + b"1," * 9_999 + b"1]")
    assert (status, len(answer["rejected"]), answer["rejected_count"]) == (422, 100, 10_000)
    assert [refusal["index"] for refusal in answer["rejected"]] == list(range(100))


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 2_000_000 + b"1]",
        b"[" + b"[]," * 2_000_000 + b"[]]",
        b"\n".join([b"{}"] * 100_000),
        b'{"inputs": [' + b"[]," * 2_000_000 + b"[]]}",
        b"[" + b",".join([b'{"inputs": [' + b"1," * 99_000 + b"1]}"] * 11) + b"]",
    ],
    ids=["numbers", "lists", "lines", "one trace", "values"],
)
async def test_an_endless_body_has_a_short_answer(server: TraceServer, body: bytes) -> None:
    status, answer = await server.post(body)
    assert status == 413
    assert len(json.dumps(answer)) < 2_000


async def test_a_trace_of_a_million_numbers_is_refused_and_spares_its_neighbours(server: TraceServer) -> None:
    body = b'[{"trace_id": "tr-1", "outputs": 1, "inputs": [' + b"1," * 1_000_000 + b"1]}, "
    status, answer = await server.post(body + json.dumps(a_trace(2)).encode() + b"]")
    assert (status, answer["accepted"]) == (202, 1)
    assert "200,000 values" in answer["rejected"][0]["error"]


async def test_duplicates_count_as_accepted_and_an_empty_array_is_no_refusal(server: TraceServer) -> None:
    assert (await server.post(json.dumps([a_trace(1)]).encode()))[0] == 202
    assert (await server.post(json.dumps([a_trace(1), 5]).encode()))[0] == 202
    assert (await server.post(json.dumps([5, {}]).encode()))[0] == 422
    assert (await server.post(b"[]"))[0] == 202


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/octet-stream", NDJSON])
async def test_lines_and_arrays_are_recognised_without_their_content_type(
    server: TraceServer, kind: str
) -> None:
    _, answer = await server.post("\n".join(json.dumps(a_trace(n)) for n in (1, 2)).encode(), kind)
    assert answer["accepted"] == 2
    _, answer = await server.post(json.dumps([a_trace(3), a_trace(4)], indent=1).encode(), kind)
    assert answer["accepted"] == 2


async def test_other_names_of_the_keys_are_taken(server: TraceServer) -> None:
    trace = {"id": "tr-1", "input": "q", "output": "a"}
    both = {"id": "x", "trace_id": "tr-2", "input": "q", "inputs": "q", "outputs": "a"}
    _, answer = await server.post(json.dumps([trace, both]).encode())
    assert answer["accepted"] == 2
    kept = [await server.database.traces.get(name) for name in ("tr-1", "tr-2")]
    assert [(trace.inputs, trace.outputs) for trace in kept if trace] == [("q", "a"), ("q", "a")]


async def test_two_names_with_different_values_are_told(server: TraceServer) -> None:
    _, answer = await server.post(json.dumps(a_trace(1, output="another answer")).encode())
    assert (
        answer["rejected"][0]["error"]
        == 'it has both "output" and "outputs", and they differ; send one of them'
    )


@pytest.mark.parametrize(
    "key", ["expectations", "conversation", "spans", "judges", "timestamp", "url", "metadata"]
)
async def test_a_null_is_an_absent_key(server: TraceServer, key: str) -> None:
    status, answer = await server.post(json.dumps(a_trace(1, **{key: None})).encode())
    assert (status, answer["accepted"]) == (202, 1)


FOREIGN = {
    "MLflow": {"info": {"trace_id": "tr-1"}, "data": {"spans": []}},
    "search_traces": {"trace_id": "tr-1", "request": "q", "response": "a", "spans": []},
    "OTLP": {"resourceSpans": []},
    "span of OpenTelemetry": {"traceId": "a", "spanId": "b", "parentSpanId": "c", "input": "q", "output": "a"},
    "OpenTelemetry": {"name": "chat", "context": {"trace_id": "a", "span_id": "b"}, "attributes": {}},
    "child run of LangSmith": {
        "id": "child", "trace_id": "tr-1", "parent_run_id": "tr-1", "run_type": "tool", "inputs": {}, "outputs": {},
    },
    "child run": {"id": "child", "trace_id": "tr-1", "run_type": "llm", "inputs": {}, "outputs": {}},
    "observation of Langfuse": {"id": "o", "traceId": "t", "type": "GENERATION", "input": "q", "output": "a"},
    'under "data"': {"data": [a_trace(1)], "meta": {"page": 1}},
}  # fmt: skip


@pytest.mark.parametrize("named", FOREIGN)
async def test_an_export_of_another_tool_is_refused_by_its_name(server: TraceServer, named: str) -> None:
    status, answer = await server.post(json.dumps(FOREIGN[named]).encode())
    assert status == 422
    assert named in answer["rejected"][0]["error"]
    assert "trace_id, inputs and outputs" in answer["rejected"][0]["error"]


async def test_the_root_run_of_langsmith_is_the_trace_whatever_comes_first(server: TraceServer) -> None:
    root = {
        "id": "tr-1",
        "trace_id": "tr-1",
        "parent_run_id": None,
        "run_type": "chain",
        "inputs": "q",
        "outputs": "a",
    }
    child = root | {"id": "c", "parent_run_id": "tr-1", "outputs": ["a document"]}
    _, answer = await server.post(json.dumps([child, root]).encode())
    assert (answer["accepted"], [each["index"] for each in answer["rejected"]]) == (1, [0])
    kept = await server.database.traces.get("tr-1")
    assert kept is not None
    assert kept.outputs == "a"


@pytest.mark.parametrize(
    ("kind", "skipped"),
    [
        ("errors", a_trace(1, error="TimeoutError: too slow")),
        ("errors", a_trace(1, spans=[{"name": "root", "status": {"code": 2, "message": "boom"}}])),
        ("empty_outputs", a_trace(1, outputs=None)),
        (
            "empty_outputs",
            a_trace(1, outputs={"choices": [{"message": {"role": "assistant", "content": ""}}]}),
        ),
        ("no_expectations", a_trace(1, expectations={})),
    ],
)
async def test_a_setting_says_whether_such_traces_are_judged(
    tmp_path: Path, kind: str, skipped: Json
) -> None:
    for skip, waiting in (([], 1), ([kind], 0)):
        async with trace_server(tmp_path / str(waiting), judge={"skip": skip}) as server:
            _, answer = await server.post(json.dumps(skipped).encode())
            assert answer["accepted"] == 1
            assert len(await server.database.traces.next_jobs(now_ms(), 10)) == waiting


@pytest.mark.parametrize(
    "bad",
    [
        '{"trace_id": "t", "inputs": NaN, "outputs": 1}',
        '{"trace_id": "t", "inputs": ' + "9" * 5_000 + ', "outputs": 1}',
        '{"trace_id": "t", "inputs": ' + "[" * 3_000 + "]" * 3_000 + ', "outputs": 1}',
        '{"trace_id": "t", "inputs": "\xff", "outputs": 1}',
        '{"trace_id": "t", "inputs": 1, "outputs": 1, "judges": [' + "1," * 100_000 + "1]}",
    ],
    ids=range(5),
)
async def test_what_no_parser_takes_spares_its_neighbours(server: TraceServer, bad: str) -> None:
    body = f"[{json.dumps(a_trace(8))}, {bad}, {json.dumps(a_trace(9))}]".encode("latin-1")
    status, answer = await server.post(body)
    assert (status, answer["accepted"]) == (202, 2)
    assert [refusal["index"] for refusal in answer["rejected"]] == [1]
    assert len(json.dumps(answer)) < 2_000


async def test_a_judge_named_ten_thousand_times_is_named_once(tmp_path: Path) -> None:
    async with trace_server(tmp_path, ingest={"port": 0, "max_pending": 2}) as server:
        status, answer = await server.post(json.dumps(a_trace(judges=["politeness"] * 10_001)).encode())
        assert (status, answer["accepted"]) == (202, 1)
        assert await server.database.traces.waiting() == 1


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"[]") + b"trailing",
        b"\x1f\x8b garbage",
        b"no gzip",
        gzip.compress(b"[" + b"1, 2, 3, " * 99 + b"4]")[:-20],
        b"\x1f",
    ],
    ids=["trailing", "garbage", "plain", "cut", "a byte"],
)
async def test_what_is_no_gzip_is_400_and_the_next_body_is_taken(server: TraceServer, body: bytes) -> None:
    status, answer = await server.post(body, **{"Content-Encoding": "gzip"})
    assert status == 400
    assert answer["error"]
    assert (await server.post(gzip.compress(b"[]"), **{"Content-Encoding": "gzip"}))[0] == 202


async def test_a_gzip_bomb_is_413(server: TraceServer) -> None:
    assert (await server.post(gzip.compress(b" " * 300_000_000), **{"Content-Encoding": "gzip"}))[0] == 413


async def test_a_picture_is_stored_as_a_placeholder_that_redaction_has_not_touched(
    server: TraceServer,
) -> None:
    digits = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4_000).decode()
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{digits}"}}
    question = {"type": "text", "text": "Which error is this?"}
    sent = a_trace(1, inputs=[{"role": "user", "content": [picture, question]}])
    _, answer = await server.post(json.dumps(sent).encode())
    assert answer["accepted"] == 1
    kept = await server.database.traces.get("tr-1")
    assert kept is not None
    shown = {"type": "image_url", "image_url": {"url": "[picture: PNG, 1.0 MB]"}}
    assert kept.inputs == [{"role": "user", "content": [shown, question]}]
