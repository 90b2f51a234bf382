import json

import pytest

from memalign import MemAlignOptimizer, make_judge
from memalign.models.prompt_echo import is_echo
from tests.factories import a_trace, a_vote
from tests.model_server import ModelServer

INSTRUCTIONS = "Answers must greet people first. Question: {{ inputs }} Answer: {{ outputs }}"
ECHOES = (
    "one sentence",
    "One sentence.",
    "“one sentence”",
    "<the guideline>",
    "same",
    "supports",
    "contradicts",
    "guidelines",
    "text",
    "records",
    "string",
    "additionalProperties",
    "…",
    "",
    " - ",
    "Answers must greet people first.",
    "answers must greet people",
    "A guideline is one short sentence that helps to judge other cases as they would.",
    "what they value, what they know of their field",
)
RULES = (
    "curt",
    "Be kind.",
    "Greet people.",
    "An answer in one sentence is too short for a complaint.",
    "The same rule holds for people who write twice.",
    "礼貌",
    "Answers must greet people first, in their own language.",
    "Text in records must be quoted.",
)


@pytest.mark.parametrize("text", ECHOES)
def test_a_piece_of_the_prompt_is_an_echo(text: str) -> None:
    assert is_echo(text, INSTRUCTIONS)


@pytest.mark.parametrize("text", RULES)
def test_a_rule_of_its_own_is_none(text: str) -> None:
    assert not is_echo(text, INSTRUCTIONS)


def test_no_echo_becomes_a_guideline_and_its_case_is_remembered(server: ModelServer) -> None:
    drafts = [{"text": text, "records": [0, 1]} for text in (*ECHOES, "Never send people away.")]
    server.answers.append(json.dumps({"guidelines": drafts, "supports": [], "contradicts": [], "same": []}))
    judge = make_judge("politeness", INSTRUCTIONS, "openai:/m", feedback_value_type=bool)
    optimizer = MemAlignOptimizer("openai:/r", embedding_model="openai:/e", embedding_dim=64)

    learned = judge.align(
        [a_trace("tr-1", a_vote(False, "curt")), a_trace("tr-2", a_vote(True, "kind"))], optimizer
    )

    assert [rule.text for rule in learned.guidelines] == ["Never send people away."]
    assert learned.pending == {}
    assert list(learned.episodes) == ["tr-1", "tr-2"]
