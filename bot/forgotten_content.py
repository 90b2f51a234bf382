"""Content of what was just forgotten that Slack and tracing tools still show, redacted by those who lead that duty."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.duties import duty_of
from bot.runtime.clock import now_ms
from bot.runtime.duty import done_by_leader
from storage.database import Database

Work = Callable[[], Awaitable[None]]


class ForgottenContent:
    """Has all messages edited at once: here, or by the replicas that edit such messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def redact(
        self,
        *,
        messages: Work,
        threads: Work,
        cards: Work,
        tools: Callable[[Callable[[str], bool]], Awaitable[None]],
    ) -> None:
        """Do the work where this replica leads it, else wait until it is done, as far as Slack answers in time."""
        leads = self._database.replica.leads
        await asyncio.gather(
            done_by_leader(leads(duty_of("redacting messages")), messages, self._has_redactions),
            done_by_leader(leads(duty_of("updating threads")), threads, self._has_outdated_threads),
            done_by_leader(leads(duty_of("showing verdicts")), cards, self._has_outdated_cards),
            tools(leads),
        )

    async def _has_redactions(self) -> bool:
        return bool(await self._database.forgetting.redactions_due(now_ms()))

    async def _has_outdated_threads(self) -> bool:
        return bool(await self._database.thread_statuses.due(now_ms()))

    async def _has_outdated_cards(self) -> bool:
        return bool(await self._database.verdicts.outdated_blind_cards())
