"""`POST /traces` and the other pages of the bot's server, line by line as the contract has them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import IngestSettings
from bot.ingest.trace_body import RejectedTrace, read_body
from bot.judging.sampling import is_sampled
from bot.web.server import is_loopback
from memalign.errors import SettingsError
from memalign.records import Json, Trace
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace

NDJSON = "application/x-ndjson"


def a_trace(number: int = 1, **more: Json) -> Json:
    return {"trace_id": f"tr-{number}", "inputs": f"question {number}", "outputs": f"answer {number}", **more}


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def known(harness: BotInWorkspace, number: int) -> bool:
    return await harness.bot.database.traces.get(f"tr-{number}") is not None


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
    harness: BotInWorkspace, body: str, kind: str, accepted: int
) -> None:
    status, answer = await harness.post(body.encode(), kind)
    assert (status, answer["accepted"], answer["duplicates"], answer["rejected"]) == (202, accepted, 0, [])
    assert [await known(harness, n) for n in range(1, accepted + 1)] == [True] * accepted


async def test_everything_a_trace_may_carry_is_kept(harness: BotInWorkspace) -> None:
    full = a_trace(
        expectations={"a": [1, None, True, 0.5]},
        judges=["politeness"],
        timestamp="2026-11-20T09:00:00Z",
        url="https://example.com/tr-1",
        metadata={"user": "u", "n": 1},
    )
    status, answer = await harness.post(json.dumps(full).encode())
    assert (status, answer["accepted"]) == (202, 1)
    kept = await harness.bot.database.traces.get("tr-1")
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
async def test_no_json_is_400_with_a_sentence(harness: BotInWorkspace, body: bytes) -> None:
    status, answer = await harness.post(body)
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
    harness: BotInWorkspace, bad: Json
) -> None:
    status, answer = await harness.post(json.dumps([a_trace(8), bad, a_trace(9)]).encode())
    assert (status, answer["accepted"]) == (202, 2)
    (rejected,) = answer["rejected"]
    assert rejected["index"] == 1
    assert rejected["error"]
    assert await known(harness, 8)
    assert await known(harness, 9)


@pytest.mark.parametrize("bad", [{}, "tr-1", a_trace(judges=["wit"])])
async def test_a_lone_bad_trace_is_answered_the_same_way(harness: BotInWorkspace, bad: Json) -> None:
    status, answer = await harness.post(json.dumps(bad).encode())
    assert (status, answer["accepted"], answer["duplicates"]) == (202, 0, 0)
    assert [one["index"] for one in answer["rejected"]] == [0]


async def test_a_bad_line_is_rejected_by_its_number_among_the_lines(harness: BotInWorkspace) -> None:
    lines = [json.dumps(a_trace(1)), "{broken", "", json.dumps(a_trace(2)), json.dumps({"trace_id": "tr-3"})]
    status, answer = await harness.post("\n".join(lines).encode(), NDJSON)
    assert (status, answer["accepted"]) == (202, 2)
    assert [one["index"] for one in answer["rejected"]] == [1, 3]


async def test_an_unknown_judge_is_named_with_those_there_are(harness: BotInWorkspace) -> None:
    _, answer = await harness.post(json.dumps(a_trace(judges=["wit"])).encode())
    assert answer["rejected"][0]["error"] == (
        'judges: there is no judge named "wit"; the judges are: politeness'
    )


async def test_what_a_judge_needs_is_asked_for_at_the_door(tmp_path: Path) -> None:
    judge = {"instructions": "Is {{ outputs }} like {{ expectations }}?"}
    async with bot_in_workspace(tmp_path, judge=judge) as harness:
        _, answer = await harness.post(json.dumps(a_trace()).encode())
        assert "has no expectations, which judge politeness looks at" in answer["rejected"][0]["error"]
        _, answer = await harness.post(json.dumps(a_trace(expectations={"answer": "42"})).encode())
        assert answer["accepted"] == 1


async def test_duplicates_within_a_batch_and_across_batches_make_one_card(harness: BotInWorkspace) -> None:
    _, first = await harness.post(json.dumps([a_trace(1), a_trace(1), a_trace(2)]).encode())
    assert (first["accepted"], first["duplicates"]) == (2, 1)
    _, again = await harness.post(json.dumps([a_trace(1, outputs="another"), a_trace(3)]).encode())
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    for n in (1, 2, 3):
        await harness.card(f"tr-{n}")
    await harness.learned()
    assert len(harness.workspace.messages(harness.channel.id)) == 3


async def test_stored_before_the_202(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, sampling={"rate": 0.0}) as harness:
        await harness.post(json.dumps(a_trace()).encode())
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        assert await known(harness, 1)


async def test_the_token_is_asked_for_where_it_is_set(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, token="s3cret") as harness:
        body = json.dumps(a_trace()).encode()
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "s3cret"}):
            status, answer = await harness.post(body, **given)
            assert status == 401
            assert "MEMALIGN_INGEST_TOKEN" in answer["error"]
        assert not await known(harness, 1)
        status, _ = await harness.post(body, Authorization="Bearer s3cret")
        assert status == 202


async def test_too_large_a_body_is_413(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, ingest={"port": 0, "max_body_mb": 0.01}) as harness:
        status, answer = await harness.post(json.dumps(a_trace(inputs="x" * 11_000)).encode())
        assert status == 413
        assert "0.01 MB" in answer["error"]
        status, _ = await harness.post(b"x" * 5_000_000)
        assert status == 413
        assert (await harness.post(json.dumps(a_trace(inputs="x" * 9_000)).encode()))[0] == 202


async def test_a_full_queue_is_429_and_says_when_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    judge = {"model": "openai:/unreachable"}
    async with bot_in_workspace(tmp_path, judge=judge, ingest={"port": 0, "max_pending": 2}) as harness:
        status, answer = await harness.post(json.dumps([a_trace(n) for n in range(1, 5)]).encode())
        assert status == 429
        assert int(answer["headers"]["Retry-After"]) > 0
        assert answer["accepted"] == 2
        assert [one["index"] for one in answer["rejected"]] == [2, 3]
        assert [await known(harness, n) for n in range(1, 5)] == [True, True, False, False]
        status, answer = await harness.post(json.dumps(a_trace(1)).encode())
        assert (status, answer["duplicates"]) == (202, 1)


async def test_a_trace_goes_to_the_judges_it_names_or_to_all(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judges=[{}, {"name": "wit"}]) as harness:
        await harness.send(a_trace(1), a_trace(2, judges=["wit"]))
        await harness.until(lambda: len(harness.workspace.messages(harness.channel.id)) == 3)
        await harness.learned()
        shown = sorted(_shown(harness))
        assert shown == [("tr-1", "politeness"), ("tr-1", "wit"), ("tr-2", "wit")]


def _shown(harness: BotInWorkspace) -> list[tuple[str, str]]:
    payloads = [
        (one.metadata or {})["event_payload"] for one in harness.workspace.messages(harness.channel.id)
    ]
    return [(payload["trace_id"], payload["judge"]) for payload in payloads]


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0, 0), (1.0, 10_000, 10_000), (0.1, 880, 1120)])
def test_the_rate_is_the_share_that_is_judged(rate: float, low: int, high: int) -> None:
    assert low <= sum(is_sampled(f"tr-{n}", "politeness", rate) for n in range(10_000)) <= high


def test_a_higher_rate_adds_traces_and_takes_none_away() -> None:
    few = {n for n in range(1_000) if is_sampled(f"tr-{n}", "politeness", 0.1)}
    more = {n for n in range(1_000) if is_sampled(f"tr-{n}", "politeness", 0.3)}
    assert few < more


async def test_a_restart_samples_the_same(tmp_path: Path) -> None:
    traces = [a_trace(n) for n in range(40)]
    chosen = {n for n in range(40) if is_sampled(f"tr-{n}", "politeness", 0.2)}
    async with bot_in_workspace(tmp_path, sampling={"rate": 0.2}) as harness:
        await harness.send(*traces)
        await harness.until(lambda: len(_shown(harness)) == len(chosen))
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace, sampling={"rate": 0.2}) as harness:
        await harness.send(*traces)
        await harness.learned()
        assert {int(trace_id[3:]) for trace_id, _ in _shown(harness)} == chosen


async def test_no_more_cards_a_day_than_the_cap_in_each_channel(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, sampling={"rate": 1.0, "max_per_day": 3}) as harness:
        await harness.send(*(a_trace(n) for n in range(20)))
        await harness.until_async(lambda: _judged(harness))
        await harness.learned()
        assert len(_shown(harness)) == 3


async def _judged(harness: BotInWorkspace) -> bool:
    return not await harness.bot.database.traces.waiting()


async def test_health_readiness_and_metrics(harness: BotInWorkspace) -> None:
    await harness.post(json.dumps([a_trace(1), {}]).encode())
    await harness.card("tr-1")
    assert (await harness.get("/healthz"))[0] == 200
    assert (await harness.get("/readyz"))[0] == 200
    status, text = await harness.get("/metrics")
    assert status == 200
    assert 'memalign_traces{result="accepted"} 1.0' in text
    assert 'memalign_traces{result="rejected"} 1.0' in text
    assert "memalign_connected 1.0" in text


async def test_not_ready_while_not_connected(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        harness.slack.faults.fail_next("apps.connections.open", status=503, times=1_000)
        await harness.slack.faults.disconnect(announce=False)
        await harness.until_async(lambda: _not_ready(harness))
        assert (await harness.get("/healthz"))[0] == 200
        assert "not connected to Slack" in (await harness.get("/readyz"))[1]


async def _not_ready(harness: BotInWorkspace) -> bool:
    return (await harness.get("/readyz"))[0] == 503


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
    with pytest.raises(SettingsError, match="MEMALIGN_INGEST_TOKEN"):
        async with bot_in_workspace(tmp_path, ingest={"host": "0.0.0.0", "port": 0}):
            pass
    async with bot_in_workspace(tmp_path, ingest={"host": "0.0.0.0", "port": 0}, token="s3cret") as harness:
        assert harness.bot.settings.ingest == IngestSettings(host="0.0.0.0", port=0)


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
