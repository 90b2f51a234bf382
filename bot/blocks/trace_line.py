"""A trace in one line: the question that was asked."""

from bot.blocks.trace_reading import parts_of
from bot.visible_text import visible_line
from memalign.records import Trace

MAX_QUESTION_LENGTH = 140


def question_line(trace: Trace) -> str:
    """Return the input in one line, cut at a word; not escaped."""
    text = next((part.text for part in parts_of(trace) if part.text.strip()), trace.trace_id)
    line = " ".join(visible_line(text).split())
    if len(line) <= MAX_QUESTION_LENGTH:
        return line
    return f"{line[:MAX_QUESTION_LENGTH].rsplit(' ', 1)[0]} …"
