"""Trace -> verdict -> feedback -> lesson -> verdict with a model of 135 million parameters, at contexts of 2,048 and
4,096 tokens, with and without a schema.

It answers badly. What has to hold all the same: nothing is lost, nothing hangs, no word of a prompt's template becomes
a guideline. Each test prints what was seen. Run by `make test-llm`, not by `make test`.
"""

import faulthandler
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from memalign import AlignedJudge, Assessment, MemAlignOptimizer, Trace, make_judge
from memalign.errors import ModelError
from memalign.judges import AlignableJudge, LibraryJudge
from memalign.records import Json
from tests.bot.bot_in_workspace import free_port

CALL_SECONDS = 120
TEST_SECONDS = 1_800
"""After this a test counts as hanging, and the run ends with the place where each thread is."""
START_SECONDS = 60
MODEL = "openai:/smollm2"
TEMPLATE_WORDS = frozenset(
    {
        "one sentence",
        "the guideline",
        "guideline",
        "guidelines",
        "text",
        "record",
        "records",
        "rule",
        "rules",
        "same",
        "supports",
        "contradicts",
        "string",
        "rationale",
        "value",
    }
)
REASONS = (
    (
        "Where do I return this?",
        "Read the manual, it is not my job.",
        False,
        "An answer must not send people away.",
    ),
    (
        "Can you help me with the form?",
        "Of course. Which line is unclear?",
        True,
        "It offers help before it asks.",
    ),
    ("My parcel is late.", "So what.", False, "Never be dismissive of a complaint."),
    ("Thanks!", "You are welcome, have a good day.", True, "Thanks are answered with a greeting."),
)
LONG = "The customer wrote once more, and said that nobody had answered the earlier letter. " * 250


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallModel:
    """A server, and how it is asked."""

    base_url: str
    structured: str
    context: int

    @property
    def options(self) -> dict[str, Json]:
        """Of the model, for judge and optimizer."""
        return {
            "base_url": self.base_url,
            "api_key_env": "",
            "timeout_seconds": CALL_SECONDS,
            "max_output_tokens": 256,
            "structured": self.structured,
        }


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """Counts and failures of the calls of one test."""

    verdicts: int = 0
    failures: list[str] = field(default_factory=list)

    def judge(self, judge: LibraryJudge, trace: Trace) -> None:
        """Ask for a verdict: it is given, or an error says in a sentence why not."""
        started = time.monotonic()
        try:
            verdict = judge(trace=trace)
        except ModelError as error:
            self.failures.append(f"{trace.trace_id}: {error}")
        else:
            assert isinstance(verdict.value, bool)
            self.verdicts += 1
        assert time.monotonic() - started < 3 * CALL_SECONDS


@pytest.fixture(scope="module", params=[2_048, 4_096])
def running_server(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """A server of this context on loopback."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.llm.server", str(request.param), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(port)
        yield f"http://127.0.0.1:{port}/v1", request.param
    finally:
        process.kill()
        process.wait()


def wait_until_ready(port: int) -> None:
    for _ in range(START_SECONDS * 2):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (TimeoutError, urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.5)
    pytest.fail("The server of the small model does not start.")


@pytest.fixture(params=["json_schema", "none"])
def model(request: pytest.FixtureRequest, running_server: tuple[str, int]) -> Iterator[SmallModel]:
    """The server, asked with a schema and without; a hanging test ends the run."""
    base_url, context = running_server
    faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)
    yield SmallModel(base_url=base_url, structured=request.param, context=context)
    faulthandler.cancel_dump_traceback_later()


def a_judge(model: SmallModel) -> AlignableJudge:
    return make_judge(
        "politeness",
        "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}",
        MODEL,
        feedback_value_type=bool,
        model_options=model.options,
    )


def an_optimizer(model: SmallModel) -> MemAlignOptimizer:
    return MemAlignOptimizer(
        reflection_lm=MODEL, embedding_model="local:/wordllama", model_options={MODEL: model.options}
    )


def traces() -> list[Trace]:
    return [
        Trace(
            trace_id=f"tr-{number}",
            inputs=question,
            outputs=answer,
            assessments=[Assessment(name="politeness", value=label, rationale=reason, source_id="ana")],
        )
        for number, (question, answer, label, reason) in enumerate(REASONS)
    ]


def long_trace(trace_id: str = "tr-long") -> Trace:
    return Trace(trace_id=trace_id, inputs=LONG, outputs="We do not answer letters.")


def assert_no_template_word(judge: AlignedJudge) -> None:
    for rule in judge.guidelines:
        text = " ".join(rule.text.lower().strip(" .!\"'").split())
        assert text not in TEMPLATE_WORDS
        assert len(text.split()) >= 3, rule.text
        assert set(rule.source_trace_ids) <= set(judge.episodes)


def test_the_loop_loses_nothing_and_ends(model: SmallModel) -> None:
    started, outcomes = time.monotonic(), Outcomes()
    judge = a_judge(model)
    outcomes.judge(judge, traces()[0])
    outcomes.judge(judge, long_trace())

    learned = judge.align(traces(), an_optimizer(model))

    assert list(learned.episodes) == [trace.trace_id for trace in traces()]
    assert {*learned.report.learned, *learned.report.pending} == set(learned.episodes)
    assert [episode.label for episode in learned.episodes.values()] == [label for _, _, label, _ in REASONS]
    assert_no_template_word(learned)
    again = learned.align(traces())
    assert list(again.episodes) == list(learned.episodes)
    assert set(again.pending) <= set(learned.pending)
    assert_no_template_word(again)
    for trace in traces()[:2]:
        outcomes.judge(again, trace)
    shorter = again.unalign(["tr-0"])
    assert list(shorter.episodes) == ["tr-1", "tr-2", "tr-3"]
    assert all("tr-0" not in rule.source_trace_ids for rule in shorter.guidelines)
    assert_no_template_word(shorter)
    print(
        f"\ncontext {model.context}, structured {model.structured}: {time.monotonic() - started:.0f} s, "
        f"{outcomes.verdicts} verdicts of 4, {len(learned.report.learned)} of 4 distilled at once, "
        f"{len(again.report.learned)} more by trying again, waiting: {dict(again.pending)}, "
        f"guidelines: {[rule.text for rule in again.guidelines]}, failures: {outcomes.failures}"
    )


def test_five_long_cases_leave_room_for_a_verdict(model: SmallModel) -> None:
    judge, outcomes = a_judge(model), Outcomes()
    cases = [
        Trace(
            trace_id=f"tr-{number}",
            inputs=f"{number} {LONG}",
            outputs="We do not answer letters.",
            assessments=[Assessment(name="politeness", value=False, source_id="ana")],
        )
        for number in range(5)
    ]
    learned = judge.align(cases, an_optimizer(model))
    outcomes.judge(learned, long_trace())

    assert len(learned.episodes) == 5
    assert not any("too long" in failure or "context" in failure for failure in outcomes.failures)
    print(f"\ncontext {model.context}, structured {model.structured}: {outcomes}")
