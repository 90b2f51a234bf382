"""A judge: a named criterion, and how a language model is asked to apply it."""

from dataclasses import dataclass

from memalign.errors import InputError, MalformedAnswerError
from memalign.models.prompts import judging_prompt, judging_schema
from memalign.ports import Decision, LanguageModel, Question
from memalign.records import Json, Trace
from memalign.template import fields_of, text_of, variables_in
from memalign.value_types import ValueType, value_type_of

_NEEDED = ("expectations", "conversation")
"""What a judge that asks for it cannot do without; an application may well answer nothing at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A named criterion: instructions with template variables, a feedback value type and a model."""

    name: str
    instructions: str
    value_type: ValueType
    model: str
    """`provider:/name`."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The template variables used, in template order."""
        return variables_in(self.instructions)

    def look_at(self, trace: Trace) -> dict[str, Json]:
        """What the judge sees of a trace. Raises `InputError` when it lacks what the judge asks for."""
        fields = fields_of(trace, self.fields)
        missing = [name for name in self.fields if name in _NEEDED and fields[name] is None]
        if missing or not text_of(fields):
            wanted = " and ".join(missing) or " or ".join(self.fields)
            named = f"Trace {trace.trace_id}" if trace.trace_id else "The trace"
            raise InputError(
                f"{named} has no {wanted}, which judge {self.name} looks at; send it again with them."
            )
        return fields


class ModelDecider:
    """Asks a language model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """`provider:/name`."""
        return self._model.name

    async def decide(self, question: Question) -> Decision:
        """Give the value and the reason. Raises `ModelError`."""
        value_type = value_type_of(question.value_type)
        prompt = judging_prompt(question, value_type, self._model.context_tokens)
        completion = await self._model.complete(prompt, judging_schema(value_type))
        try:
            value = value_type.parse(completion.answer.get("value"))
        except InputError as error:
            raise MalformedAnswerError(f"{self._model.name} gave no usable verdict: {error}") from error
        return Decision(
            value=value,
            rationale=str(completion.answer.get("rationale") or "").strip(),
            usage=completion.usage,
            guideline_ids=tuple(guideline.id for guideline in question.recollection.guidelines),
        )
