"""Parts of exports, in the forms in which the readers of tools hand them on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from memalign.records import Assessment, Json, Trace

Document = Mapping[str, Json]
"""One object of an export: a line, a row, an entry of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value of a file, or the reason why it cannot be read."""

    place: str
    """Its place in the file, such as `line 3`."""
    value: Json = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSpan:
    """A step of a trace whose other steps stand elsewhere in the export."""

    trace_id: str
    span_id: str
    span: Document
    metadata: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateLabel:
    """A label that stands apart from its trace."""

    target_ids: tuple[str, ...]
    """Ids of the span or of the trace; the first that is known counts."""
    assessment: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLine:
    """A line that is one of ours already."""

    document: Document


Part = Trace | TraceSpan | SeparateLabel | OwnLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportForm:
    """A form of exports."""

    name: str
    """As after `--from`, and the `source` of its labels."""
    title: str
    """As people call it."""
    recognises: Callable[[Document], bool]
    read: Callable[[Document], Iterator[Part]]
    """Reads an object. Raises `InputError`."""
