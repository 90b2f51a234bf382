"""Words to the bot itself in a reply: a mention before the reason, or a call for help. Pure."""

import re

MENTIONS = re.compile(r"^(?:\s*<@[UW][A-Z0-9]+(?:\|[^<>]*)?>[\s,:;–-]*)+")
"""Mentions at the beginning of a message, as Slack writes them."""
CALL_FOR_HELP = re.compile(r"\W*(?:hi|hello|hey|hallo|help|hilfe|info)?\W*", re.IGNORECASE)


def addressed_words(text: str) -> str:
    """Return a message without the mentions that it begins with."""
    return MENTIONS.sub("", text, count=1)


def calls_for_help(text: str) -> bool:
    """Return whether a message mentions somebody and says nothing more, or no more than that help is wanted."""
    mention = MENTIONS.match(text)
    return mention is not None and CALL_FOR_HELP.fullmatch(text, mention.end()) is not None
