"""Prompts that a model finds too long are written anew for the room that it has."""

import pytest

from memalign.errors import ModelRefusedError, PromptTooLongError
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.llm_judge import MAX_PROMPTS, LLMJudge
from memalign.ports import Completion, LabelledRationale, Prompt, PromptRoom
from memalign.records import Json, LeftOut
from memalign.tokens import count_tokens
from tests.factories import a_source
from tests.fakes import FakeModel
from tests.memalign.models.test_prompts import a_request, retrieved

TOO_LONG = PromptTooLongError("fake:/model has no room for so long a text (400).")


class NarrowModel(FakeModel):
    """Finds prompts too long by a limit of its own, of which it tells a part with each refusal."""

    def __init__(self, real_tokens: int, *rooms: int) -> None:
        super().__init__()
        self.real_tokens = real_tokens
        self.rooms = list(rooms)

    async def prompt_room(self, answer_tokens: int) -> PromptRoom:
        tokens = self.rooms[0]
        return PromptRoom(prompt_tokens=tokens, answer_tokens=min(answer_tokens, tokens // 4))

    async def complete(self, prompt: Prompt, schema: Json) -> Completion:
        if count_tokens(prompt.stable) + count_tokens(prompt.changing) > self.real_tokens:
            self.prompts.append(prompt)
            self.rooms = self.rooms[1:] or self.rooms
            raise TOO_LONG
        return await super().complete(prompt, schema)


async def test_a_verdict_is_asked_for_again_with_a_shorter_prompt_and_says_what_was_left_out() -> None:
    model = NarrowModel(1_000, 8_000, 3_000, 1_000)

    response = await LLMJudge(model).decide(a_request({"inputs": "word " * 20_000}, (), (retrieved("x"),)))

    assert len(model.prompts) == 3
    assert response.retrieved_trace_ids == ()
    assert response.left_out == LeftOut(cases=1, tokens=response.left_out.tokens)
    assert response.left_out.tokens > 20_000


async def test_a_prompt_that_cannot_get_shorter_is_not_sent_again() -> None:
    model = NarrowModel(10, 8_000)

    with pytest.raises(PromptTooLongError):
        await LLMJudge(model).decide(a_request())
    assert len(model.prompts) == 1


async def test_the_number_of_prompts_for_one_verdict_is_bounded() -> None:
    model = NarrowModel(10, *range(20_000, 1_000, -500))

    with pytest.raises(PromptTooLongError):
        await LLMJudge(model).decide(a_request({"inputs": "word " * 40_000}))
    assert len(model.prompts) == MAX_PROMPTS


async def test_rationales_are_batched_anew_for_the_smaller_room() -> None:
    model = NarrowModel(1_500, 20_000, 1_500)
    rationales = [
        LabelledRationale(
            source=a_source(f"tr-{n}", "ana", f"reason {n}"), label=False, fields={"inputs": "word " * 300}
        )
        for n in range(12)
    ]

    result = await LLMDistiller(model).distil("Is it polite? {{ inputs }}", rationales, [])

    assert result.failed == {}
    assert sorted(draft.text for draft in result.drafts) == sorted(f"reason {n}" for n in range(12))


async def test_instructions_that_leave_no_room_for_rationales_are_told() -> None:
    rationale = LabelledRationale(source=a_source(), label=False, fields={"inputs": "x"})

    with pytest.raises(
        ModelRefusedError, match=r"A lesson takes a prompt of at least 6,.* Choose a model .* or shorten"
    ):
        await LLMDistiller(NarrowModel(9, 2_000)).distil("word " * 5_000, [rationale], [])
