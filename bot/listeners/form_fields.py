"""Values that a person entered into the fields of a modal."""

from decimal import Decimal

from bot.listeners.clicked_card import Body
from bot.listeners.own_values import label_of
from bot.runtime.clock import now_ms

NOT_A_MEMBER = (
    "I can't see that you are in the card's channel, so this is not stored. "
    "If you are, submit it again in a minute."
)
QUESTION_IN_MODAL = (
    "That's a question: ask it in the card's thread, and I'll answer there. Here, say what the judge missed."
)


def entered(fields: Body, block_id: str) -> str | None:
    """Return the text of one field of a modal, typed or chosen; None if it is empty."""
    for element in (fields.get(block_id) or {}).values():
        option = element.get("selected_option")
        return str(label_of(option["value"])) if option else element.get("value")
    return None


def ticked(fields: Body, block_id: str) -> list[str]:
    """Return the values of the ticked boxes of one field."""
    return [
        str(option["value"])
        for element in (fields.get(block_id) or {}).values()
        for option in element.get("selected_options") or ()
    ]


def time_now() -> str:
    """Return the present moment as an event time: Slack does not say when a modal was submitted."""
    return f"{Decimal(now_ms()) / 1000:.6f}"
