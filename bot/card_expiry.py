"""The time for which people are asked about a card: nobody is reminded later, though a later vote counts."""

from bot.runtime.clock import DAY_MS
from storage.keys import event_ms
from storage.records import StoredVerdict

MS_OPEN = 3 * DAY_MS


def is_open(stored: StoredVerdict, now_ms: int) -> bool:
    """Return whether people may still be asked about a verdict: its card was posted in the last three days.

    Args:
        stored: the verdict.
        now_ms: the time now, in milliseconds since 1970.
    """
    return stored.message_ts is not None and now_ms - event_ms(stored.message_ts) < MS_OPEN
