"""Code that was written for MLflow's judges: each parameter is used, or refused in a sentence."""

import copy
import inspect
import json
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, Optional

import pytest

from memalign import AlignedJudge, Assessment, MemAlignOptimizer, Trace, load_judge, make_judge
from memalign.errors import InputError, MemAlignError, SettingsError
from memalign.judges import AlignableJudge
from memalign.models import canonical_name
from memalign.records import Json
from memalign.value_types import value_type_of
from tests.factories import POLITENESS, a_trace, a_vote
from tests.fakes import section
from tests.memalign.mlflow_signatures import (
    ALIGN,
    CALL,
    FEEDBACK_NAMES,
    JUDGE_NAMES,
    MAKE_JUDGE,
    MEMALIGN_OPTIMIZER,
    OPTIMIZER_ALIGN,
    REQUIRED,
    UNALIGN,
)
from tests.model_server import Call, ModelServer

REQUIRED_ARGUMENTS: Json = {"name": "politeness", "instructions": POLITENESS}
JUDGE_DEFAULTS: Json = {**MAKE_JUDGE, **REQUIRED_ARGUMENTS}
OPTIMIZER: Json = {"reflection_lm": "openai:/r", "embedding_model": "openai:/e", "embedding_dim": 64}


class ModelAPI(StrEnum):
    """As MLflow's."""

    DEFAULT = "default"
    DECISIONS = "decisions"


@dataclass(frozen=True, kw_only=True)
class Use:
    """A value of a parameter, and what has to come of it."""

    parameter: str
    value: Any
    seen: Callable[[Call], Any]
    expected: Any
    others: Mapping[str, Any] = field(default_factory=dict)


def schema_of(call: Call) -> Json:
    return call.body["response_format"]["json_schema"]["schema"]


JUDGE_USES = [
    Use(parameter="name", value="kindness", seen=lambda call: call.kind, expected="chat"),
    Use(
        parameter="instructions",
        value="Is {{ inputs }} kind?",
        seen=lambda call: "Is {{ inputs }} kind?" in call.body["messages"][0]["content"],
        expected=True,
    ),
    Use(parameter="model", value="openai:/other", seen=lambda call: call.body["model"], expected="other"),
    Use(
        parameter="description",
        value="Kind words?",
        seen=lambda call: "Kind words?" in json.dumps(call.body),
        expected=False,
    ),
    Use(
        parameter="feedback_value_type",
        value=bool,
        seen=lambda call: schema_of(call)["properties"]["value"],
        expected={"type": "boolean"},
    ),
    Use(
        parameter="inference_params",
        value={"temperature": 0.25, "top_p": 0.5},
        seen=lambda call: (call.body["temperature"], call.body["top_p"]),
        expected=(0.25, 0.5),
    ),
    Use(
        parameter="base_url",
        value="{url}/openai/v1",
        seen=lambda call: call.path,
        expected="/openai/v1/chat/completions",
    ),
    Use(
        parameter="extra_headers",
        value={"X-Team": "quality"},
        seen=lambda call: {name.lower(): value for name, value in call.headers.items()}["x-team"],
        expected="quality",
    ),
    Use(
        parameter="include_timing_in_conversation",
        value=False,
        seen=lambda call: call.kind,
        expected="chat",
    ),
    Use(
        parameter="generate_rationale_first",
        value=False,
        seen=lambda call: list(schema_of(call)["properties"]),
        expected=["value", "rationale", "guidelines", "cases"],
    ),
    Use(
        parameter="generate_rationale_first",
        value=True,
        seen=lambda call: list(schema_of(call)["properties"]),
        expected=["rationale", "guidelines", "cases", "value"],
    ),
    Use(
        parameter="generate_rationale_first",
        value=None,
        seen=lambda call: list(schema_of(call)["properties"]),
        expected=["rationale", "guidelines", "cases", "value"],
    ),
    Use(parameter="model_api", value="chat_completions", seen=lambda call: call.kind, expected="chat"),
    Use(parameter="model_api", value=ModelAPI.DEFAULT, seen=lambda call: call.kind, expected="chat"),
]

OPTIMIZER_USES = [
    Use(
        parameter="reflection_lm", value="openai:/deep", seen=lambda call: call.body["model"], expected="deep"
    ),
    Use(
        parameter="retrieval_k",
        value=1,
        seen=lambda call: len(section(call.body["messages"][-1]["content"], "cases")),
        expected=1,
    ),
    Use(
        parameter="embedding_model",
        value="openai:/vectors",
        seen=lambda call: call.body["model"],
        expected="vectors",
    ),
    Use(parameter="embedding_dim", value=7, seen=lambda call: call.body["dimensions"], expected=7),
]
OPTIMIZER_CALLS: Mapping[str, Callable[[ModelServer], Call]] = {
    "reflection_lm": lambda server: server.of("chat")[0],
    "retrieval_k": lambda server: server.of("chat")[-1],
    "embedding_model": lambda server: server.of("embeddings")[0],
    "embedding_dim": lambda server: server.of("embeddings")[0],
}

JUDGE_REFUSALS = [
    ("name", None, "A judge needs a name."),
    ("name", "", "A judge needs a name."),
    ("instructions", None, "write them as a text"),
    ("instructions", "Is it kind?", "use no template variable"),
    ("model", bool, "write feedback_value_type=… to give the labels"),
    ("model", "databricks", "name a serving endpoint: databricks:/NAME"),
    ("feedback_value_type", list[str], "make a judge for each value"),
    ("feedback_value_type", dict[str, int], "make a judge for each value"),
    ("feedback_value_type", Literal["good"], "at least two categories"),
    ("inference_params", {"stream": True}, "stream cannot be set"),
    ("inference_params", 5, "expected values by name"),
    ("base_url", "nowhere", "base_url is no address"),
    ("base_url", 5, "base_url is no address"),
    ("extra_headers", {"X-Team": 5}, "no text that a header can carry"),
    ("extra_headers", ["X-Team"], "expected values by name"),
    ("include_timing_in_conversation", True, "use {{ trace }} for times"),
    ("model_api", "decisions", "a judge needs a model that gives reasons"),
    ("model_api", ModelAPI.DECISIONS, "a judge needs a model that gives reasons"),
]
OPTIMIZER_REFUSALS = [
    ("reflection_lm", "gpt-4o", "'gpt-4o' is no model"),
    ("retrieval_k", 0, "set a whole number of at least 1"),
    ("retrieval_k", 2.5, "set a whole number of at least 1"),
    ("embedding_model", "gateway:/embedder", "with the gateway's address as base_url"),
    ("embedding_dim", -1, "set a whole number of at least 1"),
]


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [each for each in inspect.signature(function).parameters.values() if each.name != "self"]


def positional(function: Callable[..., Any]) -> list[str]:
    return [each.name for each in parameters(function) if each.kind is each.POSITIONAL_OR_KEYWORD]


def an_aligned_judge(**arguments: Any) -> AlignedJudge:
    traces = [a_trace(f"tr-{n}", a_vote(n % 2 == 0, f"Mind number {n}.")) for n in range(3)]
    judge = make_judge(**REQUIRED_ARGUMENTS, model="openai:/m", feedback_value_type=bool)
    return judge.align(traces, MemAlignOptimizer(**{**OPTIMIZER, **arguments}))


def test_parameters_stand_in_the_order_of_mlflow() -> None:
    assert positional(make_judge) == list(MAKE_JUDGE)
    assert positional(MemAlignOptimizer.__init__) == list(MEMALIGN_OPTIMIZER)
    assert positional(AlignableJudge.align) == positional(AlignedJudge.align) == list(ALIGN)
    assert positional(MemAlignOptimizer.align) == list(OPTIMIZER_ALIGN)
    assert positional(AlignedJudge.unalign) == list(UNALIGN)
    assert set(CALL) <= {each.name for each in parameters(AlignableJudge.__call__)}


def test_each_parameter_is_in_the_tables_below() -> None:
    assert {use.parameter for use in JUDGE_USES} == set(MAKE_JUDGE)
    assert {use.parameter for use in OPTIMIZER_USES} == set(MEMALIGN_OPTIMIZER)


def rows_of_the_page(title: str) -> list[str]:
    """Return the first column of a table of docs/moving.md."""
    page = (Path(__file__).parents[2] / "docs" / "moving.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)


def test_the_page_on_moving_has_each_parameter_and_name() -> None:
    assert rows_of_the_page("`make_judge`") == [f"`{name}`" for name in MAKE_JUDGE]
    assert rows_of_the_page("`MemAlignOptimizer`") == [f"`{name}`" for name in MEMALIGN_OPTIMIZER]
    named = " ".join((*rows_of_the_page("Names of a judge"), *rows_of_the_page("Calls")))
    assert {name for name in JUDGE_NAMES if not re.search(rf"\b{name}\b", named)} == set()


def test_each_default_of_mlflow_is_taken_by_position_and_none_is_the_default() -> None:
    assert make_judge(*JUDGE_DEFAULTS.values()).rationale_first is False
    for name, default in MAKE_JUDGE.items():
        if default is not REQUIRED:
            arguments: Json = {**REQUIRED_ARGUMENTS, name: None}
            assert make_judge(**arguments) == make_judge(**REQUIRED_ARGUMENTS), name
    usual = MemAlignOptimizer().settings
    assert MemAlignOptimizer(*MEMALIGN_OPTIMIZER.values()).settings == usual
    for name in MEMALIGN_OPTIMIZER:
        nothing: Json = {name: None}
        assert MemAlignOptimizer(**nothing).settings == usual, name


@pytest.mark.parametrize("use", JUDGE_USES, ids=lambda use: f"{use.parameter}={use.value}")
def test_an_argument_of_make_judge_reaches_the_model(server: ModelServer, use: Use) -> None:
    value = use.value.format(url=server.url) if use.parameter == "base_url" else use.value
    judge = make_judge(**{**REQUIRED_ARGUMENTS, "feedback_value_type": bool, use.parameter: value})

    verdict = judge(inputs="question", outputs="answer")

    (call,) = server.of("chat")
    assert use.seen(call) == use.expected
    assert verdict.judge == judge.name
    if use.parameter in ("name", "description", "model"):
        assert getattr(judge, use.parameter) == value


@pytest.mark.parametrize("use", OPTIMIZER_USES, ids=lambda use: use.parameter)
def test_an_argument_of_the_optimizer_reaches_its_model(server: ModelServer, use: Use) -> None:
    an_aligned_judge(**{use.parameter: use.value})(inputs="question tr-1", outputs="answer tr-1")

    assert use.seen(OPTIMIZER_CALLS[use.parameter](server)) == use.expected


def assert_one_sentence(error: BaseException) -> None:
    words = str(error)
    assert words.endswith(".")
    assert len(re.findall(r"\w\S*", words)) <= 25, words
    assert "\n" not in words


@pytest.mark.parametrize(("parameter", "value", "words"), JUDGE_REFUSALS)
def test_what_make_judge_cannot_follow_is_told_in_a_sentence(parameter: str, value: Any, words: str) -> None:
    with pytest.raises(MemAlignError) as refusal:
        make_judge(**{**REQUIRED_ARGUMENTS, parameter: value})
    assert words in str(refusal.value)
    assert_one_sentence(refusal.value)


@pytest.mark.parametrize(("parameter", "value", "words"), OPTIMIZER_REFUSALS)
def test_what_the_optimizer_cannot_follow_is_told_in_a_sentence(
    parameter: str, value: Any, words: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        MemAlignOptimizer(**{parameter: value})
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("form", "setting"),
    [
        (None, "str"),
        (bool, "bool"),
        (bool | None, "bool"),
        (Optional[float], "float"),  # noqa: UP045 - the form that older code has
        (None | int, "int"),
        (Literal["good", "bad"], '["good", "bad"]'),
        (Optional[Literal["good", "bad"]], '["good", "bad"]'),  # noqa: UP045
        (Literal[1, 2, 3], "[1, 2, 3]"),
        (Literal[True, False], "bool"),
        (str, "str"),
    ],
)
def test_a_form_of_the_value_type_is_read(form: Any, setting: str) -> None:
    judge = make_judge(**REQUIRED_ARGUMENTS, feedback_value_type=form)

    assert judge.value_type.setting == setting
    assert value_type_of(judge.feedback_value_type) == judge.value_type


@pytest.mark.parametrize("form", [int | str, int | str | None, list, tuple[int, int], set[str], type(None)])
def test_a_form_that_is_none_of_mlflows_either_is_told(form: Any) -> None:
    with pytest.raises(SettingsError, match="feedback_value_type"):
        make_judge(**REQUIRED_ARGUMENTS, feedback_value_type=form)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("openai:/gpt-4.1-mini", "openai:/gpt-4.1-mini"),
        ("anthropic:/claude-opus-4-1-20250805", "anthropic:/claude-opus-4-1-20250805"),
        ("databricks:/databricks-gpt-5-mini", "databricks:/databricks-gpt-5-mini"),
        ("endpoints:/databricks-gte-large-en", "databricks:/databricks-gte-large-en"),
        ("bedrock:/anthropic.claude-3-5-sonnet-20241022-v2:0",) * 2,
        ("bedrock:/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",) * 2,
        ("vertex:/claude-sonnet-4-5@20250929",) * 2,
        ("gemini:/gemini-2.5-flash",) * 2,
        ("mistral:/mistral-large-latest",) * 2,
        ("azure:/my-deployment",) * 2,
        ("litellm:/groq/llama-4",) * 2,
    ],
)
def test_a_models_name_of_mlflow_is_known(theirs: str, ours: str) -> None:
    assert canonical_name(theirs) == ours
    assert make_judge(**REQUIRED_ARGUMENTS, model=theirs).model == theirs


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        ("databricks", "databricks:/NAME"),
        ("gateway:/my-route", "base_url"),
        ("typesafe:/jev-1", "choose another"),
        ("groq:/llama-4", "litellm:/groq/llama-4"),
        ("vertex_ai:/gemini-2.5-pro", "did you mean vertex:/?"),
        ("vertex:/gemini-2.5-pro", "write litellm:/vertex_ai/gemini-2.5-pro"),
        ("bedrock:/us.amazon.nova-pro-v1:0", "write litellm:/bedrock/us.amazon.nova-pro-v1:0"),
        ("bedrock:/amazon.titan-embed-text-v2:0", "write litellm:/bedrock/amazon.titan-embed-text-v2:0"),
        ("openai/gpt-4o", "openai:/NAME"),
    ],
)
def test_a_models_name_that_is_written_otherwise_here_is_told(theirs: str, words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        canonical_name(theirs)
    assert words in str(refusal.value)


@pytest.mark.usefixtures("server")
def test_judges_have_the_names_of_mlflows_judges_or_tell_what_takes_their_place() -> None:
    base = make_judge(**REQUIRED_ARGUMENTS, description="Kind?", feedback_value_type=Literal["good", "bad"])
    aligned: Any = an_aligned_judge()
    present = {
        "align", "description", "feedback_value_type", "get_input_fields", "instructions", "is_session_level_scorer",
        "kind", "model", "name",
    }  # fmt: skip

    for judge, own in ((base, present), (aligned, present | {"unalign"})):
        assert {name for name in JUDGE_NAMES if hasattr(judge, name)} == own
        for name in JUDGE_NAMES - own - {"unalign"}:
            with pytest.raises(AttributeError, match=f"^A judge of memalign has no {name}.*; use "):
                getattr(judge, name)
    assert (base.description, base.feedback_value_type) == ("Kind?", Literal["good", "bad"])
    assert (aligned.description, aligned.feedback_value_type, aligned.kind) == ("", bool, "memory_augmented")
    assert [each.name for each in aligned.get_input_fields()] == ["inputs", "outputs"]
    with pytest.raises(AttributeError, match="use guidelines"):
        _ = aligned._semantic_memory
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aligned.nothing


@pytest.mark.usefixtures("server")
def test_a_verdict_tells_how_to_have_what_mlflows_feedback_has() -> None:
    verdict: Any = make_judge(**REQUIRED_ARGUMENTS, model="openai:/m", feedback_value_type=bool)(
        inputs="a", outputs="b"
    )

    assert (verdict.value, verdict.rationale) == (False, "simulated")
    for name in FEEDBACK_NAMES - {"value", "rationale", "trace_id"}:
        with pytest.raises(AttributeError, match=f"^A verdict of memalign has no {name}.*; use to_feedback"):
            getattr(verdict, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = verdict.nothing
    assert pickle.loads(pickle.dumps(verdict)) == copy.copy(verdict) == verdict  # noqa: S301 - our own


CONVERSATION = "Is the user content? {{ conversation }}"


def a_conversation_judge() -> AlignableJudge:
    return make_judge("content", CONVERSATION, "openai:/m", feedback_value_type=bool)


def conversation_shown(server: ModelServer) -> Json:
    (record,) = section(server.of("chat")[-1].body["messages"][1]["content"], "record")
    return json.loads(record)["conversation"]


def their_trace(trace_id: str, time_ms: int, inputs: Json, outputs: Json, session: str = "s-1") -> Any:
    """A trace in the shape of MLflow's."""
    root = SimpleNamespace(span_id="1", parent_id=None, name="run", inputs=inputs, outputs=outputs)
    info = SimpleNamespace(
        trace_id=trace_id,
        request_time=time_ms,
        trace_metadata={"mlflow.trace.session": session},
        assessments=[],
    )
    return SimpleNamespace(info=info, data=SimpleNamespace(spans=[root]))


def test_a_session_is_judged_as_its_conversation_in_order_of_time(server: ModelServer) -> None:
    judge = a_conversation_judge()
    first = their_trace("tr-1", 1_000, {"question": "Where is it?"}, "On its way.")
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "When?"}]
    answer = {"choices": [{"message": {"role": "assistant", "content": "Soon."}}]}
    second = their_trace("tr-2", 2_000, {"messages": messages}, answer)

    verdict = judge(session=[second, first])

    assert judge.is_session_level_scorer
    assert verdict.value is False
    assert conversation_shown(server) == [
        {"role": "user", "content": "Where is it?"},
        {"role": "assistant", "content": "On its way."},
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "Soon."},
    ]


async def test_a_session_of_our_traces_keeps_its_order_and_expectations(server: ModelServer) -> None:
    judge = make_judge("content", CONVERSATION + " {{ expectations }}", "openai:/m", feedback_value_type=bool)
    session = [
        Trace(trace_id="tr-2", inputs={"a": 1, "b": 2}, outputs=None),
        Trace(trace_id="tr-1", inputs="And now?", outputs="Done.", expectations={"tone": "calm"}),
    ]

    await judge.acall(session=session)

    assert conversation_shown(server) == [
        {"role": "user", "content": '{"a": 1, "b": 2}'},
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "Done."},
    ]
    (record,) = section(server.of("chat")[-1].body["messages"][1]["content"], "record")
    assert json.loads(record)["expectations"] == {"tone": "calm"}


@pytest.mark.usefixtures("server")
def test_a_judge_of_conversations_learns_from_whole_sessions() -> None:
    late = their_trace("tr-2", 2_000, "When?", "Soon.")
    early = their_trace("tr-1", 1_000, "Where is it?", "On its way.")
    alone = their_trace("tr-3", 3_000, "Hello?", "Hm.", session="")
    for trace in (late, alone):
        trace.info.assessments.append(
            SimpleNamespace(
                name="content",
                feedback=SimpleNamespace(value=False),
                rationale="Name a day.",
                source=SimpleNamespace(source_type="HUMAN", source_id="ana"),
            )
        )

    learned = a_conversation_judge().align([late, early, alone], MemAlignOptimizer(**OPTIMIZER))

    said = {
        name: [turn["content"] for turn in episode.fields["conversation"]]
        for name, episode in learned.episodes.items()
    }
    assert said == {
        "tr-2": ["Where is it?", "On its way.", "When?", "Soon."],
        "tr-3": ["Hello?", "Hm."],
    }
    assert list(learned.report.rejected) == ["tr-1"]


@pytest.mark.parametrize(
    ("session", "words"),
    [
        ([], "has no conversation"),
        ("s-1", "A session is a list of traces, not str"),
        (["tr-1"], "A trace was expected, not str"),
        (
            [their_trace("tr-1", 1, "a", "b", "s-1"), their_trace("tr-2", 2, "a", "b", "s-2")],
            "These traces are of 2 sessions",
        ),
    ],
)
def test_what_is_no_session_is_told(session: Any, words: str) -> None:
    with pytest.raises(InputError) as refusal:
        a_conversation_judge()(session=session)
    assert words in str(refusal.value)
    assert_one_sentence(refusal.value)


def test_arguments_of_a_call_are_taken_and_traces_fill_in_what_is_missing(server: ModelServer) -> None:
    judge = make_judge("p", POLITENESS + " {{ expectations }}", "openai:/m", feedback_value_type=bool)
    trace = Trace(trace_id="tr-1", inputs="in", outputs="out", expectations={"a": 1})

    for given, shown in (
        ({"trace": trace}, {"inputs": "in", "outputs": "out", "expectations": {"a": 1}}),
        (
            {"trace": trace, "outputs": "mine", "expectations": {"b": 2}, "inputs": None, "session": None},
            {"inputs": "in", "outputs": "mine", "expectations": {"b": 2}},
        ),
    ):
        judge(**given)
        (record,) = section(server.of("chat")[-1].body["messages"][1]["content"], "record")
        assert json.loads(record) == shown


def test_arguments_in_another_order_and_strange_optimizers_are_told() -> None:
    judge = make_judge(**REQUIRED_ARGUMENTS)
    vote = Assessment(name="politeness", value="fine", source_id="ana")
    traces = [Trace(trace_id="tr-1", inputs="a", outputs="b", assessments=[vote])]

    for call, error, words in (
        (lambda: judge.align(MemAlignOptimizer(), traces), InputError, r"call align\(traces, optimizer\)"),  # type: ignore[arg-type]
        (lambda: judge.align(None), InputError, "A list of traces was expected"),  # type: ignore[arg-type]
        (lambda: judge.align(traces, object()), SettingsError, "give a `memalign.MemAlignOptimizer`"),  # type: ignore[arg-type]
        (lambda: MemAlignOptimizer().align(traces, judge), InputError, "A judge of MLflow's was expected"),  # type: ignore[arg-type]
    ):
        with pytest.raises(error, match=words) as refusal:
            call()
        assert_one_sentence(refusal.value)


def test_the_order_of_a_verdict_outlives_saving(server: ModelServer, tmp_path: Any) -> None:

    judge = make_judge(
        **REQUIRED_ARGUMENTS, model="openai:/m", feedback_value_type=bool, generate_rationale_first=False
    )
    judge.align([a_trace("tr-1", a_vote())], MemAlignOptimizer(**OPTIMIZER)).save(tmp_path / "judge.json")

    loaded = load_judge(tmp_path / "judge.json")
    loaded(inputs="a", outputs="b")

    call = server.of("chat")[-1]
    assert list(schema_of(call)["properties"]) == ["value", "rationale", "guidelines", "cases"]
    assert 'first "value"' in call.body["messages"][0]["content"]
    assert 'then "rationale"' in call.body["messages"][0]["content"]
