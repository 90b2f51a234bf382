"""Parts of a message, each with the line of the text for notifications that says the same."""

from collections.abc import Sequence

from bot.blocks.primitives import MAX_TEXT_LENGTH, Block, SlackMessage, context, section

MessagePart = tuple[str, tuple[Block, ...]]
"""The line of text, and the blocks."""


def message_of(parts: Sequence[MessagePart]) -> SlackMessage:
    """Return the message of some parts in order."""
    text = "\n".join(line for line, _ in parts)
    blocks = tuple(block for _, part in parts for block in part)
    return SlackMessage(text=text[:MAX_TEXT_LENGTH], blocks=blocks)


def paragraph_part(text: str, accessory: Block | None = None) -> MessagePart:
    """Return a paragraph of mrkdwn, which must be escaped already, with a button beside it where one is given."""
    block = section(text)
    return text, ({**block, "accessory": accessory} if accessory else block,)


def small_part(text: str) -> MessagePart:
    """Return a line in small print, which must be escaped already."""
    return text, (context(text),)
