"""A judge's verdict, asked of a language model."""

from memalign.errors import InputError, MalformedAnswerError
from memalign.models.prompts import judging_prompt, judging_schema
from memalign.ports import JudgeRequest, JudgeResponse, LanguageModel


class LLMJudge:
    """Asks a language model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """`provider:/name`."""
        return self._model.name

    async def decide(self, question: JudgeRequest) -> JudgeResponse:
        """Give the value and the reason. Raises `ModelError`."""
        value_type = question.value_type
        prompt = judging_prompt(question, self._model.context_tokens)
        completion = await self._model.complete(prompt, judging_schema(value_type))
        try:
            value = value_type.parse(completion.answer.get("value"))
        except InputError as error:
            raise MalformedAnswerError(f"{self._model.name} gave no usable verdict: {error}") from error
        return JudgeResponse(
            value=value,
            rationale=str(completion.answer.get("rationale") or "").strip(),
            usage=completion.usage,
            guideline_ids=tuple(guideline.id for guideline in question.recollection.guidelines),
        )
