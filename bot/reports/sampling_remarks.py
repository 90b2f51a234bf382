"""Sentences of the status on how cards are chosen, where they do not simply come with the traces."""

from collections.abc import Collection
from datetime import tzinfo

from bot.card_cap import CardCap, CardCaps
from bot.config import Settings
from bot.plain_text import pluralise
from bot.runtime.clock import from_ms
from storage.database import Database
from storage.records import CandidateWindow


async def sampling_remarks(
    settings: Settings, database: Database, judges: Collection[str], now_ms: int
) -> list[str]:
    """Return a sentence for each of these judges' channels whose cards are fewer for want of answers, and each window.

    Raises `StorageError`.
    """
    caps = CardCaps(settings, database, lambda: now_ms)
    channels: dict[str, list[str]] = {}
    for judge in settings.judges:
        if judge.name in judges:
            channels.setdefault(judge.channel, []).append(judge.name)
    read = [(names, await caps.of_channel(channel)) for channel, names in channels.items()]
    lowered = [_lowered(names, cap) for names, cap in read if cap.is_lowered]
    windows = await database.candidates.open_windows(now_ms)
    zone = settings.digest.zone
    return [*lowered, *(_open_window(window, zone) for window in windows if window.judge in judges)]


def _lowered(names: Collection[str], cap: CardCap) -> str:
    return (
        f"The channel of {' and '.join(names)} is shown {pluralise(cap.cards, 'card')} a day instead of {cap.most}, "
        f"since people answered {cap.answered} of its last {cap.shown}."
    )


def _open_window(window: CandidateWindow, zone: tzinfo) -> str:
    start, end = (f"{from_ms(ms, zone):%H:%M}" for ms in (window.start_ms, window.end_ms))
    shown = "it may get" if window.seen == 1 else "one of them may get"
    return f"{window.judge}: {pluralise(window.seen, 'trace')} came since {start}; {shown} a card at {end}."
