"""Readings of a text with which somebody names a trace: its id first, else a link to a message that shows it."""

import re
from collections.abc import Iterable, Mapping
from html import unescape

from memalign.errors import UnknownTraceError
from memalign.judge_memory import JudgeMemory
from memalign.records import TraceTarget
from storage.database import Database
from storage.trace_names import other_names

MESSAGE_LINK = re.compile(
    r"/archives/(?P<channel>[A-Z0-9]+)/p(?P<seconds>\d{10})(?P<micros>\d{6})(?:\?(?P<query>\S*))?"
)
THREAD_OF_LINK = re.compile(r"thread_ts=(\d+\.\d+)")
SLACK_LINK = re.compile(r"<(?P<address>(?:https?://|mailto:|tel:)[^<>|]+)(?:\|(?P<words>[^<>]*))?>")
"""An address in what people type, as Slack sends it: with the words that were typed where these differ."""
SLACK_MENTION = re.compile(r"<([@#][A-Z0-9]+)\|[^<>]*>")
"""A person or channel in a command, as Slack sends it: with the name behind the id."""
SLACK_ENTITY = re.compile(r"&(amp|lt|gt);")
SLACK_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}


class TraceReferences:
    """Finds the trace that somebody means."""

    def __init__(self, database: Database, memories: Mapping[str, JudgeMemory]) -> None:
        self._database = database
        self._memories = memories

    async def is_known(self, trace_id: str) -> bool:
        """Return True if store or memory hold anything of a trace with exactly this id. Raises `StorageError`."""
        return bool(
            await self._database.traces.contains(trace_id)
            or await self._database.verdicts.of_trace(trace_id)
            or any(trace_id in memory.episodes for memory in self._memories.values())
        )

    async def find_id(self, spellings: Iterable[str]) -> TraceTarget | None:
        """Return the trace whose id is the first of these spellings that is one. Raises `StorageError`.

        A trace may be kept under another name than the tool has for it that somebody copied it from.
        """
        readings = list(spellings)
        for name in (*readings, *(other for each in readings for other in other_names(each))):
            if await self.is_known(name):
                return TraceTarget(trace_id=name)
        return None

    async def resolve(self, spellings: Iterable[str]) -> TraceTarget:
        """Return the trace meant by an id or by a link.

        Args:
            spellings: the readings of one text, the most literal first; see `spellings_of` and
                `spellings_from_slack`.

        Raises:
            UnknownTraceError: no reading is an id that we know, or a link to a card.
            StorageError: the store failed.
        """
        spellings = list(spellings)
        if target := await self.find_id(spellings):
            return target
        for spelling in spellings:
            if link := MESSAGE_LINK.search(spelling):
                return await self._target_of_link(link)
        raise await self.unknown(*spellings)

    async def unknown(self, *spellings: str) -> UnknownTraceError:
        """Return the error for ids that are not known: forgotten already, or never seen."""
        for spelling in spellings:
            if await self._database.traces.is_forgotten(spelling):
                return UnknownTraceError(
                    f"The trace “{spelling}” was forgotten already; nothing of it is left."
                )
        return UnknownTraceError(
            f"I don't know a trace “{next(iter(spellings), '')}”; "
            "copy its id from the card, or give me a link to the card."
        )

    async def _target_of_link(self, link: re.Match[str]) -> TraceTarget:
        timestamps = [f"{link['seconds']}.{link['micros']}"]
        if parent := THREAD_OF_LINK.search(link["query"] or ""):
            timestamps.insert(0, parent[1])
        for timestamp in timestamps:
            if stored := await self._database.verdicts.by_card(link["channel"], timestamp):
                return TraceTarget(trace_id=stored.verdict.trace_id)
        raise UnknownTraceError("That link leads to no card of mine; copy the link of the card itself.")


def spellings_of(text: str) -> list[str]:
    """List the readings of a text from a terminal or a program, the most literal first.

    Returns:
        The text itself, then without what a copy from Slack may have added: entities, the brackets of a link,
        blanks and code marks around it.
    """
    return _distinct(text, unescape(text), *(unescape(reading) for reading in _without_links(text)))


def spellings_from_slack(text: str) -> list[str]:
    """List the readings of a text that somebody typed in Slack, the most literal first.

    Slack escapes `&`, `<` and `>`, writes what looks like an address as a link, and names people and channels
    (https://docs.slack.dev/messaging/formatting-message-text).

    Returns:
        What was typed, then the text as it came, then these without blanks and code marks around them.
    """
    unnamed = SLACK_MENTION.sub(r"<\1>", text)
    typed = (_unescape_slack(reading) for each in (text, unnamed) for reading in _without_links(each))
    return _distinct(*typed, text, unescape(text))


def _unescape_slack(text: str) -> str:
    return SLACK_ENTITY.sub(lambda entity: SLACK_ENTITIES[entity[1]], text)


def _without_links(text: str) -> tuple[str, ...]:
    """Put in the place of each of Slack's links the words that were typed, its address, or all between brackets."""
    return (
        SLACK_LINK.sub(lambda link: link["words"] or link["address"], text),
        SLACK_LINK.sub(lambda link: link["address"], text),
        SLACK_LINK.sub(lambda link: link[0][1:-1], text),
    )


def _distinct(*readings: str) -> list[str]:
    bare = (reading.strip() for reading in readings)
    uncoded = (reading.strip().strip("`") for reading in readings)
    return [reading for reading in dict.fromkeys((*readings, *bare, *uncoded)) if reading]
