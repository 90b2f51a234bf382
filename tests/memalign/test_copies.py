"""Copies and pickles of judges, and of all that judges take and give: each behaves like its original."""

import copy
import inspect
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from memalign import AlignedJudge, MemAlignOptimizer, errors, make_judge
from memalign.judges import AlignableJudge
from memalign.records import Json
from memalign.value_types import FeedbackValueType
from tests.factories import a_trace, a_vote
from tests.model_server import ModelServer, overloaded

INSTRUCTIONS = "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}"


def pickled(value: Json) -> Json:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own


def pickled_in_the_oldest_protocol(value: Json) -> Json:
    return pickle.loads(pickle.dumps(value, protocol=2))  # noqa: S301 - our own


WAYS = pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickled, pickled_in_the_oldest_protocol])


def a_judge(value_type: FeedbackValueType = bool) -> AlignableJudge:
    return make_judge("politeness", INSTRUCTIONS, "openai:/m", feedback_value_type=value_type)


def an_optimizer() -> MemAlignOptimizer:
    return MemAlignOptimizer(
        reflection_lm="openai:/r", retrieval_k=2, embedding_model="openai:/e", embedding_dim=64
    )


def aligned(count: int = 3) -> AlignedJudge:
    traces = [a_trace(f"tr-{n}", a_vote(n % 2 == 0, f"reason {n}")) for n in range(count)]
    return a_judge().align(traces, an_optimizer())


def vectors(judge: AlignedJudge, file: Path) -> list[str]:
    """The vectors of a judge's cases, as its file has them."""
    judge.save(file)
    return [each["row"] for each in json.loads(file.read_text(encoding="utf-8"))["episodes"]]


@pytest.mark.usefixtures("server")
@WAYS
def test_a_copied_judge_knows_and_says_the_same(make: Callable[[Json], Json], tmp_path: Path) -> None:
    judge = aligned()

    other = make(judge)

    assert other is not judge
    assert other.base == judge.base
    assert other.optimizer.settings == judge.optimizer.settings
    assert (other.instructions, other.guidelines, other.report) == (
        judge.instructions,
        judge.guidelines,
        judge.report,
    )
    assert list(other.episodes.items()) == list(judge.episodes.items())
    assert vectors(other, tmp_path / "b.json") == vectors(judge, tmp_path / "a.json")
    first, second = (each(inputs="question tr-1", outputs="answer tr-1") for each in (judge, other))
    assert (second.value, second.shown_guideline_ids, second.retrieved_trace_ids, second.similarities) == (
        first.value,
        first.shown_guideline_ids,
        first.retrieved_trace_ids,
        first.similarities,
    )


@WAYS
def test_a_copied_judge_learns_and_forgets_apart_from_its_original(
    server: ModelServer, make: Callable[[Json], Json]
) -> None:
    judge = aligned()
    texts = len(server.texts)

    other = make(judge).align([a_trace("tr-9", a_vote(True, "thanks are kind"))]).unalign(["tr-0"])

    assert list(judge.episodes) == ["tr-0", "tr-1", "tr-2"]
    assert list(other.episodes) == ["tr-1", "tr-2", "tr-9"]
    assert server.texts[texts:] == ["question tr-9", "answer tr-9"]


@WAYS
def test_what_waits_in_a_judge_waits_in_its_copy(server: ModelServer, make: Callable[[Json], Json]) -> None:
    server.faults.extend([overloaded()] * 5)
    judge = aligned(2)

    other = make(judge)

    assert other.report.pending == judge.report.pending
    assert set(other.pending) == set(judge.pending) == {"tr-0", "tr-1"}
    assert make(other.unalign(["tr-0"])).report.retracted == ("tr-0",)


@WAYS
@pytest.mark.parametrize("value_type", [bool, int, float, str, ["Good", "Bad"], Literal[1, 2, 3]])
def test_a_judge_that_has_learned_nothing_can_be_copied(
    make: Callable[[Json], Json], value_type: FeedbackValueType
) -> None:
    judge = a_judge(value_type)

    assert make(judge) == judge
    assert make(judge).value_type.setting == judge.value_type.setting


@pytest.mark.usefixtures("server")
@WAYS
def test_what_judges_take_and_give_can_be_copied(make: Callable[[Json], Json]) -> None:
    judge = aligned()
    verdict = judge(inputs="q", outputs="a")
    shorter = judge.unalign(["tr-0"])

    for value in (
        a_trace("tr-1", a_vote(False, "curt")),
        verdict,
        verdict.usage,
        judge.report,
        shorter.report,
        *judge.guidelines,
        *judge.episodes.values(),
    ):
        assert make(value) == value


@pytest.mark.usefixtures("server")
@WAYS
def test_an_optimizer_keeps_its_settings_and_none_of_its_connections(make: Callable[[Json], Json]) -> None:
    optimizer = an_optimizer()
    a_judge().align([a_trace("tr-1", a_vote())], optimizer)

    other = make(optimizer)

    assert type(other) is MemAlignOptimizer
    assert other.settings == optimizer.settings
    assert a_judge().align([a_trace("tr-2", a_vote())], other).pending == {}


ERRORS = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.MemAlignError)
]


@WAYS
@pytest.mark.parametrize("kind", ERRORS)
def test_errors_reach_another_process_whole(make: Callable[[Json], Json], kind: type[Exception]) -> None:
    wanted = inspect.signature(kind.__init__).parameters
    more = {name: "other" for name, each in wanted.items() if each.kind is each.KEYWORD_ONLY}
    error = kind("One sentence.", **more)

    other = make(error)

    assert type(other) is kind
    assert (str(other), vars(other)) == ("One sentence.", vars(error))


@pytest.mark.usefixtures("server")
def test_no_key_is_in_a_pickle() -> None:
    judge = aligned()
    judge(inputs="q", outputs="a")

    for value in (judge, judge.base, judge.optimizer):
        assert b"sk-secret" not in pickle.dumps(value)
        assert "sk-secret" not in repr(value)


def test_options_keep_their_headers_in_a_copy_and_leave_literal_ones_out_of_a_pickle(
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = {"X-Team": "sk-literal", "X-Route": "env:ROUTE"}
    options: Json = {"headers": headers, "timeout_seconds": 7, "params": {"temperature": 0}}
    judge = make_judge("politeness", INSTRUCTIONS, "openai:/m", model_options=options)
    optimizer = MemAlignOptimizer(model_options={"openai:/gpt-5-mini": options})

    assert copy.deepcopy(judge).model_options.headers == copy.copy(judge).model_options.headers == headers
    assert copy.deepcopy(optimizer).settings == optimizer.settings
    with caplog.at_level("WARNING", logger="memalign"):
        other = pickled(judge).model_options
    assert (other.headers, other.timeout_seconds, other.params) == (
        {"X-Route": "env:ROUTE"},
        7,
        {"temperature": 0},
    )
    assert "X-Team" in caplog.text
    for value in (judge, optimizer):
        assert b"sk-literal" not in pickle.dumps(value)
        assert "sk-literal" not in repr(value) + caplog.text


@pytest.mark.usefixtures("server")
def test_a_judge_says_what_it_is() -> None:
    judge = aligned()

    assert repr(judge) == "AlignedJudge(name='politeness', model='openai:/m', episodes=3, guidelines=3)"
    assert "reflection_lm='openai:/r', retrieval_k=2" in repr(judge.optimizer)
