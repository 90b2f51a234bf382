"""The forms of exports that are known, in the order in which they are looked for."""

from bot.conversion.langfuse_export import LANGFUSE
from bot.conversion.langsmith_export import LANGSMITH
from bot.conversion.mlflow_export import MLFLOW
from bot.conversion.otlp_export import OTLP
from bot.conversion.own_lines import OWN
from bot.conversion.phoenix_export import PHOENIX
from bot.conversion.records import Document, ExportForm

EXPORT_FORMS = (OTLP, MLFLOW, PHOENIX, LANGSMITH, LANGFUSE, OWN)


def form_of(document: Document) -> ExportForm | None:
    """Return the form of an object; None where it is of no tool that is known."""
    return next((form for form in EXPORT_FORMS if form.recognises(document)), None)


def named_form(source: str) -> ExportForm | None:
    """Return the form of a tool; None of a plain table."""
    return next((form for form in EXPORT_FORMS if form.name == source), None)
