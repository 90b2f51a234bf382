"""What an earlier run began to forget is forgotten before anything is learned."""

import logging

from bot.forgetting.person import Withdrawal
from bot.forgetting.service import Forgetting
from bot.learning.worker import Learning
from storage.database import Database

log = logging.getLogger(__name__)


async def finish(
    database: Database, forgetting: Forgetting, withdrawal: Withdrawal, learning: Learning
) -> None:
    """Finish what was asked to be forgotten, then learn until cancelled."""
    await finish_forgetting(database, forgetting, withdrawal)
    await learning.run()


async def finish_forgetting(database: Database, forgetting: Forgetting, withdrawal: Withdrawal) -> None:
    """Carry out what was asked for and is not done. Raises `StorageError`."""
    for intent in await database.forgetting.requests():
        log.info("forgetting a %s goes on where it stopped", intent.kind)
        if intent.kind == "trace":
            await forgetting.carry_out(intent.target)
        else:
            await withdrawal.carry_out(intent.target)
