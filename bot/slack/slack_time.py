"""The time by Slack's clock, asked for anew where it is in doubt."""

import asyncio
import logging
import time
from collections.abc import Callable

from bot.slack.client import SlackClient
from bot.slack.errors import SlackCallError, translated_errors

log = logging.getLogger(__name__)

REFRESH_SECONDS = 60.0
"""Least time between two questions: whoever sends old requests again must not make us ask Slack at each."""
ANSWER_SECONDS = 1.0
"""Longest time that a request of Slack's, which waits three seconds for its answer, waits for the time."""


class SlackTime:
    """Tells the time as Slack's answers do.

    An answer is needed at times: none may have come yet, and the clock between two answers stands still while the
    machine is suspended.
    """

    def __init__(self, client: SlackClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._asks_again_at = 0.0

    def now_seconds(self) -> float:
        """Return the time now, in seconds since 1970; by this machine's clock while Slack has not answered."""
        return self._client.clock.now_ms() / 1000

    async def refresh(self) -> bool:
        """Ask Slack for the time, at most once a minute; return whether it answered."""
        if self._monotonic() < self._asks_again_at:
            return False
        self._asks_again_at = self._monotonic() + REFRESH_SECONDS
        try:
            with translated_errors():
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._client.auth_test()
        except SlackCallError as error:
            log.warning("Slack does not say what time it is: %s", error.detail)
            return False
        return True
