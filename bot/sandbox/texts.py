"""How Slack keeps text: escaped, with mentions and links as `<…>` tokens."""

import re
from collections.abc import Callable, Iterator

from bot.sandbox.records import Payload

TOKEN = re.compile(
    r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+|!(?:channel|here|everyone|subteam\^[A-Z0-9]+|date\^[^>|]+)|(?:https?://|mailto:)[^>|\s]+)"
    r"(?:\|[^<>]*)?>"
)
_TYPED_TOKEN = re.compile(r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+|!(?:channel|here|everyone))>")
_ADDRESS = re.compile(r"https?://(?:(?!&lt;|&gt;)[^\s<>])+")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_MENTION = re.compile(r"<(?:@([UW][A-Z0-9]+)|!(channel|here|everyone)|!subteam\^([A-Z0-9]+))(?:\|[^<>]*)?>")


def typed(text: str) -> str:
    """Escape what a person typed, and link addresses; mentions the composer made (`<@U…>`, `<!here>`) stay."""
    escaped = _between(_TYPED_TOKEN, text, lambda part: part.replace("&", "&amp;"))
    return _ADDRESS.sub(r"<\g<0>>", escaped)


def sent(text: str) -> str:
    """Escape what an app sent as Slack stores it: known tokens and entities stay, other `&`, `<`, `>` are escaped."""
    return _between(TOKEN, text, lambda part: _BARE_AMPERSAND.sub("&amp;", part))


def mentioned(text: str) -> Iterator[str]:
    """Yield whom a text notifies when Slack renders it as mrkdwn."""
    for match in _MENTION.finditer(text):
        yield next(group for group in match.groups() if group)


def notified(text: str, blocks: list[Payload] | None, attachments: list[Payload] | None) -> list[str]:
    """List whom a message notifies, through its text or anywhere in its blocks and attachments."""
    found = list(mentioned(text))
    for part in [*(blocks or []), *(attachments or [])]:
        found.extend(_in_part(part, key="block"))
    return list(dict.fromkeys(found))


def _in_part(value: object, key: str) -> Iterator[str]:
    if isinstance(value, dict):
        kind = value.get("type")
        if kind == "plain_text" or kind == "raw_text":
            return
        if kind == "user" and isinstance(value.get("user_id"), str):
            yield value["user_id"]
        if kind == "broadcast" and isinstance(value.get("range"), str):
            yield value["range"]
        if kind == "usergroup" and isinstance(value.get("usergroup_id"), str):
            yield value["usergroup_id"]
        literal = kind == "text"  # inside rich text nothing is parsed
        for name, part in value.items():
            if not (literal and name == "text"):
                yield from _in_part(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _in_part(part, key)
    elif isinstance(value, str) and key in {"text", "pretext", "fallback"}:
        yield from mentioned(value)


def _between(token: re.Pattern[str], text: str, ampersands: Callable[[str], str]) -> str:
    done: list[str] = []
    start = 0
    for match in token.finditer(text):
        done += [_brackets(ampersands(text[start : match.start()])), match.group()]
        start = match.end()
    return "".join([*done, _brackets(ampersands(text[start:]))])


def _brackets(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
