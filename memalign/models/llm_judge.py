"""Judging with a language model."""

from memalign.errors import InputError, MalformedAnswerError
from memalign.models.prompts import judging_prompt, judging_schema
from memalign.ports import JudgeRequest, JudgeResponse, LanguageModel


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
            rationale=str(completion.answer.get("rationale") or "").strip(),
            usage=completion.usage,
            guideline_ids=tuple(guideline.id for guideline in request.evidence.guidelines),
        )
