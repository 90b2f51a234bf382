"""The open cards that a person was offered to answer: shown to that person alone."""

from collections.abc import Sequence

from bot.blocks.mrkdwn import escape, escape_address, escape_name
from bot.blocks.primitives import SlackMessage, section, text_message
from bot.blocks.rich_text import bullets, link_run, rich_section, rich_text
from bot.blocks.trace_line import question_line
from bot.records import OpenCard

VOTES_ON = {
    1: "Your vote on this card teaches",
    2: "Your votes on these two cards teach",
    3: "Your votes on these three cards teach",
}


def open_cards_message(cards: Sequence[OpenCard], title: str) -> SlackMessage:
    """Return links to cards that wait for the person's vote; a verdict is told on its card alone.

    Args:
        cards: the cards.
        title: their judge as people call it.
    """
    if not cards:
        return text_message(
            f"You're all caught up: no card of *{escape_name(title, 150)}* waits for your vote."
        )
    vote = VOTES_ON.get(len(cards), f"Your votes on these {len(cards)} cards teach")
    head = f"{vote} *{escape_name(title, 150)}* most right now:"
    questions = [question_line(card.trace) for card in cards]
    lines = [
        f"• <{escape_address(card.link)}|{escape(text)}>" for card, text in zip(cards, questions, strict=True)
    ]
    links = (rich_section(link_run(text, card.link)) for card, text in zip(cards, questions, strict=True))
    return SlackMessage(text="\n".join([head, *lines]), blocks=(section(head), rich_text(bullets(*links))))
