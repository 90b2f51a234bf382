"""Verdicts' prompts fit into any room: cases give way first, then guidelines, then the middle of the record."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memalign.errors import ModelRefusedError
from memalign.models.judging_prompt import JudgingPrompt, judging_prompt
from memalign.ports import JudgeRequest, PromptRoom
from memalign.records import Evidence, Guideline, PersonLabel, RetrievedEpisode
from memalign.tokens import count_tokens
from memalign.value_types import value_type_of
from tests.factories import a_guideline, an_episode
from tests.fakes import section

QUESTION = "What is the answer?"


def words(count: int) -> str:
    return "word " * count


def a_case(size: int, number: int) -> RetrievedEpisode:
    opinion = PersonLabel(person="ana", value=False, rationale=f"reason {number} {words(size // 4)}")
    episode = an_episode(f"tr-{number}", False, opinion, text=words(size))
    return RetrievedEpisode(episode=episode, similarity=0.9 - number / 100)


def a_rule(size: int, number: int) -> Guideline:
    return a_guideline(f"Rule {number}. {words(size)}", guideline_id=f"g-{number}")


def a_request(
    record: int = 10, cases: tuple[int, ...] = (), rules: tuple[int, ...] = (), instructions: int = 10
) -> JudgeRequest:
    return JudgeRequest(
        judge="politeness",
        instructions=f"Start. {words(instructions)} {{{{ inputs }}}} {{{{ outputs }}}} End.",
        value_type=value_type_of("bool"),
        fields={"inputs": {"context": words(record), "question": QUESTION}, "outputs": words(record // 2)},
        trace_id="tr",
        evidence=Evidence(
            guidelines=tuple(a_rule(size, number) for number, size in enumerate(rules)),
            retrieved=tuple(a_case(size, number) for number, size in enumerate(cases)),
        ),
        episodes=(),
        version=1,
    )


def fitted(request: JudgeRequest, prompt_tokens: int) -> JudgingPrompt:
    return judging_prompt(request, PromptRoom(prompt_tokens=prompt_tokens, answer_tokens=500))


def size_of(prompt: JudgingPrompt) -> int:
    return count_tokens(prompt.prompt.stable) + count_tokens(prompt.prompt.changing)


SIZES = st.lists(st.integers(0, 3_000), max_size=8).map(tuple)


@given(
    record=st.integers(0, 20_000),
    cases=SIZES,
    rules=SIZES,
    instructions=st.integers(0, 1_500),
    room=st.integers(600, 12_000),
)
def test_any_prompt_fits_with_its_instructions_and_its_question_or_says_that_the_instructions_do_not(
    record: int, cases: tuple[int, ...], rules: tuple[int, ...], instructions: int, room: int
) -> None:
    request = a_request(record, cases, rules, instructions)
    try:
        prompt = fitted(request, room)
    except ModelRefusedError:
        assert count_tokens(request.instructions) > room - 600
        return

    assert size_of(prompt) <= room
    assert prompt.prompt.answer_tokens == 500
    assert request.instructions in prompt.prompt.stable
    assert QUESTION in prompt.prompt.changing
    assert len(prompt.guidelines) + prompt.left_out.guidelines == len(rules)
    assert len(prompt.cases) + prompt.left_out.cases == len(cases)
    shown = count_tokens(section(prompt.prompt.changing, "record")[0])
    assert shown + prompt.left_out.tokens == count_tokens(json.dumps(request.fields))
    if prompt.left_out.tokens:
        assert prompt.left_out.cases == len(cases)


def test_cases_are_shortened_before_any_is_left_out() -> None:
    prompt = fitted(a_request(cases=(1_200,) * 5), 2_000)

    assert prompt.left_out.cases == 0
    lines = section(prompt.prompt.changing, "cases")
    assert len(lines) == 5
    assert all(json.loads(line)["label"] is False and json.loads(line)["reasons"] for line in lines)


def test_the_least_similar_cases_are_left_out_first() -> None:
    prompt = fitted(a_request(cases=(1_200,) * 8), 1_100)

    assert [case.episode.trace_id for case in prompt.cases] == [f"tr-{n}" for n in range(len(prompt.cases))]
    assert 1 <= len(prompt.cases) < 8


def test_guidelines_give_way_after_the_cases_and_before_the_record() -> None:
    prompt = fitted(a_request(record=1_000, cases=(200,) * 3, rules=(40,) * 20), 2_600)

    assert (prompt.left_out.cases, prompt.left_out.tokens) == (3, 0)
    assert 0 < prompt.left_out.guidelines < 20


def test_the_least_relevant_guidelines_are_left_out_first() -> None:
    request = a_request(record=1_000, rules=(40,) * 20)
    ranking = tuple(f"g-{n}" for n in reversed(range(20)))
    prompt = fitted(replace(request, evidence=replace(request.evidence, guideline_ranking=ranking)), 2_600)

    kept = len(prompt.guidelines)
    assert [rule.id for rule in prompt.guidelines] == [f"g-{n}" for n in range(20 - kept, 20)]


def test_beside_a_record_that_does_not_fit_the_best_guidelines_keep_an_eighth_of_the_room() -> None:
    prompt = fitted(a_request(record=50_000, cases=(100,), rules=(20,) * 30), 4_000)

    assert prompt.left_out.tokens > 40_000
    assert 3 <= len(prompt.guidelines) < 30


def test_instructions_that_leave_no_room_are_told_with_the_remedy() -> None:
    with pytest.raises(
        ModelRefusedError,
        match=r"judge politeness takes a prompt of at least 5,\d+ tokens .* Choose a model .* or shorten",
    ):
        fitted(a_request(instructions=4_000), 3_000)
