"""Fields of the lines of traces and feedback, from the classes that read them."""

from collections.abc import Mapping

from pydantic import BaseModel

from bot.cli.feedback_file import LineIn
from bot.trace_json.trace_body import TraceIn
from memalign.records import Trace
from reference.settings import attribute_docstrings
from reference.tables import code, table

NEEDED = "needed"


def trace_fields() -> str:
    """Return a table of the fields of a trace."""
    return _table(TraceIn, attribute_docstrings(Trace), left_out=())


def feedback_fields() -> str:
    """Return a table of the fields that a line of feedback has beside those of a trace."""
    return _table(LineIn, attribute_docstrings(LineIn), left_out=tuple(TraceIn.model_fields))


def _table(owner: type[BaseModel], meanings: Mapping[str, str], left_out: tuple[str, ...]) -> str:
    rows = [
        (code(name), NEEDED if field.is_required() else "", meanings.get(name, ""))
        for name, field in owner.model_fields.items()
        if name not in left_out
    ]
    return table(("field", "", "meaning"), rows)
