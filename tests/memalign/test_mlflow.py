"""Beside a real MLflow: scorers, feedback, its judges and their memory. Skipped where MLflow is not installed, which no
requirement asks for: `make test-mlflow` installs it."""

import json
import pickle
from typing import Any, Literal, get_args

import pytest

from memalign import (
    Assessment,
    InputError,
    MemAlignOptimizer,
    SettingsError,
    Trace,
    load_mlflow_judge,
    make_judge,
)
from memalign.judges import AlignableJudge
from memalign.records import Json
from tests.factories import a_trace, a_vote
from tests.model_server import ModelServer

mlflow = pytest.importorskip("mlflow.genai", reason="MLflow is not installed")

INSTRUCTIONS = "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}"
pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.usefixtures("server"),
]


def an_optimizer() -> MemAlignOptimizer:
    return MemAlignOptimizer(reflection_lm="openai:/r", embedding_model="openai:/e", embedding_dim=64)


def a_judge() -> AlignableJudge:
    return make_judge("politeness", INSTRUCTIONS, "openai:/m", feedback_value_type=bool)


def traces() -> list[Trace]:
    return [a_trace(f"tr-{n}", a_vote(n % 2 == 0, f"Mind number {n}.")) for n in range(3)]


def their_judge(value_type: Any = bool) -> Any:
    return mlflow.judges.make_judge(
        name="politeness",
        instructions=INSTRUCTIONS,
        model="openai:/m",
        feedback_value_type=value_type,
        inference_params={"temperature": 0},
        base_url=None,
    )


def their_dump(guidelines: list[dict[str, Json]], **settings: Json) -> dict[str, Json]:
    """The dump of a judge that MLflow has aligned, around a real dump of its base."""
    chosen = {
        "reflection_lm": "openai:/r",
        "retrieval_k": 2,
        "embedding_model": "openai:/e",
        "embedding_dim": 64,
    }
    base = their_judge().model_dump()
    memory = {"base_judge": base, "episodic_trace_ids": ["tr-0"], "semantic_memory": guidelines}
    return {
        **base,
        "instructions_judge_pydantic_data": None,
        "memory_augmented_judge_data": {**memory, **chosen, **settings},
    }


def test_a_verdict_becomes_feedback() -> None:
    learned = a_judge().align(traces(), an_optimizer())

    feedback = learned(inputs="question tr-1", outputs="answer tr-1", trace_id="tr-9").to_feedback()

    assert (feedback.name, feedback.value, feedback.rationale) == ("politeness", False, "simulated")
    assert (feedback.source.source_type, feedback.source.source_id) == ("LLM_JUDGE", "memalign")
    assert feedback.trace_id == "tr-9"
    assert "tr-1" in json.loads(feedback.metadata["retrieved_example_trace_ids"])


def test_a_judge_is_a_scorer_of_evaluate() -> None:
    learned = a_judge().align(traces(), an_optimizer())
    for judge in (a_judge(), learned):
        scorer = judge.to_mlflow_scorer()

        result = scorer.run(inputs={"question": "why"}, outputs="because")

        assert isinstance(scorer, mlflow.scorers.Scorer)
        assert (result.name, result.value) == ("politeness", False)
        assert scorer.feedback_value_type is bool
        assert [each.name for each in scorer.get_input_fields()] == ["inputs", "outputs"]
        assert scorer.instructions == judge.instructions
    assert learned.to_mlflow_scorer().unalign(["tr-0"]).memalign_judge.report.retracted == ("tr-0",)


def test_their_judge_is_aligned_by_our_optimizer() -> None:
    learned = their_judge().align(traces(), optimizer=an_optimizer())

    assert learned.instructions.endswith("- Mind number 0.\n- Mind number 1.\n- Mind number 2.")
    assert learned(inputs="question", outputs="answer").value is False
    again = learned.align([a_trace("tr-9", a_vote(True, "Greet."))])
    assert list(again.memalign_judge.episodes) == ["tr-0", "tr-1", "tr-2", "tr-9"]
    assert again.memalign_judge.base.model_options.params == {"temperature": 0}


@pytest.mark.parametrize("value_type", [bool, int, float, str, Literal["good", "bad"], bool | None])
def test_the_value_type_of_their_judge_is_kept(value_type: Any) -> None:
    label: Json = {bool: True, int: 3, float: 2.5, str: "fine", bool | None: True}.get(value_type, "good")
    vote = Assessment(name="politeness", value=label, rationale="So.", source_id="ana")
    given = [Trace(trace_id="tr-1", inputs="q", outputs="a", assessments=[vote])]

    for judge in (their_judge(value_type), their_judge(value_type).model_dump()):
        learned = load_mlflow_judge(judge, given, an_optimizer())
        assert learned.episodes["tr-1"].label == label
        assert learned.to_mlflow_scorer().feedback_value_type in (value_type, *get_args(value_type))


@pytest.mark.parametrize("form", [lambda dump: dump, json.dumps])
def test_what_mlflow_has_aligned_is_taken_over(server: ModelServer, form: Any) -> None:
    dump = their_dump(
        [
            {"guideline_text": "Mind the first.", "source_trace_ids": ["tr-0", "tr-1"]},
            {"guideline_text": "Mind what is gone.", "source_trace_ids": ["tr-7"]},
            {"guideline_text": "Mind by hand.", "source_trace_ids": None},
            {"guideline_text": "mind the  first", "source_trace_ids": ["tr-2"]},
            {"guideline_text": " ", "source_trace_ids": ["tr-2"]},
        ]
    )

    learned = load_mlflow_judge(form(dump), [*traces(), a_trace("tr-8")])

    assert [(rule.text, rule.source_trace_ids) for rule in learned.guidelines] == [
        ("Mind the first.", ("tr-0", "tr-1", "tr-2")),
        ("Mind by hand.", ()),
    ]
    assert all(rule.in_use for rule in learned.guidelines)
    assert [source.quote for source in learned.guidelines[0].sources][:2] == [
        "Mind number 0.",
        "Mind number 1.",
    ]
    assert list(learned.episodes) == ["tr-0", "tr-1", "tr-2"]
    assert set(learned.report.learned) == {"tr-0", "tr-1", "tr-2"}
    assert set(learned.report.rejected) == {"tr-7", "tr-8"}
    assert "was not among the traces given" in learned.report.rejected["tr-7"]
    assert learned.pending == {}
    assert server.of("chat") == []
    verdict = learned(inputs="question tr-1", outputs="answer tr-1")
    assert len(verdict.retrieved_trace_ids) == 2
    assert learned.optimizer.settings.retrieval_k == 2
    assert learned.align(traces()).report.unchanged == ("tr-0", "tr-1", "tr-2")
    rest = learned.unalign(["tr-0", "tr-1", "tr-2"]).guidelines
    assert [rule.text for rule in rest] == ["Mind by hand."]


def test_another_model_can_judge_from_now_on(server: ModelServer) -> None:
    learned = load_mlflow_judge(
        their_dump([]), traces(), model="openai:/other", model_options={"base_url": f"{server.url}/openai/v1"}
    )

    learned(inputs="question", outputs="answer")

    (call,) = server.of("chat")
    assert (call.body["model"], call.path) == ("other", "/openai/v1/chat/completions")
    assert learned.name == "politeness"


@pytest.mark.parametrize(
    ("value_type", "words"),
    [(list[str], "make a judge for each value"), (Literal["good"], "at least two categories")],
)
def test_a_judge_with_values_that_none_here_gives_is_told(value_type: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_mlflow_judge(their_judge(value_type), traces())


@pytest.mark.parametrize("wrong", ["", "{}", "nonsense", {}, None, 7, {"name": "x"}])
def test_what_is_no_judge_is_told(wrong: Json) -> None:
    with pytest.raises(InputError, match="A judge of MLflow's was expected"):
        load_mlflow_judge(wrong, traces())
    with pytest.raises(InputError, match="A judge of MLflow's was expected"):
        an_optimizer().align(wrong, traces())


def test_judges_can_be_pickled_by_value_as_mlflow_does() -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    learned = a_judge().align(traces(), an_optimizer())

    for judge in (learned, learned.to_mlflow_scorer()):
        other = pickle.loads(cloudpickle.dumps(judge))  # noqa: S301 - our own
        assert other.instructions == learned.instructions
        assert other(inputs="q", outputs="a").value is False
