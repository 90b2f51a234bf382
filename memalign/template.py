"""Template variables: the fields of a trace that a judge sees."""

import re
from collections.abc import Callable, Mapping

from memalign.embedded_text import has_text
from memalign.records import Json, Trace
from memalign.trace_content import TraceContent

VARIABLES = ("inputs", "outputs", "expectations", "conversation", "trace")
"""All template variables."""

_VARIABLE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def variables_in(instructions: str) -> tuple[str, ...]:
    """Find the template variables in instructions.

    Args:
        instructions: Text with {{ variables }}.

    Returns:
        Their names, known or not, each once, in the order of the text.
    """
    return tuple(dict.fromkeys(_VARIABLE.findall(instructions)))


def fields_of(trace: Trace, variables: tuple[str, ...]) -> dict[str, Json]:
    """Read the values of template variables.

    Args:
        trace: The trace.
        variables: Names out of `VARIABLES`.

    Returns:
        Values by name, as `memalign.trace_content` reads them. For outputs and expectations that are missing there
        are words that say so; None for what else the trace does not have.

    Raises:
        KeyError: If a variable does not exist.
    """
    return {name: _READERS[name](TraceContent(trace)) for name in variables}


def lacks(trace: Trace, variables: tuple[str, ...]) -> bool:
    """Tell whether a trace has nothing at all of what template variables ask for.

    Args:
        trace: The trace.
        variables: Names out of `VARIABLES`.

    Returns:
        True if none of them has a text. A run that ended with an error has its error.
    """
    content = TraceContent(trace)
    if content.error and {"outputs", "trace"} & set(variables):
        return False
    values = {
        "inputs": content.inputs,
        "outputs": content.outputs,
        "expectations": content.expectations,
        "conversation": content.conversation,
        "trace": content.document if "trace" in variables else None,
    }
    return not any(has_text(values[name]) for name in variables)


_READERS: Mapping[str, Callable[[TraceContent], Json]] = {
    "inputs": lambda content: content.inputs,
    "outputs": lambda content: content.shown_outputs,
    "expectations": lambda content: content.shown_expectations,
    "conversation": lambda content: content.conversation,
    "trace": lambda content: content.document,
}
