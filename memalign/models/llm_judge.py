"""Judging with a language model."""

from memalign.errors import InputError, MalformedAnswerError
from memalign.models.json_answers import text_at
from memalign.models.prompts import judging_prompt, judging_schema
from memalign.ports import JudgeRequest, JudgeResponse, LanguageModel

MAX_RATIONALE_CHARACTERS = 20_000
"""Of a verdict's rationale; a model that repeats itself without end is cut off."""


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
        prompt = judging_prompt(request, self._model.context_tokens)
        completion = await self._model.complete(prompt, judging_schema(request.value_type))
        try:
            value = request.value_type.parse(completion.answer.get("value"))
        except InputError as error:
            raise MalformedAnswerError(f"{self._model.name} gave no usable verdict: {error}") from error
        return JudgeResponse(
            value=value,
            rationale=text_at(completion.answer, "rationale").strip()[:MAX_RATIONALE_CHARACTERS],
            usage=completion.usage,
            guideline_ids=tuple(guideline.id for guideline in request.evidence.guidelines),
        )
