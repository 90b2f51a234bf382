"""Turns of a conversation: who says what, calls which tool, and what the tool answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memalign.records import Json

_NAMES = frozenset({"role", "name", "thinking", "content", "tool_calls", "stopped"})
"""Names of a turn's document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that a turn asks for."""

    name: str
    arguments: Json = None
    call_id: str = ""

    def document(self) -> dict[str, Json]:
        """Write the call as it stands in a prompt.

        Returns:
            Its name and arguments.
        """
        return {"name": self.name, "arguments": self.arguments}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn."""

    role: str
    """As the application says it: user, assistant, system, developer, tool, and the like."""
    content: Json = ""
    """The words, placeholders of media included; of a tool, its result."""
    name: str = ""
    """Of the tool or the participant."""
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    """Of the call that a tool answers."""
    stopped: str = ""
    """Reason why a model stopped too early, such as `length`."""

    def document(self) -> dict[str, Json]:
        """Write the turn as it stands in a prompt.

        Returns:
            Its parts by name, without those that it lacks.
        """
        parts = {
            "role": self.role,
            "name": self.name,
            "thinking": self.thinking,
            "content": self.content,
            "tool_calls": [call.document() for call in self.calls],
            "stopped": self.stopped,
        }
        is_silent = not (self.calls or self.thinking)
        return {
            name: part
            for name, part in parts.items()
            if part not in ("", [], None) or (name == "content" and is_silent)
        }


def is_turn(value: Json) -> bool:
    """Tell whether a JSON value is a turn's document.

    Args:
        value: Any JSON.

    Returns:
        True for what `Turn.document` returns.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("role"), str) or not value.keys() <= _NAMES:
        return False
    if value["role"] != "tool" and not isinstance(value.get("content", ""), str):
        return False
    return bool(value.keys() & {"content", "thinking", "tool_calls"}) and all(
        map(_is_call, value.get("tool_calls") or ())
    )


def _is_call(value: Json) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"name", "arguments"}


def places_by_importance(turns: Sequence[Mapping[str, Json]]) -> list[int]:
    """Rank turns by what must stay when not all fit.

    Args:
        turns: Documents of turns.

    Returns:
        Their places: the last question, the last turn, the first one, then from the end.
    """
    questions = [place for place, turn in enumerate(turns) if turn["role"].lower() in ("user", "human")]
    return list(dict.fromkeys((*questions[-1:], len(turns) - 1, 0, *reversed(range(len(turns))))))


def turn_text(turn: Mapping[str, Json]) -> str:
    """Write a turn's document as a person reads it.

    Args:
        turn: A value for which `is_turn` holds.

    Returns:
        Lines such as `user: Help?`, `assistant calls search({"q": "x"})` and `tool search: nothing`.
    """
    speaker = " ".join(filter(None, (turn["role"], turn.get("name"))))
    lines = [f"{speaker} thinks: {turn['thinking']}"] if turn.get("thinking") else []
    if turn.get("content") or not (turn.get("tool_calls") or lines):
        lines.append(f"{speaker}: {_plain(turn.get('content', ''))}")
    lines += [
        f"{speaker} calls {call['name']}({_plain(call['arguments'])})"
        for call in turn.get("tool_calls") or ()
    ]
    if turn.get("stopped"):
        lines.append(f"({speaker} was stopped: {turn['stopped']})")
    return "\n".join(lines)


def _plain(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
