"""What an earlier run began to forget is forgotten before anything is learned."""

import logging

from bot.forgetting.person import Withdrawal
from bot.forgetting.service import Forgetting
from storage.database import Database

log = logging.getLogger(__name__)


async def finish_forgetting(database: Database, forgetting: Forgetting, withdrawal: Withdrawal) -> None:
    """Carry out what was asked for and is not done. Raises `StorageError`."""
    for intent in await database.intents.unfinished():
        log.info("forgetting a %s goes on where it stopped", intent.kind)
        if intent.kind == "trace":
            await forgetting.carry_out(intent.target)
        else:
            await withdrawal.carry_out(intent.target)
