"""The conversation of a trace that came in spans: messages of its root or of its last call, with the answer. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence

from memalign.messages import read_messages
from memalign.records import Json
from memalign.span_attributes import attributes_of
from memalign.span_contents import is_empty
from memalign.turns import is_turn

Span = Mapping[str, Json]


_QUESTION_NAMES = ("input", "prompt")
"""Parts of a request that hold a question in words: OpenAI's responses, Vercel's AI SDK."""
_SYSTEM_NAMES = ("instructions", "system")


def conversation_of(root: Span | None, last_call: Span | None, outputs: Json) -> Json:
    """Return the messages of the root, else of the last call of a model, with the answer; None where there are none.

    Args:
        root: the root.
        last_call: the call.
        outputs: those of the trace, which answer the root's messages.
    """
    spans = [span for span in (root, last_call) if span is not None]
    for span in spans:
        messages = _turns(span.get("inputs"))
        if messages:
            return _whole(messages, spans, outputs if span is root else span.get("outputs"))
    words = None if last_call is None else _request_words(last_call, _QUESTION_NAMES)
    if last_call is None or words is None:
        return None
    return _whole([{"role": "user", "content": words}], [last_call], last_call.get("outputs"))


def _whole(messages: Sequence[Json], spans: Sequence[Span], answer: Json) -> list[Json]:
    """Return messages with the system's before them, where they have none, and the answer behind them."""
    system = next((each for each in map(_system_words, spans) if not is_empty(each)), None)
    first = [] if is_empty(system) or messages[0].get("role") == "system" else _system(system)
    return [*first, *messages, *_answer_turns(answer)]


def _system_words(span: Span) -> Json:
    return attributes_of(span).get("gen_ai.system_instructions") or _request_words(span, _SYSTEM_NAMES)


def _request_words(span: Span, names: Iterable[str]) -> str | None:
    request = span.get("inputs")
    parts = [request.get(name) for name in names] if isinstance(request, Mapping) else []
    return next((part for part in parts if isinstance(part, str) and part.strip()), None)


def _system(instructions: Json) -> list[Json]:
    turn = read_messages({"role": "system", "content": instructions})
    return [turn] if is_turn(turn) else []


def _answer_turns(outputs: Json) -> list[Json]:
    """Return the messages of an answer; one that is a text, or an object that a schema asks for, is one message."""
    if is_empty(outputs) or _turns(outputs):
        return _turns(outputs)
    words = outputs if isinstance(outputs, str) else json.dumps(outputs, ensure_ascii=False)
    return [{"role": "assistant", "content": words}]


def _turns(side: Json) -> list[Json]:
    """Return the messages of a side: a list of turns, or an object such as a request whose one list of turns it is."""
    if isinstance(side, Mapping) and not is_turn(side):
        side = next((part for part in side.values() if _is_turn_list(part)), None)
    if isinstance(side, Mapping) and is_turn(side):
        return [side]
    return list(side) if _is_turn_list(side) else []


def _is_turn_list(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(is_turn(each) for each in value)
