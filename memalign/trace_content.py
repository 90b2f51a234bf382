"""The content of a trace as judges, people and the embedding model see it.

Media are placeholders, chat messages are turns, spans are a tree. Where neither inputs nor outputs are given, those of
the shallowest span stand for them. What is missing is said, so that a judge does not take it for an answer.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from memalign.embedded_text import has_text
from memalign.media import replace_media
from memalign.messages import read_messages
from memalign.records import Json, Trace
from memalign.span_contents import is_empty
from memalign.spans import error_of, shallowest_content, span_tree

NONE_GIVEN: Final = "(none given)"
"""Stands for expectations that a trace does not have."""
NO_OUTPUT: Final = "(no output)"


@dataclass(frozen=True)
class TraceContent:
    """Content of a trace; each part is read when it is asked for.

    Args:
        trace: The trace.
    """

    trace: Trace

    @cached_property
    def spans(self) -> list[Json]:
        """The spans as a tree, see `memalign.spans.span_tree`."""
        return span_tree(self.trace.spans)

    @property
    def inputs(self) -> Json:
        """The request; None where there is none."""
        return self._sides[0]

    @property
    def outputs(self) -> Json:
        """The answer; None where there is none."""
        return self._sides[1]

    @cached_property
    def expectations(self) -> Json:
        """The answer that was wanted; None where it is not known."""
        return content_of(self.trace.expectations)

    @cached_property
    def conversation(self) -> Json:
        """The messages; None where there are none."""
        return content_of(self.trace.conversation)

    @cached_property
    def error(self) -> str | None:
        """The error with which the run ended; None where it ended well."""
        return self.trace.error or (error_of(self.spans) if self.trace.spans else None)

    @property
    def has_output(self) -> bool:
        """True if the run answered something."""
        return has_text(self.outputs)

    @property
    def shown_outputs(self) -> Json:
        """The answer; where there is none, or the run ended with an error, words that say so."""
        if not self.has_output:
            return f"(no output: the run ended with an error: {self.error})" if self.error else NO_OUTPUT
        if not self.error:
            return self.outputs
        if isinstance(self.outputs, str):
            return f"{self.outputs}\n(the run ended with an error: {self.error})"
        return {"output": self.outputs, "the run ended with an error": self.error}

    @property
    def shown_expectations(self) -> Json:
        """The answer that was wanted; where it is not known, words that say so."""
        return self.expectations if has_text(self.expectations) else NONE_GIVEN

    @property
    def document(self) -> Json:
        """The whole trace; None where it holds nothing."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "error": self.error, "spans": self.spans}
        if not any(map(has_text, parts.values())):
            return None
        shown = parts | ({} if self.has_output else {"outputs": self.shown_outputs})
        return {name: part for name, part in shown.items() if part not in (None, [])}

    @cached_property
    def _sides(self) -> tuple[Json, Json]:
        inputs, outputs = content_of(self.trace.inputs), content_of(self.trace.outputs)
        if is_empty(inputs) and is_empty(outputs) and self.trace.spans:
            return shallowest_content(self.spans)
        return inputs, outputs


def content_of(value: Json) -> Json:
    """Read a part of a trace.

    Args:
        value: Any JSON, as an application sent it.

    Returns:
        The value with placeholders for media, and turns for chat messages. To call it again changes nothing.
    """
    return read_messages(replace_media(value))
