"""Judging with a language model."""

import asyncio

from memalign.errors import InputError, MalformedAnswerError, PromptTooLongError
from memalign.models.cited_numbers import CASES, GUIDELINES, cited
from memalign.models.json_answers import text_at
from memalign.models.judging_prompt import JudgingPrompt, judging_prompt
from memalign.models.prompts import judging_schema
from memalign.ports import Completion, JudgeRequest, JudgeResponse, LanguageModel, Prompt

MAX_RATIONALE_CHARACTERS = 20_000
"""Of a verdict's rationale; a model that repeats itself without end is cut off."""
VERDICT_TOKENS = 1_000
"""Room for a verdict, where the model's options set no other: a value and two or three sentences."""
MAX_PROMPTS = 6
"""Most prompts for one verdict, each shorter than the one before, where the model finds them too long."""


class LLMJudge:
    """Judges with a language model, which is shown the guidelines and the similar cases.

    Args:
        model: Asked once for each verdict.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return self._model.name

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        """See `memalign.ports.JudgeModel.decide`."""
        fitted, completion = await self._complete(request)
        try:
            value = request.value_type.parse(completion.answer.get("value"))
        except InputError as error:
            raise MalformedAnswerError(f"{self._model.name} gave no usable verdict: {error}") from error
        guideline_ids = tuple(guideline.id for guideline in fitted.guidelines)
        trace_ids = tuple(case.episode.trace_id for case in fitted.cases)
        return JudgeResponse(
            value=value,
            rationale=text_at(completion.answer, "rationale").strip()[:MAX_RATIONALE_CHARACTERS],
            usage=completion.usage,
            guideline_ids=cited(completion.answer.get(GUIDELINES), guideline_ids),
            shown_guideline_ids=guideline_ids,
            cited_trace_ids=cited(completion.answer.get(CASES), trace_ids),
            retrieved_trace_ids=trace_ids,
            left_out=fitted.left_out,
        )

    async def _complete(self, request: JudgeRequest) -> tuple[JudgingPrompt, Completion]:
        """Ask for the verdict; with a shorter prompt where the model finds it too long."""
        schema = judging_schema(request.value_type, rationale_first=request.rationale_first)
        fitted = await self._fitted(request)
        for _ in range(MAX_PROMPTS - 1):
            try:
                return fitted, await self._model.complete(fitted.prompt, schema)
            except PromptTooLongError:
                shorter = await self._fitted(request)
                if _characters(shorter.prompt) >= _characters(fitted.prompt):
                    raise
                fitted = shorter
        return fitted, await self._model.complete(fitted.prompt, schema)

    async def _fitted(self, request: JudgeRequest) -> JudgingPrompt:
        """Write the prompt in a thread: of a record of megabytes that takes a second, and others wait for the loop."""
        room = await self._model.prompt_room(VERDICT_TOKENS)
        return await asyncio.to_thread(judging_prompt, request, room)


def _characters(prompt: Prompt) -> int:
    return len(prompt.stable) + len(prompt.changing)
