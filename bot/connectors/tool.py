"""The tracing tool as the bot uses it: one implementation for each kind of tool."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from memalign.mlflow_feedback import OWN_ASSESSMENT_ID
from memalign.records import Json, Label, Trace

SourceType = Literal["HUMAN", "LLM_JUDGE"]
OWN_ID = OWN_ASSESSMENT_ID
"""Name, in the metadata of an assessment of ours, of the id by which we know it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceHead:
    """A trace as a listing shows it, before its content is read."""

    trace_id: str
    reference: str
    """The place that assessments of it go to: the trace's id, or that of its root span, as the tool wants it."""
    time_ms: int
    """The beginning of the run, in milliseconds since 1970; the order in which traces are read."""
    is_finished: bool = True
    """False while the run goes on; it is read once it is finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracePage:
    """Some traces of a listing, the oldest first."""

    heads: tuple[TraceHead, ...]
    next_page: str | None = None
    """The page that the listing goes on with; None at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAssessment:
    """An answer that a person gave in the tool itself."""

    name: str
    """Name of the judge that it is about."""
    author: str
    """The person, as the tool names them."""
    value: Json
    """As the tool has it; the judge's type reads it."""
    rationale: str = ""
    updated_ms: int = 0
    """Time of the last change, in milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredTrace:
    """A trace that people answered in the tool itself."""

    head: TraceHead
    answers: tuple[RemoteAssessment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPage:
    """Some of the traces that people answered in the tool itself, the newest first."""

    traces: tuple[AnsweredTrace, ...]
    next_page: str | None = None
    """The page that the listing goes on with; None at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAssessment:
    """An assessment of ours, as it is to stand in the tool."""

    own_id: str
    """Names judge, trace and person in one; the same whenever it is written. Goes into the metadata as `OWN_ID`."""
    reference: str
    """The place in the tool, as `TraceHead.reference`."""
    trace_id: str
    """The trace's id in the tool."""
    judge: str
    value: Label
    rationale: str = ""
    source_type: SourceType
    source_id: str
    """The person's key, or the judge's model."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Ids that tell where it comes from; `OWN_ID` is added by who writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAssessment:
    """The place of an assessment of ours in the tool: what is needed to find, change and delete it."""

    own_id: str
    reference: str
    trace_id: str
    remote_id: str | None = None
    """The tool's id of it; None where that is not known."""


class TracingTool(Protocol):
    """A tracing tool.

    Every method raises `ToolUnavailableError` for what another try may mend, and `ToolRefusedError` for what it will
    not; `GoneError` among these where there is no such trace or assessment.
    """

    async def check(self) -> str:
        """Try address, key and project anew; return what was found, for people, such as `experiment "support"`."""
        ...

    async def place_id(self) -> str:
        """Return the tool's id of the project, as it was looked up last: one that was made anew has another."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...

    async def list_traces(self, since_ms: int, page: str | None = None) -> TracePage:
        """List traces that began at that time or later, the oldest first, from a page on."""
        ...

    async def read_traces(self, heads: Sequence[TraceHead]) -> Sequence[Trace]:
        """Read the content of traces, without assessments; those that are gone, or cannot be read, are left out."""
        ...

    async def read_assessments(
        self, references: Mapping[str, str]
    ) -> Mapping[str, Sequence[RemoteAssessment]]:
        """Read what people answered in the tool itself, by trace id; ours are left out.

        Args:
            references: trace id -> its reference.

        Returns:
            An entry for each trace that is there, be it an empty one; a trace that was deleted has none.
        """
        ...

    async def list_answers(self, names: Sequence[str], since_ms: int, page: str | None = None) -> AnswerPage:
        """List traces that people answered in the tool itself, whether or not they were read, from a page on.

        Args:
            names: names of judges, at least one; what people say under other names may be left out.
            since_ms: traces, or answers, of that time or later, in milliseconds since 1970.
            page: the page, as the one before named it; None for the first.
        """
        ...

    async def find(self, written: WrittenAssessment) -> str | None:
        """Return the tool's id of an assessment of ours, looked up by our own id; None where there is none.

        A tool that takes our own ids returns it without a look.
        """
        ...

    async def create(self, assessment: OwnAssessment) -> str:
        """Write an assessment; return the tool's id of it."""
        ...

    async def update(self, remote_id: str, assessment: OwnAssessment) -> None:
        """Give an assessment of ours its present content. Raises `GoneError` where somebody deleted it."""
        ...

    async def delete(self, remote_id: str, written: WrittenAssessment) -> None:
        """Delete an assessment of ours; nothing happens when it is gone already."""
        ...
