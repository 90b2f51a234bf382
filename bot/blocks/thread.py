"""Messages in a card's thread, and answers to votes on the card."""

from collections.abc import Sequence

from bot.blocks.mrkdwn import escape, format_label, join_names
from bot.blocks.primitives import (
    SlackMessage,
    actions,
    context,
    menu,
    plain_message,
    section,
    small_message,
)
from memalign.records import Guideline, Label

CORRECT_VALUE = "correct_value"
MAX_GUIDELINES_PER_LESSON = 4
"""Guidelines that one lesson shows in words."""


def lesson_message(rules: Sequence[tuple[Guideline, Sequence[str]]]) -> SlackMessage:
    """Return the announcement of new guidelines, each with its authors' names."""
    lines = [
        f"“{escape(rule.text, 600)}” – from {join_names(names)}"
        for rule, names in rules[:MAX_GUIDELINES_PER_LESSON]
    ]
    if (more := len(rules) - MAX_GUIDELINES_PER_LESSON) > 0:
        lines.append(f"and {more} more; `/memalign guidelines` shows them all")
    text = (
        f"📝 Learned {lines[0]}"
        if len(lines) == 1
        else "📝 Learned:\n" + "\n".join(f"• {line}" for line in lines)
    )
    back = "I judge with this from now on. To take it back, remove your thumb or your reply."
    return SlackMessage(text=text, blocks=(section(text), context(back)))


def case_remembered(label: Label, names: Sequence[str]) -> SlackMessage:
    """Return the thanks for a case that was learned although its reasons gave no new guideline."""
    return small_message(
        f"Thank you, {join_names(names)}. I'll remember this case as {format_label(label)}; it gave no new guideline."
    )


def ask_why(label: Label) -> SlackMessage:
    """Return the question for a reason, where people disagreed without one."""
    return small_message(
        f"I'll remember this case as {format_label(label)}. Why is that? "
        "Reply here, and I can learn a guideline from it."
    )


def ask_value(choices: Sequence[Label], example: Label) -> SlackMessage:
    """Return the question for the right value of a wrong verdict, with a menu if there are choices."""
    instruction = "Choose it here, or reply" if choices else "Reply here"
    text = f"So the judge was wrong. Which value is right? {instruction} like `{escape(str(example), 60)}: because …`"
    menus = [actions("right_value", menu("The right value", CORRECT_VALUE, choices))] if choices else []
    return SlackMessage(text=text, blocks=(section(text), *menus))


def lesson_taken_back() -> SlackMessage:
    """Return the note that replaces a lesson whose feedback is gone."""
    return small_message("Taken back: what I had learned here no longer counts.")


def vote_counted(vote: str | None, *, has_two_votes: bool) -> SlackMessage:
    """Return the answer to a pressed vote button, for the person who pressed it.

    Args:
        vote: the vote that counts now; None if it was taken back.
        has_two_votes: True if the person holds two different votes.
    """
    if has_two_votes:
        return two_votes()
    if vote is None:
        return plain_message("Your vote is taken back.")
    words = {"up": "the judge is right", "down": "the judge is wrong", "unsure": "you can't tell"}
    return plain_message(f"Counted: {words[vote]}. Press the button again to take it back.")


def two_votes() -> SlackMessage:
    """Return the hint, for one person, that their button and reactions contradict each other."""
    return plain_message(
        "You now hold two different votes on this card, so neither counts. Take one of them back."
    )


def value_counted(value: Label, *, has_two_votes: bool) -> SlackMessage:
    """Return the answer to a chosen value, for the person who chose it; `has_two_votes` as for `vote_counted`."""
    if has_two_votes:
        return two_votes()
    return plain_message(f"Counted: {value} is right. Reply in the thread to say why.")


def card_gone() -> SlackMessage:
    """Return the answer to a click on a card whose trace was forgotten."""
    return plain_message("This card's trace was forgotten, so there is nothing left to vote on.")


def not_a_card() -> SlackMessage:
    """Return the answer to a shortcut on a message that is not a card."""
    return plain_message("That message is not one of my cards. Choose this on a card, or in its thread.")
