"""Slack's mrkdwn as it is stored: escaped, with mentions and links as `<…>` tokens."""

import re
from collections.abc import Callable, Iterator, Mapping

from bot.sandbox.workspace.records import Payload

TOKEN = re.compile(
    r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+|!(?:channel|here|everyone|subteam\^[A-Z0-9]+|date\^[^>|]+)|(?:https?://|mailto:)[^>|\s]+)"
    r"(?:\|[^<>]*)?>"
)
_TYPED_TOKEN = re.compile(r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+|!(?:channel|here|everyone))>")
_COMMAND_MENTION = re.compile(r"<(?P<sign>[@#])(?P<id>[UWC][A-Z0-9]+)>")
_ADDRESS = re.compile(r"https?://(?:(?!&lt;|&gt;)[^\s<>])+")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_MENTION = re.compile(r"<(?:@([UW][A-Z0-9]+)|!(channel|here|everyone)|!subteam\^([A-Z0-9]+))(?:\|[^<>]*)?>")

_LITERAL = {"plain_text", "raw_text", "raw_number", "text", "link", "date"}
"""Objects in which Slack parses nothing; `text`, `link` and `date` are pieces of rich text."""
_RICH_MENTIONS = {"user": "user_id", "broadcast": "range", "usergroup": "usergroup_id"}


def escape_typed(text: str) -> str:
    """Escape what a person typed, and link addresses; mentions from the composer (`<@U…>`) stay."""
    escaped = _between(_TYPED_TOKEN, text, lambda part: part.replace("&", "&amp;"))
    return _ADDRESS.sub(r"<\g<0>>", escaped)


def escape_command(text: str, names: Mapping[str, str]) -> str:
    """Escape what a person typed after a slash command as Slack does with `should_escape`: mentions carry names.

    Args:
        text: the text, with mentions from the composer as `<@U…>` and `<#C…>`.
        names: the names of people and channels, by id.
    """
    return _COMMAND_MENTION.sub(
        lambda match: f"<{match['sign']}{match['id']}|{names.get(match['id'], '')}>", escape_typed(text)
    )


def escape_sent(text: str) -> str:
    """Escape what an app sent as Slack stores it: known tokens and entities stay as they are."""
    return _between(TOKEN, text, lambda part: _BARE_AMPERSAND.sub("&amp;", part))


def mentions_in(text: str) -> Iterator[str]:
    """Yield the targets a text mentions when Slack renders it as mrkdwn."""
    for match in _MENTION.finditer(text):
        yield next(group for group in match.groups() if group)


def mentioned_targets(
    text: str, blocks: list[Payload] | None, attachments: list[Payload] | None
) -> list[str]:
    """List the targets a message mentions in its text, blocks and attachments."""
    targets = list(mentions_in(text))
    for part in [*(blocks or []), *(attachments or [])]:
        targets.extend(_in_part(part, key="block"))
    return list(dict.fromkeys(targets))


def _in_part(value: object, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _in_object(value)
    elif isinstance(value, list):
        for part in value:
            yield from _in_part(part, key)
    elif isinstance(value, str) and key in {"text", "pretext", "fallback"}:
        yield from mentions_in(value)


def _in_object(value: Payload) -> Iterator[str]:
    kind = value.get("type")
    if kind in _LITERAL:
        return
    rich = value.get(_RICH_MENTIONS.get(str(kind), ""))
    if isinstance(rich, str):
        yield rich
    for name, part in value.items():
        yield from _in_part(part, name)


def _between(token: re.Pattern[str], text: str, ampersands: Callable[[str], str]) -> str:
    parts: list[str] = []
    start = 0
    for match in token.finditer(text):
        parts += [_brackets(ampersands(text[start : match.start()])), match.group()]
        start = match.end()
    return "".join([*parts, _brackets(ampersands(text[start:]))])


def _brackets(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
