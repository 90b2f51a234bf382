"""An embedded Slack workspace in one process: strict, local, for the demo and the tests.

It speaks Slack's Web API, Socket Mode and signed HTTP to the bot, and a small HTTP
interface to the page on which people click. The bot does not know it; only `SLACK_API_URL`
differs. It refuses only what Slack refuses.

Its limits, and what Slack does instead:

| left out | Slack |
|---|---|
| emoji table | refuses unknown emoji names with `invalid_name`; here any well-formed name passes |
| `chat.scheduleMessage`, `chat.startStream`, pins, search, admin … | answers; here `unknown_method` |
| channel names as `channel` argument | still takes some; here ids only |
| `markdown_text`, `link_names`, `parse`, `username`, `icon_*` | honours them; here ignored |
| blocks `video`, `file`, `call`, `card`, `plan`, `data_table` … | takes some of them; here `invalid_blocks` |
| external selects, file inputs, rich text inputs, global shortcuts, workflows | has them |
| group direct messages, shared channels, Enterprise Grid, guests, permissions | has them |
| `app_mention`, `message_metadata_*`, `link_shared`, `emoji_changed` … events | sends them when subscribed |
| tiers of rate limits | limits every method; here posting (`pace`) and what a test asks for |
| exact sizes that Slack does not document | metadata 16,000 characters, all block texts 13,200 |
| notifications, search, unread marks, presence | has them |
"""

from bot.sandbox.delivery.dispatcher import Delivery
from bot.sandbox.delivery.response_urls import Response
from bot.sandbox.server import SlackServer
from bot.sandbox.web_api.dispatch import Call
from bot.sandbox.web_api.fault_injection import Hold
from bot.sandbox.workspace.errors import AckTimeoutError, SlackError
from bot.sandbox.workspace.records import (
    Channel,
    Command,
    Ephemeral,
    File,
    Mention,
    Message,
    Reaction,
    User,
    View,
)
from bot.sandbox.workspace.workspace import Workspace

__all__ = [
    "AckTimeoutError",
    "Call",
    "Channel",
    "Command",
    "Delivery",
    "Ephemeral",
    "File",
    "Hold",
    "Mention",
    "Message",
    "Reaction",
    "Response",
    "SlackError",
    "SlackServer",
    "User",
    "View",
    "Workspace",
]
