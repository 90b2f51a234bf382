"""A judge: a named criterion, and what it looks at in a trace."""

from dataclasses import dataclass

from memalign.errors import InputError
from memalign.records import Json, Trace
from memalign.template import fields_of, text_of, variables_in
from memalign.value_types import ValueType

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

    def select_fields(self, trace: Trace) -> dict[str, Json]:
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
