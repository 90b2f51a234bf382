"""Clicks that do not count, since the person has left the card's channel or may not teach."""

from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import not_counted, not_in_channel
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import ClickedCard, ClickedCards


async def refusal_of_click(
    access: CardAccess, cards: ClickedCards, card: ClickedCard, at: str
) -> SlackMessage | None:
    """Return why a stored click does not count, and take back that of somebody who has left the channel.

    Args:
        access: the rule.
        cards: the clicks on cards.
        card: the card that was clicked.
        at: the time of the click, as an event time.

    Returns:
        The answer to the person; None where the click counts.
    """
    match await access.refusal(card):
        case "not in the channel":
            await cards.set_vote(card, None, at)
            return not_in_channel()
        case "not a member of the workspace":
            return not_counted()
        case _:
            return None
