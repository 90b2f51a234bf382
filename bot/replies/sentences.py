"""Sentences of a reply, without Slack's marks."""

import re
import unicodedata

_QUOTED_LINE = re.compile(r"^[^\S\n]*>.*$", re.MULTILINE)
_MENTION = re.compile(r"<[@#!][^>\n]{0,100}>")
_LINK = re.compile(r"<(?:https?|mailto):[^>|]*\|([^>]*)>|<((?:https?|mailto):[^>]*)>")
_EMOJI = re.compile(r"(?<!\w):[a-z0-9_+'-]+:(?::skin-tone-\d:)?", re.IGNORECASE)
_EMOTICON = re.compile(r"(?<!\S)[:;=8][-'^]?(?:[()\[\]|/\\]+|[DPpOo])(?!\S)")
_END = re.compile(r"(?<=[.!?…])[\"”’')\]*_]*(?:\s+|$)|\n+")


def plain_reply(text: str) -> str:
    """Return a reply without mentions, emoji, emoticons, and the lines that it quotes; links as they read."""
    text = _QUOTED_LINE.sub("", text)
    text = _LINK.sub(lambda match: match[1] or match[2], text)
    text = _EMOTICON.sub(" ", _EMOJI.sub(" ", _MENTION.sub(" ", text)))
    return "".join(" " if _is_emoji(sign) else sign for sign in text).strip()


def sentences_of(text: str) -> list[str]:
    """Return the sentences and lines of a text, each with its punctuation."""
    return [sentence.strip() for sentence in _END.split(text) if sentence and sentence.strip()]


def _is_emoji(sign: str) -> bool:
    return (unicodedata.category(sign) in ("So", "Sk") and sign not in "`^´¨") or sign in "\ufe0f\u200d"
