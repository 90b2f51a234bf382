"""Sessions: runs of one conversation, as MLflow's `session` argument gives them, read as the conversation."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from memalign.embedded_text import has_text
from memalign.errors import InputError
from memalign.mlflow_traces import trace_of
from memalign.records import Json, Trace
from memalign.trace_content import TraceContent
from memalign.turns import Turn, is_turn

_SESSION_ID = "mlflow.trace.session"
"""Name of the session's id among the metadata of a trace of MLflow's."""
_PEOPLE = ("user", "human")
_MODELS = ("assistant", "model", "ai")


def session_fields(session: object) -> dict[str, Json]:
    """Read a session.

    Args:
        session: The traces of one session, MLflow's or ours, in any order if they have times, else in theirs; None or
            empty: none.

    Returns:
        The `conversation`, with a turn for each request and each answer, and the `expectations` of the first trace
        that has any; empty without a session.

    Raises:
        InputError: If it is no list of traces, or they are of several sessions.
    """
    if session is None:
        return {}
    if isinstance(session, str | Mapping) or not isinstance(session, Sequence):
        raise InputError(f"A session is a list of traces, not {type(session).__name__}.")
    _check_one_session(session)
    traces = _in_order(map(trace_of, session))
    if not traces:
        return {}
    expectations = (trace.expectations for trace in traces if has_text(trace.expectations))
    return {"conversation": conversation_of(traces), "expectations": next(expectations, None)}


def conversation_traces(traces: Iterable[object]) -> list[Trace]:
    """Read traces for a judge of conversations.

    Args:
        traces: MLflow's or ours.

    Returns:
        Our traces. One of MLflow's, which has no conversation of its own, has that of its session, from those of the
        session that are given; without a session, the conversation of its one run.
    """
    listed = list(traces)
    read = list(map(trace_of, listed))
    sessions: dict[str, list[Trace]] = {}
    names = [_session_name(given) or f"trace {number}" for number, given in enumerate(listed)]
    for name, trace in zip(names, read, strict=True):
        sessions.setdefault(name, []).append(trace)
    return [
        trace
        if isinstance(given, Trace)
        else replace(trace, conversation=conversation_of(_in_order(sessions[name])))
        for given, name, trace in zip(listed, names, read, strict=True)
    ]


def conversation_of(traces: Sequence[Trace]) -> list[Json]:
    """Write runs as one conversation.

    Args:
        traces: In order.

    Returns:
        Turns, as `memalign.turns.Turn.document` writes them; what was not said is left out.
    """
    turns = []
    for content in map(TraceContent, traces):
        turns += [("user", _words(content.inputs, _PEOPLE)), ("assistant", _words(content.outputs, _MODELS))]
    return [Turn(role=role, content=words).document() for role, words in turns if words.strip()]


def _in_order(traces: Iterable[Trace]) -> list[Trace]:
    return sorted(traces, key=lambda trace: trace.timestamp or "")


def _session_name(trace: object) -> str:
    """Return the id of a trace's session; empty where it has none."""
    metadata = getattr(getattr(trace, "info", None), "trace_metadata", None) or {}
    return str(metadata.get(_SESSION_ID) or "")


def _check_one_session(session: Sequence[object]) -> None:
    names = sorted(set(filter(None, map(_session_name, session))))
    if len(names) > 1:
        raise InputError(
            f"These traces are of {len(names)} sessions ({names[0]}, {names[1]}, …); give those of one."
        )


def _words(content: Json, roles: Sequence[str]) -> str:
    """Return the last words that somebody in a role says; where nobody speaks, the only text, or the JSON of all."""
    turns = _turns(content)
    if turns:
        own = [turn for turn in turns if turn["role"] in roles]
        content = (own or turns)[-1].get("content", "")
    while isinstance(content, Mapping) and len(content) == 1:
        (content,) = content.values()
    if content is None or isinstance(content, str):
        return content or ""
    return json.dumps(content, ensure_ascii=False, default=str)


def _turns(content: Json) -> list[Mapping[str, Json]]:
    """Return the turns that a value is, or that one of its parts is."""
    if is_turn(content):
        return [content]
    if isinstance(content, list) and content and all(map(is_turn, content)):
        return content
    if isinstance(content, Mapping):
        return next(filter(None, map(_turns, content.values())), [])
    return []
