"""Failures of listeners, as responses to Slack."""

import logging

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.runtime.health import log_bug
from bot.runtime.log_throttle import LogThrottle
from bot.slack.payload import MalformedPayloadError
from memalign.errors import StorageError

log = logging.getLogger(__name__)


def listen(app: AsyncApp) -> None:
    """Register the handler: 400 for what is malformed; Slack sends again what the bot could not store."""
    throttle = LogThrottle()

    @app.error
    async def failed(error: Exception) -> BoltResponse:
        if isinstance(error, MalformedPayloadError):
            return BoltResponse(status=400, body={"error": str(error)})
        if isinstance(error, StorageError):
            if (left_out := throttle.admit("storage")) is not None:
                log.warning("an event of Slack's could not be stored, %d more before: %s", left_out, error)
            return BoltResponse(status=503)
        log_bug("a listener")
        return BoltResponse(status=500)
