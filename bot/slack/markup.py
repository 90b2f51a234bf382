"""Slack's marks for people, channels and links in what somebody typed, as the words that they read. Pure."""

import re

_MARK = re.compile(r"<(?P<kind>[@#!]|(?=(?:https?|mailto):))(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")
_UNNAMED = {"@": "@somebody", "#": "#channel"}


def readable_marks(text: str) -> str:
    """Return a text without ids: people and channels by the names that Slack sends along, links as they read.

    Args:
        text: the text as Slack sends it; what a person typed as a bracket is escaped there, and stays.
    """
    return _MARK.sub(_words, text)


def _words(mark: re.Match[str]) -> str:
    kind, label = mark["kind"], mark["label"] or ""
    if not kind:
        return label or mark["target"].removeprefix("mailto:")
    if kind == "!":
        return label or f"@{mark['target'].partition('^')[0]}"
    return f"{kind}{label.removeprefix(kind)}" if label else _UNNAMED[kind]
