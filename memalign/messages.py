"""Chat messages as turns, whatever library or service wrote them; everything else stays as it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from memalign.message_forms import message_turns, pair_turns
from memalign.message_parts import is_part, read_parts
from memalign.records import Json
from memalign.tool_calls import from_json
from memalign.turns import Turn, is_turn, turn_text

_ENVELOPE = frozenset({
    "id", "object", "created", "createdat", "model", "systemfingerprint", "servicetier", "usage", "index", "logprobs",
    "finishreason", "stopreason", "stopsequence", "temperature", "topp", "maxtokens", "maxcompletiontokens", "stream",
    "responsemetadata", "usagemetadata", "promptfeedback", "modelversion", "n", "seed", "paralleltoolcalls",
    "toolchoice", "responseformat", "streamoptions", "provider", "metadata", "status", "responseid",
})  # fmt: skip
"""Names beside messages that say nothing of what is asked or answered; without underscores, in lower case."""
_MAX_DEPTH = 60


def read_messages(value: Json) -> Json:
    """Put turns for the chat messages in a value.

    Args:
        value: Any JSON, media replaced.

    Returns:
        The value in which each list of messages, and each message alone, is a list of turns (`Turn.document`) or a
        turn. To call it again changes nothing.
    """
    return _read(value, 0)


def without_envelopes(value: Json) -> Json:
    """Write the turns in a value as texts, without what services put around them: ids, models, usage.

    Args:
        value: As `read_messages` returns it.

    Returns:
        The value with a text for each turn. An assistant's words that stand alone are without their role.
    """
    return _spoken(value, 0)


def _read(value: Json, depth: int) -> Json:
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, str):
        return _read_text(value, depth)
    turns = _turns(value)
    if turns:
        documents = [turn.document() for turn in _with_tool_names(turns)]
        return documents[0] if isinstance(value, Mapping) and len(documents) == 1 else documents
    if isinstance(value, Mapping):
        members = {name: _read(inner, depth + 1) for name, inner in value.items()}
        # a message inside may have been JSON text
        return _read(members, depth + 1) if members != value and _turns(members) else members
    if isinstance(value, list | tuple):
        if value and all(is_part(item) for item in value):
            parts = read_parts(value)
            if not (
                parts.calls or parts.results
            ):  # those of tools are no words: a request's tools, for instance
                return parts.text
        return [_read(item, depth + 1) for item in value]
    return value


def _read_text(text: str, depth: int) -> Json:
    """Read messages in a text of JSON, as attributes of spans hold them."""
    if text.lstrip()[:1] not in ("{", "[") or not (
        '"role"' in text or '"messages"' in text or '"kwargs"' in text
    ):
        return text
    document = from_json(text)
    inner = document if isinstance(document, str) else _read(document, depth + 1)
    return text if inner == document and not _holds_turns(inner) else inner


def _holds_turns(value: Json) -> bool:
    if is_turn(value):
        return True
    inner: Iterable[Json] = (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    )
    return any(map(_holds_turns, inner))


def _turns(value: Json) -> list[Turn] | None:
    """Return the turns of a message, or of a list of nothing but messages; None where it is something else."""
    if isinstance(value, Mapping):
        return message_turns(value)
    if not isinstance(value, list | tuple) or not value:
        return None
    turns: list[Turn] = []
    for item in value:
        read = message_turns(item) if isinstance(item, Mapping) else pair_turns(item)
        if read is None:
            return None
        turns += read
    return turns


def _with_tool_names(turns: Sequence[Turn]) -> list[Turn]:
    """Name the results by the calls that they answer."""
    names = {call.call_id: call.name for turn in turns for call in turn.calls if call.call_id}
    return [
        replace(turn, name=names[turn.call_id]) if not turn.name and turn.call_id in names else turn
        for turn in turns
    ]


def _spoken(value: Json, depth: int) -> Json:
    if depth > _MAX_DEPTH:
        return value
    if is_turn(value):
        return _alone(value)
    if isinstance(value, list) and value and all(map(is_turn, value)):
        return _alone(value[0]) if len(value) == 1 else "\n".join(map(turn_text, value))
    if isinstance(value, list):
        return [_spoken(item, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    speaks = any(map(_speaks, value.values()))
    return {
        name: _spoken(inner, depth + 1)
        for name, inner in value.items()
        if not speaks or _plain_name(name) not in _ENVELOPE or _speaks(inner)
    }


def _plain_name(name: str) -> str:
    return str(name).lower().replace("_", "")


def _speaks(value: Json) -> bool:
    return is_turn(value) or (isinstance(value, list) and bool(value) and all(map(is_turn, value)))


def _alone(turn: Mapping[str, Json]) -> str:
    is_plain = turn["role"] in ("assistant", "model") and turn.keys() <= {"role", "content"}
    return turn["content"] if is_plain and isinstance(turn["content"], str) else turn_text(turn)
