import asyncio
import json
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from memalign import AlignedJudge, Assessment, MemAlignOptimizer, Trace, make_judge
from memalign.errors import InputError, ModelUnavailableError, SettingsError, TemplateError
from memalign.judges import AlignableJudge
from memalign.records import Json
from memalign.value_types import FeedbackValueType
from tests.factories import POLITENESS, a_trace, a_vote
from tests.fakes import section
from tests.model_server import ModelServer, overloaded

INSTRUCTIONS = "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}"


def a_remote_judge(value_type: FeedbackValueType = bool, model: str = "openai:/m") -> AlignableJudge:
    return make_judge(
        name="politeness", instructions=INSTRUCTIONS, feedback_value_type=value_type, model=model
    )


def an_optimizer(reflection_lm: str = "openai:/r") -> MemAlignOptimizer:
    return MemAlignOptimizer(reflection_lm=reflection_lm, embedding_model="openai:/e", embedding_dim=64)


def traces(count: int, reason: str = "reason") -> list[Trace]:
    return [a_trace(f"tr-{n}", a_vote(n % 2 == 0, f"{reason} {n}")) for n in range(count)]


def aligned(count: int = 3) -> AlignedJudge:
    return a_remote_judge().align(traces(count), an_optimizer())


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_usage_of_the_contract_works_as_printed(server: ModelServer, provider: str) -> None:
    judge = make_judge(
        name="politeness", instructions=INSTRUCTIONS, feedback_value_type=bool, model=f"{provider}:/m"
    )
    optimizer = MemAlignOptimizer(
        reflection_lm=f"{provider}:/m", retrieval_k=5, embedding_model="openai:/text-embedding-3-small"
    )
    two_traces = [
        Trace(
            trace_id="tr-1",
            inputs={"question": "why"},
            outputs="because",
            assessments=[
                Assessment(
                    name="politeness", value=False, rationale="curt", source_type="HUMAN", source_id="ana"
                )
            ],
        )
    ]

    learned = judge.align(traces=two_traces, optimizer=optimizer)

    assert learned.instructions == f"{INSTRUCTIONS}\n\nDistilled Guidelines (1):\n- curt"
    assert learned.guidelines[0].source_trace_ids == ("tr-1",)
    assert learned.guidelines[0].sources[0].person == "ana"
    verdict = learned(inputs={"question": "why"}, outputs="because")
    assert (verdict.value, verdict.rationale) == (False, "simulated")
    assert verdict.shown_guideline_ids == (learned.guidelines[0].id,)
    assert verdict.retrieved_trace_ids == ("tr-1",)
    assert verdict.usage.calls == 1
    assert learned.report.learned == ("tr-1",)
    assert learned.unalign(traces=[two_traces[0]]).instructions == INSTRUCTIONS
    assert len(server.of("embeddings")) == 1
    assert server.of("embeddings")[0].body["dimensions"] == 512


def test_defaults_are_those_of_mlflow() -> None:
    chosen = MemAlignOptimizer().settings

    assert (chosen.retrieval_k, chosen.embedding_dim) == (5, 512)
    assert chosen.embedding_model == "openai:/text-embedding-3-small"
    own = MemAlignOptimizer(
        reflection_lm="anthropic:/x", retrieval_k=2, embedding_model="openai:/y", embedding_dim=3
    ).settings
    assert (own.reflection_lm, own.retrieval_k, own.embedding_model, own.embedding_dim) == (
        "anthropic:/x",
        2,
        "openai:/y",
        3,
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"retrieval_k": 0}, "retrieval_k is 0"),
        ({"retrieval_k": True}, "retrieval_k is True"),
        ({"embedding_dim": -1}, "embedding_dim is -1"),
        ({"reflection_lm": "gpt-5"}, "'gpt-5' is no model"),
        ({"embedding_model": "local:/nothing"}, "no local model 'nothing'"),
    ],
)
def test_a_wrong_setting_is_told(wrong: Json, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        MemAlignOptimizer(**wrong)


@pytest.mark.parametrize(
    ("instructions", "words"),
    [
        (
            "Is it polite?",
            "judge politeness use no template variable; use one of {{ inputs }}, {{ outputs }}",
        ),
        ("{{ inputs }} {{ answer }}", "judge politeness use {{ answer }}, which is no template variable"),
    ],
)
def test_a_wrong_template_names_the_judge_the_variable_and_the_known_ones(
    instructions: str, words: str
) -> None:
    with pytest.raises(TemplateError) as raised:
        make_judge(name="politeness", instructions=instructions)
    assert words in str(raised.value)
    assert "{{ conversation }}" in str(raised.value)


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"feedback_value_type": "boolean"}, {"model": "m"}, {"model": "nowhere:/m"}],
)
def test_a_wrong_judge_is_told(wrong: Json) -> None:
    right: Json = {"name": "politeness", "instructions": INSTRUCTIONS}

    with pytest.raises(SettingsError):
        make_judge(**{**right, **wrong})


def test_aligning_gives_a_new_judge_and_never_changes_the_old(server: ModelServer) -> None:
    base = a_remote_judge()
    first = base.align(traces(2), an_optimizer())
    before = first.instructions, dict(first.episodes), first.guidelines

    second = first.align([a_trace("tr-9", a_vote(True, "thanks are kind"))])

    assert (first.instructions, dict(first.episodes), first.guidelines) == before
    assert second.instructions.endswith("- thanks are kind")
    assert list(second.episodes) == ["tr-0", "tr-1", "tr-9"]
    assert second.base is first.base is base
    assert (second.name, second.model, second.value_type) == (base.name, base.model, base.value_type)
    assert first(inputs="question tr-9", outputs="answer tr-9").retrieved_trace_ids != ("tr-9",)
    assert second(inputs="question tr-9", outputs="answer tr-9").retrieved_trace_ids[0] == "tr-9"
    assert len(server.of("chat")) == 4


def test_the_same_traces_again_double_nothing_and_call_nothing(server: ModelServer) -> None:
    first = aligned()
    calls = len(server.calls)

    second = first.align(traces(3))

    assert second.report.unchanged == ("tr-0", "tr-1", "tr-2")
    assert second.instructions == first.instructions
    assert dict(second.episodes) == dict(first.episodes)
    assert len(server.calls) == calls


def test_unaligning_leaves_the_old_judge_and_what_is_unknown_gives_the_same(server: ModelServer) -> None:
    learned = aligned()
    calls = len(server.calls)

    shorter = learned.unalign([traces(3)[0], "tr-1"])

    assert list(shorter.episodes) == ["tr-2"]
    assert [rule.source_trace_ids for rule in shorter.guidelines] == [("tr-2",)]
    assert len(learned.episodes) == 3
    assert shorter.unalign(["unknown"]) is shorter
    assert len(server.calls) == calls


def test_unaligning_all_and_aligning_again_restores(server: ModelServer) -> None:
    learned = aligned()

    empty = learned.unalign(traces(3))
    again = empty.align(traces(3))

    assert (empty.instructions, dict(empty.episodes)) == (INSTRUCTIONS, {})
    assert empty(inputs="x", outputs="y").retrieved_trace_ids == ()
    assert again.instructions == learned.instructions
    assert dict(again.episodes) == dict(learned.episodes)
    case_texts = [text for text in server.texts if not text.startswith("reason")]
    assert sorted(case_texts) == sorted(
        2 * [f"{part} tr-{n}" for n in range(3) for part in ("question", "answer")]
    )


def test_no_traces_or_none_that_can_be_used_is_told() -> None:
    with pytest.raises(InputError, match="No traces were given"):
        a_remote_judge().align([], an_optimizer())
    with pytest.raises(InputError, match="None of the 1 traces can be learned from: Nobody's feedback"):
        a_remote_judge().align([a_trace("tr-1")], an_optimizer())
    with pytest.raises(InputError, match=r"not str; give memalign\.Trace"):
        a_remote_judge().align(["tr-1"], an_optimizer())


def test_one_bad_trace_is_reported_and_blocks_no_other(server: ModelServer) -> None:
    learned = a_remote_judge().align([a_trace("bad"), *traces(1)], an_optimizer())

    assert list(learned.report.rejected) == ["bad"]
    assert learned.report.learned == ("tr-0",)
    assert len(server.of("chat")) == 1


def test_a_judge_that_has_learned_nothing_judges_without_embedding(server: ModelServer) -> None:
    verdict = a_remote_judge()(inputs="q", outputs="a")

    assert verdict.value is False
    assert [call.kind for call in server.calls] == ["chat"]


def test_what_a_trace_holds_is_judged_and_its_own_episode_is_no_evidence(server: ModelServer) -> None:
    learned = aligned(2)
    trace = traces(2)[0]

    verdict = learned(trace=trace)

    assert verdict.trace_id == "tr-0"
    assert verdict.retrieved_trace_ids == ("tr-1",)
    (record,) = section(server.of("chat")[-1].body["messages"][1]["content"], "record")
    assert json.loads(record) == {"inputs": "question tr-0", "outputs": "answer tr-0"}
    own = learned(inputs="question tr-0", outputs="answer tr-0", trace_id="tr-0")
    assert own.retrieved_trace_ids == ("tr-1",)
    anyone = learned(inputs="question tr-0", outputs="answer tr-0")
    assert anyone.retrieved_trace_ids == ("tr-0", "tr-1")
    other = learned(trace=trace, outputs="something else")
    assert other.trace_id == "tr-0"
    assert "something else" in server.of("chat")[-1].body["messages"][1]["content"]


def test_plain_names_work_from_threads_and_inside_a_running_loop(server: ModelServer) -> None:
    async def inside() -> str:
        return aligned(1).instructions

    assert asyncio.run(inside()).endswith("- reason 0")
    learned = aligned(2)
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda n: learned(inputs=f"q {n}", outputs="a"), range(24)))
    assert len(verdicts) == 24
    assert len(server.of("chat")) == 26


async def test_the_awaitable_twins_do_the_same(server: ModelServer) -> None:
    learned = await a_remote_judge().aalign(traces(3), an_optimizer())
    verdicts = await asyncio.gather(*(learned.acall(inputs=f"q{n}", outputs="a") for n in range(5)))
    shorter = await learned.aunalign(["tr-0"])

    assert [verdict.value for verdict in verdicts] == [False] * 5
    assert list(shorter.episodes) == ["tr-1", "tr-2"]
    assert len(server.of("chat")) == 6


def test_many_aligns_leave_no_thread_behind(server: ModelServer) -> None:
    learned = aligned(1)
    before = threading.active_count()

    for n in range(30):
        learned = learned.align([a_trace(f"more-{n}", a_vote(True, None))])

    assert threading.active_count() <= before
    assert len(learned.episodes) == 31
    assert len(server.of("embeddings")) == 31


def test_a_changed_embedding_model_embeds_the_known_cases_anew(server: ModelServer) -> None:
    learned = aligned(3)

    moved = learned.align(
        [a_trace("tr-9", a_vote())],
        MemAlignOptimizer(reflection_lm="openai:/r", embedding_model="openai:/other", embedding_dim=32),
    )

    assert moved.pending == {}
    cases, rules = 3 + 4, 3 + 4
    assert len(server.texts) == 2 * cases + rules
    assert moved(inputs="question tr-1", outputs="answer tr-1").retrieved_trace_ids[0] == "tr-1"


def test_what_fails_is_reported_pending_and_learned_by_the_next_align(
    server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.extend([overloaded()] * 5)
    with caplog.at_level(logging.WARNING, logger="memalign"):
        learned = aligned(2)

    assert set(learned.report.pending) == {"tr-0", "tr-1"}
    assert "overloaded or down (429)" in learned.report.pending["tr-0"]
    assert "2 traces wait" in caplog.text
    again = learned.align(traces(2))
    assert set(again.report.learned) == {"tr-0", "tr-1"}
    assert again.pending == {}
    assert len(again.guidelines) == 2


def test_a_thousand_traces_under_faults_are_all_learned_or_pending_and_the_rest_learned_later(
    server: ModelServer,
) -> None:
    bad = overloaded(
        500, **{"retry-after-ms": "3600000"}
    )  # longer than a call may take: not tried again at once
    server.faults.extend([None, bad, overloaded(), None, None] * 4)
    server.answers.extend(["nonsense"] * 2)

    first = a_remote_judge().align(traces(1_000), an_optimizer())

    assert set(first.report.learned) | set(first.report.pending) == {f"tr-{n}" for n in range(1_000)}
    assert first.report.pending
    second = first.align(traces(1_000))
    assert second.pending == {}
    assert {source for rule in second.guidelines for source in rule.source_trace_ids} == {
        f"tr-{n}" for n in range(1_000)
    }


def test_a_model_that_is_down_is_told_when_judging(server: ModelServer) -> None:
    server.faults.extend([overloaded()] * 5)

    with pytest.raises(ModelUnavailableError):
        a_remote_judge()(inputs="q", outputs="a")


@pytest.mark.parametrize(
    ("value_type", "written", "label"),
    [
        (Literal["Good", "Bad"], "good", "Good"),
        (["Good", "Bad"], "Bad", "Bad"),
        (int, 3, 3),
        (float, "2", 2.0),
        (str, "fine", "fine"),
        (bool, "yes", True),
    ],
)
def test_the_declared_type_is_kept_everywhere(
    server: ModelServer, value_type: FeedbackValueType, written: Json, label: Json
) -> None:
    learned = a_remote_judge(value_type).align([a_trace("tr-1", a_vote(written, "r"))], an_optimizer())
    server.answers.append(json.dumps({"rationale": "", "value": written}))

    verdict = learned(inputs="question tr-1", outputs="answer tr-1")

    assert learned.episodes["tr-1"].label == verdict.value == label
    assert type(verdict.value) is type(label)
    prompt = server.of("chat")[-1].body["messages"][1]["content"]
    assert json.loads(section(prompt, "cases")[0])["label"] == label


def test_debug_logs_tell_what_goes_on_without_texts(
    server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="memalign"):
        learned = a_remote_judge().align(
            [a_trace("tr-1", a_vote(False, "secret reason"), inputs="secret input")], an_optimizer()
        )
        learned(inputs="secret question", outputs="secret answer")

    assert "learned from 1 traces" in caplog.text
    assert "secret" not in "".join(
        record.getMessage() for record in caplog.records if record.name == "memalign"
    )
    assert len(server.calls) == 4


def test_importing_the_library_imports_no_provider() -> None:
    code = (
        "import sys, memalign, memalign.models;"
        "print([m for m in ('openai', 'anthropic', 'sklearn', 'wordllama', 'aiohttp') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_process_ends_cleanly_after_use(server: ModelServer) -> None:
    code = (
        "import memalign;"
        "judge = memalign.make_judge('p', '{{ inputs }}', 'openai:/m', feedback_value_type=bool);"
        "print(judge(inputs='x').value)"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.strip(), done.stderr.strip(), done.returncode) == ("False", "", 0)
    assert len(server.calls) == 1


def test_mlflows_arguments_are_taken_in_mlflows_order() -> None:
    judge = make_judge(
        "politeness",
        POLITENESS,
        "openai:/m",
        "Is it polite?",
        bool,
        {"temperature": 0},
        "http://127.0.0.1:1/v1",
        {"X-Team": "quality"},
        False,
        True,
    )
    options = judge.model_options
    assert (judge.model, judge.description, judge.value_type.setting) == (
        "openai:/m",
        "Is it polite?",
        "bool",
    )
    assert (options.params, options.base_url, options.headers) == (
        {"temperature": 0},
        "http://127.0.0.1:1/v1",
        {"X-Team": "quality"},
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"include_timing_in_conversation": True}, "include_timing_in_conversation is not supported here"),
        ({"model": bool}, "write feedback_value_type=… to give the labels"),
        ({"base_url": "nowhere"}, "base_url is no address"),
        ({"inference_params": {"stream": True}}, "stream cannot be set"),
        (
            {"base_url": "http://a/v1", "model_options": {"base_url": "http://b/v1"}},
            "base_url is given as an argument and in model_options; give it once",
        ),
        ({"model_options": {"timeout": 1}}, "did you mean timeout_seconds?"),
        ({"model_options": 5}, "expected options by name"),
        ({"model": "local:/cases", "base_url": "http://a/v1"}, "runs in this process"),
    ],
)
def test_an_argument_that_cannot_be_used_is_told_in_a_sentence(arguments: Json, words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        make_judge("politeness", POLITENESS, **arguments)
    assert str(refusal.value).startswith("Judge politeness: ")
    assert words in str(refusal.value)


def test_options_of_the_optimizer_are_told_with_their_model() -> None:
    with pytest.raises(SettingsError, match="model_options of openai:/m: timeout: is no option"):
        MemAlignOptimizer(model_options={"openai:/m": {"timeout": 1}})
    assert MemAlignOptimizer(None, 5, None, 512).settings == MemAlignOptimizer().settings
