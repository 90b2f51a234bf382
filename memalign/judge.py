"""A judge: a named criterion, and the fields of a trace that it sees."""

from dataclasses import dataclass

from memalign.embedded_text import has_text
from memalign.errors import InputError
from memalign.models import DEFAULT_OPTIONS, ModelOptions
from memalign.records import Json, Trace
from memalign.template import fields_of, lacks, variables_in
from memalign.value_types import ValueType

LOCAL_MODELS = "local:/"
"""Beginning of the names of models that are no language models."""
_NEEDED = "conversation"
"""The field that a judge cannot do without if it asks for it; an application may well answer nothing at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeField:
    """A part of a trace that a judge looks at."""

    name: str
    """The template variable."""
    description: str
    """The part in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A named criterion: instructions with template variables, a feedback value type and a model."""

    name: str
    instructions: str
    value_type: ValueType
    model: str
    """The model that judges, as `provider:/name`."""
    model_options: ModelOptions = DEFAULT_OPTIONS
    """Options of that model."""
    description: str = ""
    """The criterion in a few words, for people; no model is shown it."""
    rationale_first: bool = True
    """True if the model gives the reason first, so that the value follows from it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The template variables used, in template order."""
        return variables_in(self.instructions)

    @property
    def reads_guidelines(self) -> bool:
        """False for a local model: its verdicts follow from labelled cases alone."""
        return not self.model.startswith(LOCAL_MODELS)

    @property
    def tries_guidelines(self) -> bool:
        """True if new guidelines can be tried: the model reads them, and verdicts can be compared with labels."""
        return self.reads_guidelines and self.value_type.kind != "str"

    def select_fields(self, trace: Trace) -> dict[str, Json]:
        """Select the fields of a trace that the judge sees.

        Args:
            trace: The trace.

        Returns:
            Values by template variable.

        Raises:
            InputError: If the trace lacks a conversation that the judge asks for, or has nothing of what it asks for.
        """
        fields = fields_of(trace, self.fields)
        is_unheard = _NEEDED in fields and not has_text(fields[_NEEDED])
        if is_unheard or lacks(trace, self.fields):
            wanted = _NEEDED if is_unheard else " or ".join(self.fields)
            named = f"Trace {trace.trace_id}" if trace.trace_id else "The trace"
            raise InputError(
                f"{named} has no {wanted}, which judge {self.name} looks at; send it again with them."
            )
        return fields
