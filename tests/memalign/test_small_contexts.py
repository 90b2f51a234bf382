"""Judges on servers with little room: each kind of server, whether it tells its context size or only refuses."""

import json

import pytest

from memalign import MemAlignOptimizer, make_judge
from memalign.errors import ModelRefusedError
from memalign.judges import AlignedJudge
from memalign.models.openai import OpenAIEmbedder
from memalign.records import Trace
from memalign.tokens import count_tokens
from tests.factories import a_trace, a_vote
from tests.fakes import section
from tests.model_dialects import Dialect, Fault, Ollama, Overflow, fault
from tests.model_server import ModelServer

INSTRUCTIONS = "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}"
QUESTION = "Which error is this?"
CONTEXTS = (2_048, 4_096, 8_192)


class Curt(Dialect):
    """A server that names no number in its refusal."""

    def __init__(self, words_of_refusal: str) -> None:
        self._words = words_of_refusal

    def too_long(self, size: Overflow) -> Fault:
        """See `Dialect.too_long`."""
        del size
        return fault(400, {"error": {"message": self._words}})


def words(count: int) -> str:
    return "alpha beta gamma delta " * (count // 4)


def a_long_case(name: str, size: int) -> Trace:
    inputs = {"context": words(size), "question": f"{QUESTION} {name}"}
    return a_trace(
        name, a_vote(False, f"Never add facts, says {name}."), inputs=inputs, outputs=f"{name} " * (size // 4)
    )


def a_taught_judge(server: ModelServer, size: int = 900) -> AlignedJudge:
    judge = make_judge("politeness", INSTRUCTIONS, server.dialect.model, feedback_value_type=bool)
    optimizer = MemAlignOptimizer(
        reflection_lm=server.dialect.model, embedding_model="openai:/e", embedding_dim=64
    )
    return judge.align([a_long_case(f"tr-{n}", size) for n in range(5)], optimizer)


@pytest.mark.parametrize("context_tokens", CONTEXTS)
def test_five_long_cases_on_a_small_server_still_give_lessons_and_a_verdict(
    dialect_server: ModelServer, context_tokens: int
) -> None:
    dialect_server.context_tokens = context_tokens

    judge = a_taught_judge(dialect_server)
    verdict = judge(inputs={"context": words(900), "question": QUESTION}, outputs=words(60))

    assert judge.report.pending == {}
    assert len(judge.guidelines) == 5
    assert verdict.value is False
    shown = len(verdict.retrieved_trace_ids)
    assert shown + verdict.left_out.cases == 5


@pytest.mark.parametrize("context_tokens", CONTEXTS)
def test_a_record_longer_than_the_context_is_judged_without_its_middle(
    dialect_server: ModelServer, context_tokens: int
) -> None:
    dialect_server.context_tokens = context_tokens
    judge = make_judge("politeness", INSTRUCTIONS, dialect_server.dialect.model, feedback_value_type=bool)

    verdict = judge(inputs={"context": words(40_000), "question": QUESTION}, outputs="Error 42.")

    assert verdict.value is False
    assert verdict.left_out.tokens > 30_000
    body = dialect_server.calls[-1].body
    record = json.loads(section(body["messages"][-1]["content"], "record")[0])
    assert record["inputs"]["question"] == QUESTION
    assert record["outputs"] == "Error 42."


def test_the_size_is_asked_for_once_and_no_prompt_is_refused(dialect_server: ModelServer) -> None:
    if not dialect_server.dialect.tells_context:
        pytest.skip("this kind of server does not tell its context size")
    dialect_server.context_tokens = 4_096
    judge = make_judge("politeness", INSTRUCTIONS, dialect_server.dialect.model, feedback_value_type=bool)

    for _ in range(3):
        judge(inputs=words(40_000), outputs="x")

    assert len(dialect_server.calls) == 3
    # where the model was not loaded yet, the size is asked for again once it has answered
    assert dialect_server.lookups.count("/v1/models") == (2 if dialect_server.dialect.name == "ollama" else 1)


@pytest.fixture(name="silent_server")
def a_server_that_tells_nothing(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    return server


def test_the_size_is_learned_from_one_refusal_for_all_judges(silent_server: ModelServer) -> None:
    silent_server.context_tokens = 4_096
    for _ in range(3):
        make_judge("politeness", INSTRUCTIONS, "openai:/m", feedback_value_type=bool)(
            inputs=words(40_000), outputs="x"
        )

    assert len(silent_server.calls) == 4


@pytest.mark.parametrize(
    "words_of_refusal",
    [
        "context_length_exceeded",
        "Input is too long for requested model.",
        "the input length exceeds the context length",
    ],
)
def test_where_no_limit_is_named_prompts_are_halved_until_they_fit(
    silent_server: ModelServer, words_of_refusal: str
) -> None:
    silent_server.dialect = Curt(words_of_refusal)
    silent_server.context_tokens = 3_000
    judge = make_judge("politeness", INSTRUCTIONS, "openai:/m", feedback_value_type=bool)

    verdict = judge(inputs={"context": words(40_000), "question": QUESTION}, outputs="x")
    judge(inputs=words(40_000), outputs="x")

    assert verdict.left_out.tokens > 30_000
    assert len(silent_server.calls) <= 5


def test_a_set_size_is_kept_to_without_asking(silent_server: ModelServer) -> None:
    silent_server.context_tokens = 3_000
    judge = make_judge(
        "politeness",
        INSTRUCTIONS,
        "openai:/m",
        feedback_value_type=bool,
        model_options={"context_tokens": 3_000},
    )

    judge(inputs=words(40_000), outputs="x")

    assert len(silent_server.calls) == 1
    assert silent_server.lookups == []


def test_a_server_that_cuts_prompts_without_a_word_is_asked_before_the_first_verdict(
    silent_server: ModelServer,
) -> None:
    silent_server.dialect = Ollama()
    judge = make_judge("politeness", INSTRUCTIONS, "openai:/m", feedback_value_type=bool)
    silent_server.context_tokens = 2_048

    judge(inputs=words(40_000), outputs="x")

    (call,) = silent_server.calls
    assert sum(count_tokens(message["content"]) for message in call.body["messages"]) < 2_048


def test_instructions_longer_than_the_context_are_told_in_one_sentence_without_a_call(
    silent_server: ModelServer,
) -> None:
    judge = make_judge(
        "politeness",
        f"{INSTRUCTIONS} {words(9_000)}",
        "openai:/m",
        feedback_value_type=bool,
        model_options={"context_tokens": 4_096},
    )

    with pytest.raises(
        ModelRefusedError,
        match=r"A verdict of judge politeness takes a prompt of at least .* shorten the instr",
    ):
        judge(inputs="q", outputs="a")
    assert silent_server.calls == []


async def test_the_longest_text_of_an_embedding_model_is_found_out_once(silent_server: ModelServer) -> None:
    silent_server.longest_text = 1_500
    embedder = OpenAIEmbedder("e", 64)

    await embedder.embed([words(6_000)])
    tries = len(silent_server.calls)
    await OpenAIEmbedder("e", 64).embed([words(6_000), "short"])

    assert tries > 1
    assert len(silent_server.calls) == tries + 1
