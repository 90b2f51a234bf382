import json

import pytest

from memalign import MemAlignOptimizer, make_judge
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.prompt_echo import is_echo
from memalign.ports import LabelledRationale, OverruledVerdict
from memalign.records import Json, RetrievedEpisode
from tests.factories import a_source, a_trace, a_vote, an_episode
from tests.fakes import FakeModel, section
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
    "text records rules",
    "The text of the guideline",
    "A list of guidelines",
    "number of the rule",
    "that verdict was wrong, so find out what it missed",
    "already learned: they are context",
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


CASE = {"inputs": "When will my parcel arrive?", "outputs": {"text": "It arrives soon. Be patient with us."}}
COPIES = (
    "When will my parcel arrive?",
    "it arrives soon",
    "be patient with us",
    "The answer thanks the customer.",
    "Our parcels go by ship",
)
NO_COPIES = (
    "Say when the parcel will arrive.",
    "Never ask people to be patient with us.",
    "Name a day, not soon.",
    "Be patient",
    "A reason of a neighbour",
)


def a_record(reason: str) -> LabelledRationale:
    neighbour = an_episode("tr-9", False, text="Our parcels go by ship", rationale="A reason of a neighbour")
    return LabelledRationale(
        source=a_source(quote=reason),
        label=False,
        fields=CASE,
        overruled=OverruledVerdict(value=True, rationale="The answer thanks the customer."),
        neighbours=(RetrievedEpisode(episode=neighbour, similarity=0.5),),
    )


def drafts_of(*texts: str) -> Json:
    return {
        "guidelines": [{"text": text, "records": [0]} for text in texts],
        "supports": [], "contradicts": [], "same": [],
    }  # fmt: skip


@pytest.mark.parametrize("text", COPIES)
async def test_a_piece_of_a_case_is_no_rule_and_is_counted(text: str) -> None:
    model = FakeModel(drafts_of(text, "Name a day."))

    result = await LLMDistiller(model).distil(INSTRUCTIONS, [a_record("Name a day.")], [])

    assert [draft.text for draft in result.drafts] == ["Name a day."]
    assert result.dropped == 1


@pytest.mark.parametrize("text", NO_COPIES)
async def test_a_rule_about_a_case_is_no_copy_of_it(text: str) -> None:
    result = await LLMDistiller(FakeModel(drafts_of(text))).distil(
        INSTRUCTIONS, [a_record("Be patient? Name a day!")], []
    )

    assert [draft.text for draft in result.drafts] == [text]


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("Be patient with us.", True),
        ("Polite. Be patient with us!", True),
        ("It says “be patient with us”, which is rude.", False),
    ],
)
async def test_words_of_a_case_are_a_rule_where_somebody_says_them_as_one(reason: str, kept: bool) -> None:
    model = FakeModel(drafts_of("Be patient with us."), drafts_of("Be patient with us."))

    result = await LLMDistiller(model).distil(INSTRUCTIONS, [a_record(reason)], [])

    assert [draft.text for draft in result.drafts] == (["Be patient with us."] if kept else [])
    assert result.dropped == (0 if kept else 1)


async def test_a_neighbour_has_no_number_and_is_never_a_source() -> None:
    model = FakeModel(
        *2 * [{**drafts_of(), "guidelines": [{"text": "Ship parcels by plane.", "records": [1, 6]}]}]
    )

    result = await LLMDistiller(model).distil(INSTRUCTIONS, [a_record("Name a day.")], [])

    assert result.drafts == ()
    assert "record" not in json.loads(section(model.prompts[0].changing, "neighbours")[0])


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
