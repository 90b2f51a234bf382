"""What the bot listens to. This page is the table of contents.

| module | listens to |
|---|---|
| `reactions` | `reaction_added`, `reaction_removed`: thumbs on cards |
| `rationales` | `message` with all its subtypes: replies written, edited, deleted |
| `actions` | buttons and menus on cards and in threads, the modal that asks why, the shortcut "Correct this verdict" |
| `forget` | the buttons of the previews of forgetting, the shortcut "Forget this trace" |
| `commands` | `/memalign` |
| `home` | `app_home_opened` |
| here | every other event: Slack gets its ack, and nothing happens |

Listeners translate and store; whatever takes time is done after the ack by a task of the app.
"""

import logging
import re

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.listeners import actions, commands, forget, home, rationales, reactions
from bot.listeners.context import ListenerContext

log = logging.getLogger(__name__)


def listen(app: AsyncApp, context: ListenerContext) -> None:
    """Register all listeners."""
    for module in (reactions, rationales, actions, forget, commands, home):
        module.listen(app, context)

    @app.event(re.compile(".*"))
    async def other(event: dict[str, object]) -> None:
        log.debug("nothing to do for a %s event", event.get("type"))

    @app.action(re.compile(".*"))
    async def other_action(ack: AsyncAck) -> None:
        await ack()
