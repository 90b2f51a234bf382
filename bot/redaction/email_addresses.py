"""E-mail addresses, also encoded for URLs, written with (at), or as Slack's links."""

import re

from bot.redaction.markers import EMAIL

# every repetition is bounded or starts at a boundary, so the time is linear in the text
ADDRESS = re.compile(
    r"(?<![\w.+%'-])(?P<local>[\w+%][\w.+%'-]{0,63})"
    r"(?:@|%40|\ ?\(at\)\ ?|\ ?\[at\]\ ?)"
    r"(?:[^\W_][\w-]{0,62}(?:\.|\ ?\((?:dot|punkt)\)\ ?|\ ?\[(?:dot|punkt)\]\ ?)){1,8}"
    r"(?P<top>[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w@])(?P<path>:[\w/~.])?",
    re.IGNORECASE,
)
AT_SIGNS = ("@", "%40", "(at)", "[at]")
MAIL_LINK = re.compile(r"<mailto:[^<>\s]{1,400}>")
"""Slack's form of an address in a message: `<mailto:ana@example.org|ana@example.org>`."""
FILE_ENDINGS = frozenset(
    ["css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "png", "svg", "ts", "webp"]
)
"""Endings of file names such as `logo@2x.png`, which have the form of an address."""


def redact_email_addresses(text: str) -> str:
    """Return the text with `[e-mail address]` for each address."""
    lower = text.lower()
    if not any(sign in lower for sign in AT_SIGNS):
        return text
    return ADDRESS.sub(_marker, MAIL_LINK.sub(EMAIL, text))


def _marker(match: re.Match[str]) -> str:
    is_repository = match["local"] == "git" and match["path"]
    if is_repository or match["top"].lower() in FILE_ENDINGS:
        return match[0]
    return EMAIL + (match["path"] or "")
