"""Separation of a reasoning model's thinking from its answer.

The marks are those of the models' own chat templates: `<think>` and its kin, `[THINK]` of Mistral's, the channels of
OpenAI's harmony format, and what is left of them where a server drops the special tokens; and the `<details>` in which
Open WebUI folds the thinking.
"""

import re
from collections.abc import Sequence

from memalign.models.json_objects import JsonObject

TextSpan = tuple[int, int]
"""Start and end in a text."""

_NAMES = (
    r"(?:\w+:)?(?:(?:ant|my)_?)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflections?|scratch_?pad|analysis"
    r"|(?:inner|internal)_?monologue|chain_?of_?thoughts?|cot|deliberation|planning)(?:_\w{1,60})?"
)
_OPENING = (
    rf"<{_NAMES}(?:\s[^<>]*)?>|<details\s[^<>]*type=[\"']?reasoning[^<>]*>|\[THINK\]|◁think▷|<unused94>"
    r"|<\|(?:begin_of_thought|start_thinking|think(?:ing)?)\|>|<\|channel>\s*thought"
)
_CLOSING = (
    rf"</{_NAMES}\s*>|</details>|\[/THINK\]|◁/think▷|<unused95>"
    r"|<\|(?:end_of_thought|end_thinking|/think(?:ing)?)\|>|<channel\|>"
)
_FOLDED_END = "</details>"
"""Ends thinking only where it began as such: other things are folded as well."""
_TAG = re.compile(rf"(?P<open>{_OPENING})|(?P<close>{_CLOSING})", re.IGNORECASE)
_CHANNEL = re.compile(
    r"(?:<\|channel\|>\s*(?P<name>\w+)[^<]*(?:<\|constrain\|>[^<]*)?)?<\|message\|>", re.IGNORECASE
)
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.IGNORECASE)
_BARE_CHANNELS = re.compile(r"\s*analysis(?=[A-Z\"'{(*])")
"""Begins a harmony answer whose special tokens were dropped: `analysisWe need …assistantfinal{…}`."""
_BARE_FINAL = re.compile(r"assistant\s*final")


def spoken_spans(text: str, objects: Sequence[JsonObject]) -> list[TextSpan]:
    """Find the parts of a text that are no thinking.

    A closing mark without an opening one ends thinking that began with the text; an opening mark without a closing one
    begins thinking that goes on to the end of the text.

    Args:
        text: What a model wrote.
        objects: Its JSON objects; a mark inside one of them is part of the answer.

    Returns:
        The parts, in order.
    """
    if channels := _outside(_CHANNEL, text, objects):
        finals = [match for match in channels if (match["name"] or "final").lower() == "final"]
        return [_channel_span(text, finals[-1])] if finals else []
    if _BARE_CHANNELS.match(text):
        finals = _outside(_BARE_FINAL, text, objects)
        return [(finals[-1].end(), len(text))] if finals else []
    return _outside_tags(text, objects)


def within(objects: Sequence[JsonObject], spans: Sequence[TextSpan]) -> list[JsonObject]:
    """Select the objects that begin in one of the spans.

    Args:
        objects: In order.
        spans: In order.

    Returns:
        The objects, in order.
    """
    inside, rest = [], list(reversed(spans))
    for each in objects:
        while rest and rest[-1][1] <= each.start:
            rest.pop()
        if rest and rest[-1][0] <= each.start:
            inside.append(each)
    return inside


def _outside_tags(text: str, objects: Sequence[JsonObject]) -> list[TextSpan]:
    spans: list[TextSpan] = []
    start: int | None = 0
    """Begin of the part that is being spoken; None while thinking."""
    for tag in _outside(_TAG, text, objects):
        if tag["open"]:
            if start is not None:
                spans.append((start, tag.start()))
            start = None
        elif start is None or tag["close"].lower() != _FOLDED_END:
            if start is not None:
                spans = []
            start = tag.end()
    return spans if start is None else [*spans, (start, len(text))]


def _outside(pattern: re.Pattern[str], text: str, objects: Sequence[JsonObject]) -> list[re.Match[str]]:
    """Return the matches that lie in none of the objects."""
    matches, rest = [], list(reversed(objects))
    for match in pattern.finditer(text):
        while rest and rest[-1].end <= match.start():
            rest.pop()
        if not rest or match.start() < rest[-1].start:
            matches.append(match)
    return matches


def _channel_span(text: str, match: re.Match[str]) -> TextSpan:
    end = _CHANNEL_END.search(text, match.end())
    return match.end(), end.start() if end else len(text)
