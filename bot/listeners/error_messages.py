"""What a person hears when something fails: the remedy where we know one, else a short apology with an id."""

import logging
import secrets
from collections.abc import Awaitable

from bot.blocks.commands import apology
from bot.blocks.primitives import SlackMessage, plain_message
from memalign.errors import MemAlignError

log = logging.getLogger(__name__)


async def answered(work: Awaitable[list[SlackMessage]], doing: str) -> list[SlackMessage]:
    """The work's messages, or the words for its failure."""
    try:
        return await work
    except MemAlignError as error:
        return [plain_message(str(error))]
    except Exception:
        error_id = secrets.token_hex(4)
        log.exception("error %s in %s", error_id, doing)
        return [apology(error_id)]
