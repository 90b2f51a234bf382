"""The whole way of a judge through a real MLflow: the calls of its tutorials, evaluation, its registry, and a judge
that its own MemAlign has aligned. Skipped where MLflow is not installed; see `make test-mlflow`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from memalign import MemAlignOptimizer, SettingsError, load_mlflow_judge, make_judge
from memalign.judges import AlignableJudge, AlignedJudge
from memalign.records import Json
from tests.fakes import section
from tests.model_server import Fault, ModelServer

# they are read when these packages are imported; nothing leaves this machine
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_MODEL_CATALOG_URI", "")
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("DSPY_DISABLE_DISK_CACHE", "true")
mlflow: Any = pytest.importorskip("mlflow", reason="MLflow is not installed")
genai: Any = pytest.importorskip("mlflow.genai")
entities: Any = pytest.importorskip("mlflow.entities")
pytest.importorskip("sqlalchemy")
pytestmark = pytest.mark.filterwarnings("default")

INSTRUCTIONS = "Is the answer helpful? Question: {{ inputs }} Answer: {{ outputs }}"
CASES = [
    ("How do I reset it?", "Hold the button for ten seconds.", True, "Steps that can be done are helpful."),
    ("Can I have a refund?", "No.", False, "Never refuse without a reason."),
    ("Where is my order?", "It is there.", False, "Name the place."),
]
UNTAUGHT = [{"inputs": {"query": "And now?"}, "outputs": "Wait."}]


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An empty store; its tables take seconds to make."""
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")
    yield
    mlflow.set_tracking_uri(None)


@pytest.fixture
def experiment(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An experiment of the test's own; its id."""
    monkeypatch.setenv("OPENAI_API_BASE", f"{server.url}/v1")
    monkeypatch.chdir(tmp_path)
    yield mlflow.set_experiment(f"memalign-{tmp_path.name}").experiment_id
    mlflow.flush_trace_async_logging()


def a_run(question: Json, answer: Json, session: str | None = None) -> str:
    """Record a run of an application; returns the id of its trace."""
    with mlflow.start_span("answer") as span:
        span.set_inputs({"query": question})
        span.set_outputs(answer)
        if session:
            mlflow.update_current_trace(metadata={"mlflow.trace.session": session})
    mlflow.flush_trace_async_logging()
    return str(span.trace_id)


def a_person(name: str = "ana") -> Any:
    return entities.AssessmentSource(
        source_type=entities.AssessmentSourceType.HUMAN, source_id=f"{name}@example.com"
    )


def labelled_traces(experiment: str, judge: str = "helpfulness", labels: Any = (True, False, False)) -> Any:
    for (question, answer, _, reason), label in zip(CASES, labels, strict=True):
        mlflow.log_feedback(
            trace_id=a_run(question, answer), name=judge, value=label, rationale=reason, source=a_person()
        )
    return mlflow.search_traces(locations=[experiment], return_type="list")


def a_judge(**arguments: Any) -> AlignableJudge:
    return make_judge(
        **{
            "name": "helpfulness",
            "instructions": INSTRUCTIONS,
            "feedback_value_type": bool,
            "model": "openai:/gpt-4.1-mini",
            **arguments,
        }
    )


def an_optimizer() -> MemAlignOptimizer:
    return MemAlignOptimizer(
        reflection_lm="openai:/gpt-4.1-mini",
        retrieval_k=3,
        embedding_model="openai:/text-embedding-3-small",
    )


def an_aligned_judge(experiment: str) -> AlignedJudge:
    return a_judge().align(traces=labelled_traces(experiment), optimizer=an_optimizer())


def test_the_calls_of_the_tutorial_on_helpfulness(experiment: str, server: ModelServer) -> None:
    initial_judge = a_judge(name="helpfulness")
    before = initial_judge(inputs={"query": "Hello?"}, outputs="Hm.")
    traces = labelled_traces(experiment)

    aligned_judge = initial_judge.align(traces=traces, optimizer=an_optimizer())
    after = aligned_judge(inputs={"query": "Can I have a refund?"}, outputs="No.")
    shown = server.of("chat")[-1].body["messages"]
    unaligned = aligned_judge.unalign(
        traces=[trace for trace in traces if "refund" in str(trace.data.request)]
    )
    registered = aligned_judge.to_mlflow_scorer().register(experiment_id=experiment)

    assert (before.value, after.value, after.rationale) == (False, False, "simulated")
    assert {*aligned_judge.instructions.splitlines()[3:]} == {f"- {reason}" for *_, reason in CASES}
    assert "Never refuse without a reason." in shown[0]["content"]
    assert len(section(shown[1]["content"], "cases")) >= 1
    assert "Never refuse" not in unaligned.instructions
    assert len(unaligned.episodes) == 2
    found = genai.scorers.get_scorer(name=registered.name, experiment_id=experiment)
    assert "Never refuse without a reason." in found.instructions


def test_the_calls_of_the_tutorial_on_a_databricks_workspace(
    experiment: str, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", f"{server.url}/v1")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-secret")
    judge = a_judge(model="databricks:/databricks-gpt-5-mini")
    optimizer = MemAlignOptimizer(
        reflection_lm="databricks:/databricks-claude-sonnet-4-5",
        retrieval_k=5,
        embedding_model="endpoints:/databricks-gte-large-en",
    )

    aligned = judge.align(labelled_traces(experiment), optimizer)
    aligned(inputs={"query": "Can I have a refund?"}, outputs="No.")

    assert [call.body["model"] for call in server.of("chat")] == [
        "databricks-claude-sonnet-4-5",
        "databricks-gpt-5-mini",
    ]
    assert {call.body["model"] for call in server.of("embeddings")} == {"databricks-gte-large-en"}


def test_the_calls_of_the_tutorial_on_classification(experiment: str, server: ModelServer) -> None:
    judge = a_judge(
        name="classification",
        instructions="Is {{ outputs }} the right class of {{ inputs }}? Answer Yes or No.",
        feedback_value_type=Literal["Yes", "No"],
    )
    traces = labelled_traces(experiment, "classification", ("Yes", "No", "No"))
    server.answers.extend(['{"rationale": "It is.", "value": "yes"}'] * 3)
    before = genai.evaluate(data=traces, scorers=[judge.to_mlflow_scorer()])

    aligned = judge.align(traces=traces, optimizer=an_optimizer())
    after = genai.evaluate(data=traces, scorers=[aligned.to_mlflow_scorer()])

    assert list(before.result_df["classification/value"]) == ["Yes", "Yes", "Yes"]
    # the label that the simulated model finds among the cases; a trace's own case is not shown for it
    assert set(after.result_df["classification/value"]) <= {"Yes", "No"}
    assert [episode.label for episode in aligned.episodes.values()].count("No") == 2


def test_a_scorer_is_evaluated_row_by_row_and_its_mean_is_reported(experiment: str) -> None:
    scorer = an_aligned_judge(experiment).to_mlflow_scorer()

    result = genai.evaluate(data=UNTAUGHT, scorers=[scorer])

    assert result.metrics == {"helpfulness/mean": 0.0}
    assert list(result.result_df["helpfulness/value"]) == [False]
    (trace,) = mlflow.search_traces(
        locations=[experiment], run_id=result.run_id, return_type="list", max_results=5
    )
    (assessment,) = trace.info.assessments
    assert (assessment.name, assessment.value, assessment.rationale) == ("helpfulness", False, "simulated")
    assert (assessment.source.source_type, assessment.source.source_id) == ("LLM_JUDGE", "memalign")
    assert assessment.error is None
    assert len(json.loads(assessment.metadata["shown_guideline_ids"])) == 3


@pytest.mark.usefixtures("experiment")
def test_a_model_that_fails_is_an_error_of_the_feedback(server: ModelServer) -> None:
    refusal = Fault(status=401, body='{"error": {"message": "wrong key", "type": "auth"}}')
    server.faults.extend([refusal] * 3)

    result = genai.evaluate(data=UNTAUGHT, scorers=[a_judge().to_mlflow_scorer()])

    (row,) = result.result_df["assessments"]
    (assessment,) = [each for each in row if each["assessment_name"] == "helpfulness"]
    assert "OPENAI_API_KEY" in json.dumps(assessment["feedback"]["error"])


def test_feedback_of_a_verdict_is_logged_on_its_trace(experiment: str) -> None:
    learned = an_aligned_judge(experiment)
    trace_id = a_run("Can I have a refund?", "No.")

    feedback = learned(trace=mlflow.get_trace(trace_id)).to_feedback()
    mlflow.log_assessment(trace_id, feedback)

    assert isinstance(feedback, entities.Feedback)
    assert (feedback.trace_id, feedback.error) == (trace_id, None)
    (logged,) = mlflow.get_trace(trace_id).info.assessments
    assert (logged.name, logged.value, logged.rationale) == ("helpfulness", False, "simulated")
    shown = json.loads(logged.metadata["retrieved_example_trace_ids"])
    assert learned.episodes[shown[0]].fields["inputs"] == {"query": "Can I have a refund?"}


def test_the_case_keeps_what_led_a_verdict_that_was_logged_and_then_answered(experiment: str) -> None:
    learned = an_aligned_judge(experiment)
    trace_id = a_run("Can I have a refund?", "No.")
    verdict = learned(trace=mlflow.get_trace(trace_id))
    mlflow.log_assessment(trace_id, verdict.to_feedback())
    person = entities.AssessmentSource(source_type="HUMAN", source_id="ana")
    mlflow.log_feedback(trace_id=trace_id, name="helpfulness", value=True, source=person)

    again = learned.align([mlflow.get_trace(trace_id)])

    case = again.episodes[trace_id].verdict
    assert len(verdict.shown_guideline_ids) == 3
    assert case is not None
    assert case.guideline_ids == verdict.guideline_ids == verdict.shown_guideline_ids[:1]


def test_a_judge_of_conversations_scores_sessions(experiment: str, server: ModelServer) -> None:
    for question, answer in (("Where is it?", "On its way."), ("When?", "Soon.")):
        a_run(question, answer, session="s-1")
    judge = a_judge(name="content", instructions="Is the user content? {{ conversation }}")
    traces = mlflow.search_traces(locations=[experiment], return_type="list")

    result = genai.evaluate(data=traces, scorers=[judge.to_mlflow_scorer()])

    (call,) = server.of("chat")
    (record,) = section(call.body["messages"][1]["content"], "record")
    said = [turn["content"] for turn in json.loads(record)["conversation"]]
    assert said == ["Where is it?", "On its way.", "When?", "Soon."]
    assert list(result.result_df["content/value"].dropna()) == [False]


def test_a_judge_of_conversations_of_mlflow_is_aligned_by_calling_the_optimizer(experiment: str) -> None:
    theirs = genai.judges.make_judge(
        name="helpfulness",
        instructions="Content? {{ conversation }}",
        model="openai:/m",
        feedback_value_type=bool,
    )
    first = a_run("Where is it?", "On its way.", session="s-1")
    a_run("When?", "Soon.", session="s-1")
    mlflow.log_feedback(
        trace_id=first, name="helpfulness", value=False, rationale="Name a day.", source=a_person()
    )
    traces = mlflow.search_traces(locations=[experiment], return_type="list")
    with pytest.raises(NotImplementedError):
        theirs.align(traces, optimizer=an_optimizer())

    learned = an_optimizer().align(theirs, traces)

    assert learned.is_session_level_scorer
    (episode,) = learned.memalign_judge.episodes.values()
    said = [turn["content"] for turn in episode.fields["conversation"]]
    assert said == ["Where is it?", "On its way.", "When?", "Soon."]


def test_a_registered_judge_is_one_of_mlflows_with_the_guidelines_and_comes_back(
    experiment: str, server: ModelServer
) -> None:
    learned = an_aligned_judge(experiment)
    scorer = learned.to_mlflow_scorer()

    registered = scorer.register(name="helpful", experiment_id=experiment)
    found = genai.scorers.get_scorer(name="helpful", experiment_id=experiment)
    server.answers.append('{"result": true, "rationale": "theirs"}')
    theirs = found(inputs={"query": "Can I have a refund?"}, outputs="No.")
    traces = mlflow.search_traces(locations=[experiment], return_type="list")
    back = load_mlflow_judge(found, traces)

    assert (scorer.name, registered.name, theirs.value, theirs.rationale) == (
        "helpfulness",
        "helpful",
        True,
        "theirs",
    )
    assert type(found).__name__ == "MemoryAugmentedJudge"
    assert {rule.text: rule.source_trace_ids for rule in back.guidelines} == {
        rule.text: rule.source_trace_ids for rule in learned.guidelines
    }
    plain = a_judge().to_mlflow_scorer()
    assert plain.register(experiment_id=experiment).name == "helpfulness"
    restored = genai.scorers.get_scorer(name="helpfulness", experiment_id=experiment)
    assert (restored.instructions, restored.feedback_value_type) == (INSTRUCTIONS, bool)


def test_a_judge_whose_model_runs_here_only_is_not_registered(experiment: str) -> None:
    with pytest.raises(SettingsError, match=r"save it with AlignedJudge\.save"):
        a_judge(model="local:/cases").to_mlflow_scorer().register(experiment_id=experiment)


@pytest.mark.parametrize("form", [lambda judge: judge, lambda judge: judge.model_dump(), None])
def test_what_mlflows_own_memalign_has_learned_is_taken_over(
    experiment: str, server: ModelServer, form: Any
) -> None:
    pytest.importorskip("dspy")
    traces = labelled_traces(experiment)
    theirs = genai.judges.make_judge(
        name="helpfulness", instructions=INSTRUCTIONS, model="openai:/gpt-4.1-mini", feedback_value_type=bool
    )
    rules = [
        {"guideline_text": "Never refuse without a reason.", "source_trace_ids": [0]},
        {"guideline_text": "Name the place.", "source_trace_ids": [1, 2]},
    ]
    server.answers.append(json.dumps({"guidelines": rules}))
    own = genai.judges.optimizers.MemAlignOptimizer(
        reflection_lm="openai:/gpt-4.1-mini",
        retrieval_k=2,
        embedding_model="openai:/text-embedding-3-small",
        embedding_dim=64,
    )
    aligned = theirs.align(traces, own)
    sources = {rule.guideline_text: {*rule.source_trace_ids} for rule in aligned._semantic_memory}
    if form is None:
        aligned.register(experiment_id=experiment)
        given = genai.scorers.get_scorer(name="helpfulness", experiment_id=experiment)
    else:
        given = form(aligned)
    chats = len(server.of("chat"))

    learned = load_mlflow_judge(given, traces)

    assert len(sources) == 2
    assert {rule.text: {*rule.source_trace_ids} for rule in learned.guidelines} == sources
    assert {source.person for rule in learned.guidelines for source in rule.sources} == {"ana@example.com"}
    assert set(learned.episodes) == {trace.info.trace_id for trace in traces}
    assert (learned.optimizer.settings.retrieval_k, learned.optimizer.settings.embedding_dim) == (2, 64)
    assert len(server.of("chat")) == chats
    assert learned(inputs={"query": "Can I have a refund?"}, outputs="No.").value is False
    again = given.align(traces, optimizer=an_optimizer()) if hasattr(given, "align") else None
    assert again is None or {rule.text for rule in again.memalign_judge.guidelines} >= set(sources)
