"""Lines that are trace lines already, which pass through."""

from collections.abc import Iterator

from bot.conversion.records import Document, ExportForm, OwnLine, Part
from bot.trace_json.foreign_traces import foreign_shape
from memalign.errors import InputError

_CONTENT = ({"inputs", "outputs"}, {"input", "output"})
_OTHER_TYPES = ("guideline", "episode", "verdict")


def _recognises(document: Document) -> bool:
    if document.get("type") in _OTHER_TYPES and "judge" in document:
        return True
    has_content = any(names <= document.keys() for names in _CONTENT)
    return "trace_id" in document and has_content and foreign_shape(document) is None


def _read(document: Document) -> Iterator[Part]:
    if document.get("type") in _OTHER_TYPES:
        raise InputError(f"it is a {document['type']} of ours, no trace")
    yield OwnLine(document=document)


OWN = ExportForm(name="memalign", title="memalign", recognises=_recognises, read=_read)
