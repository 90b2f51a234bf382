"""Counters and histograms on `/metrics`: what they count, and that Prometheus can do something with them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.runtime.clock import now_ms
from bot.runtime.metrics import Metrics, model_outcome
from memalign.errors import (
    ContentRefusedError,
    MalformedAnswerError,
    ModelError,
    ModelUnavailableError,
    RequestFailedError,
)
from memalign.models import ModelCall, connect_embedder, connect_judge_model
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.bot.ingest.trace_server import trace_server
from tests.factories import a_trace
from tests.model_server import ModelServer, overloaded, running_model_server

MODEL = "openai:/m"
REASON = "An answer must never send people away."
BASE_UNITS = ("_seconds", "_bytes", "_fds")
UNITS_BESIDE = ("_ms", "_milliseconds", "_minutes", "_hours", "_days", "_kb", "_mb", "_percent")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self._samples = samples(text)

    def of(self, name: str, **labels: str) -> float:
        """The sample, 0 where there is none."""
        return self._samples.get((name, tuple(sorted(labels.items()))), 0.0)


async def scraped(harness: BotInWorkspace) -> Scrape:
    return Scrape((await harness.get("/metrics"))[1])


async def run_loop(harness: BotInWorkspace) -> None:
    """A trace is judged, shown, corrected with a thumb and a reason, and learned from; another gets a button."""
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.react(card, "eyes")
    harness.reply(card, REASON)
    await harness.learned()
    await harness.press(await harness.show("tr-2", outputs="Gladly."), "vote_up", by=harness.ben)
    await harness.learned()


async def test_the_loop_is_counted_from_the_trace_to_the_lesson(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        begin = await scraped(harness)
        assert begin.of("memalign_verdicts_total", judge=JUDGE) == 0
        await harness.send({"trace_id": "no inputs"})
        await run_loop(harness)
        await harness.show("tr-2")
        scrape = await scraped(harness)
        await harness.asked(harness.ben, "status")
        after_command = await scraped(harness)
    for name, labels, number in (
        ("memalign_traces_received_total", {"result": "accepted"}, 2),
        ("memalign_traces_received_total", {"result": "duplicate"}, 1),
        ("memalign_traces_received_total", {"result": "rejected"}, 1),
        ("memalign_verdicts_total", {"judge": JUDGE}, 2),
        ("memalign_votes_total", {"vote": "down", "way": "reaction"}, 1),
        ("memalign_votes_total", {"vote": "up", "way": "button"}, 1),
        ("memalign_lessons_total", {"judge": JUDGE}, 2),
        ("memalign_traces_learned_total", {"judge": JUDGE}, 2),
        ("memalign_guideline_changes_total", {"judge": JUDGE, "change": "added"}, 1),
        ("memalign_http_requests_total", {"route": "POST /traces", "status": "202"}, 3),
        ("memalign_http_requests_total", {"route": "POST /traces", "status": "422"}, 1),
    ):
        assert scrape.of(name, **labels) == number, (name, labels)
    for name, labels in (
        ("memalign_slack_requests_total", {"method": "chat.postMessage", "status": "200"}),
        ("memalign_slack_requests_total", {"method": "apps.connections.open", "status": "200"}),
        ("memalign_slack_event_lag_seconds_count", {}),
        ("memalign_slack_ack_seconds_count", {"kind": "event"}),
        ("memalign_slack_ack_seconds_count", {"kind": "interaction"}),
        ("memalign_model_request_duration_seconds_count", {"model": "local:/cases", "purpose": "judging"}),
        (
            "memalign_model_requests_total",
            {"model": "local:/extract", "purpose": "distilling", "outcome": "answered"},
        ),
        (
            "memalign_model_tokens_total",
            {"model": "local:/wordllama", "purpose": "embedding", "kind": "embedding"},
        ),
    ):
        assert scrape.of(name, **labels) > 0, (name, labels)
    assert after_command.of("memalign_slack_ack_seconds_count", kind="command") == 1


async def test_an_event_that_slack_sends_again_is_no_further_vote(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        harness.react(await harness.show(), "+1")
        await harness.learned()
        for _ in range(3):
            harness.slack.faults.redeliver_last()
            await harness.slack.settled()
        harness.unreact(await harness.card("tr-1"), "+1")
        await harness.learned()
        assert (await scraped(harness)).of("memalign_votes_total", vote="up", way="reaction") == 1


async def test_each_429_of_slack_is_counted_by_method(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        harness.slack.faults.fail_next("chat.postMessage", status=429, retry_after=0, times=2)
        await harness.show()
        scrape = await scraped(harness)
    assert scrape.of("memalign_slack_rate_limits_total", method="chat.postMessage") == 2
    assert scrape.of("memalign_slack_requests_total", method="chat.postMessage", status="429") == 2


async def test_a_language_model_is_counted_with_tokens_time_and_failures(
    tmp_path: Path, server: ModelServer
) -> None:
    memory = {"reflection_lm": MODEL, "embedding_model": "openai:/e", "embedding_dim": 8}
    async with bot_in_workspace(tmp_path, judge={"model": MODEL}, memory=memory) as harness:
        await run_loop(harness)
        scrape = await scraped(harness)
    for purpose, kinds in (("judging", ("input", "output")), ("distilling", ("input", "output"))):
        answered = scrape.of(
            "memalign_model_requests_total", model=MODEL, purpose=purpose, outcome="answered"
        )
        timed = scrape.of("memalign_model_request_duration_seconds_count", model=MODEL, purpose=purpose)
        assert answered == timed > 0
        for kind in kinds:
            assert scrape.of("memalign_model_tokens_total", model=MODEL, purpose=purpose, kind=kind) > 0
    embedded = {"model": "openai:/e", "purpose": "embedding"}
    assert scrape.of("memalign_model_tokens_total", **embedded, kind="embedding") > 0
    assert scrape.of("memalign_model_requests_total", **embedded, outcome="answered") == len(
        server.of("embeddings")
    )


async def test_a_model_call_that_fails_is_told_with_its_error_and_without_cost(server: ModelServer) -> None:
    calls: list[ModelCall] = []
    embedder = connect_embedder("openai:/e", 8, observe=calls.append)
    server.embedding_faults.extend([overloaded()] * 20)
    with pytest.raises(ModelUnavailableError):
        await embedder.embed(["words"])
    server.embedding_faults.clear()
    await embedder.embed(["words"])
    failed, answered = calls
    assert (failed.model, failed.purpose, failed.usage.calls) == ("openai:/e", "embedding", 0)
    assert (model_outcome(failed.error), model_outcome(answered.error)) == ("rate limited", "answered")
    assert answered.usage.calls == 1
    assert (embedder.name, embedder.dimension) == ("openai:/e", 8)


def test_a_model_is_called_without_a_detour_where_nobody_observes() -> None:
    assert type(connect_judge_model("local:/cases")).__name__ == "CaseClassifier"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "answered"),
        (ModelUnavailableError("busy."), "unavailable"),
        (RequestFailedError("broken.", blame="this one."), "failed"),
        (ContentRefusedError("no."), "refused"),
        (MalformedAnswerError("odd."), "malformed"),
    ],
)
def test_an_outcome_is_one_of_a_few_words(error: ModelError | None, outcome: str) -> None:
    assert model_outcome(error) == outcome


async def test_any_address_that_is_none_is_one_series(tmp_path: Path) -> None:
    async with trace_server(tmp_path) as bot:
        for path in ("/nothing", "/wp-login.php", "/tr-1/etc"):
            assert (await bot.get(path))[0] == 404
        text = (await bot.get("/metrics"))[1]
    assert Scrape(text).of("memalign_http_requests_total", route="none", status="404") == 3
    assert "nothing" not in text
    assert "etc" not in text


async def test_what_waits_is_told_with_its_age(tmp_path: Path) -> None:
    hour_ms = 3_600_000
    async with trace_server(tmp_path) as bot:
        before = Scrape((await bot.get("/metrics"))[1])
        for name, age_ms in (("new", 0), ("old", hour_ms), ("newer", hour_ms // 2)):
            await bot.database.traces.add([(a_trace(name), [JUDGE])], now_ms() - age_ms, 1000)
        after = Scrape((await bot.get("/metrics"))[1])
    assert before.of("memalign_waiting_oldest_seconds", what="traces") == 0
    assert 3600 <= after.of("memalign_waiting_oldest_seconds", what="traces") < 7200
    assert after.of("memalign_waiting_oldest_seconds", what="feedback") == 0


async def test_names_units_and_labels_are_as_prometheus_recommends(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await run_loop(harness)
        _, text = await harness.get("/metrics")
        known = {harness.ana.id, harness.ben.id, "tr-1", "tr-2", REASON}
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    for family in families:
        assert re.fullmatch(r"(memalign|process)_[a-z0-9_]+", family.name), family.name
        assert family.documentation, family.name
        assert not family.name.endswith(UNITS_BESIDE), family.name
        assert family.type != "histogram" or family.name.endswith("_seconds"), family.name
        assert family.type != "unknown", family.name
        for sample in family.samples:
            assert family.type != "counter" or sample.name.endswith("_total"), sample.name
            assert not known & set(sample.labels.values()), sample
            assert all(re.fullmatch(r"[a-z]+", label) for label in sample.labels), sample


def test_a_counter_of_a_judge_begins_at_0_so_that_its_first_rise_is_seen() -> None:
    registry = Metrics(["polite", "short"]).registry
    for judge in ("polite", "short"):
        assert registry.get_sample_value("memalign_verdicts_total", {"judge": judge}) == 0
        assert registry.get_sample_value("memalign_lessons_total", {"judge": judge}) == 0
