"""Messages that one person alone sees in a card's thread: questions with buttons about their replies, and answers."""

import json
from collections.abc import Sequence

from bot.blocks.mrkdwn import escape, format_label
from bot.blocks.primitives import (
    Block,
    SlackMessage,
    actions,
    button,
    menu,
    plain_message,
    section,
)
from bot.plain_text import format_label_plain
from memalign.records import Label

REPLY_VALUE = "reply_value"
"""Begins the action ids of values to choose from."""
REPLY_VOTE = "reply_vote"
"""Begins the action ids of votes."""
MAX_VALUE_BUTTONS = 10
"""Set by hand: more values are quicker found in a menu."""
MAX_BUTTON_LENGTH = 75
"""Slack allows 75 characters on a button."""


def ask_which_value(verdict_id: str, values: Sequence[Label], *, is_complete: bool) -> SlackMessage:
    """Ask somebody who may have named a value which one it was.

    Args:
        verdict_id: the verdict.
        values: to choose from; perhaps none.
        is_complete: whether the judge has no other values.
    """
    return _value_question(
        "I'm not sure which value you mean. Which one is right?", verdict_id, values, is_complete
    )


def ask_right_value(verdict_id: str, values: Sequence[Label], *, is_complete: bool) -> SlackMessage:
    """Ask somebody who gave a 👎 and a reason for the right value; the arguments are those of `ask_which_value`."""
    return _value_question("Thanks. What should it have been?", verdict_id, values, is_complete)


def ask_view(verdict_id: str, values: Sequence[Label], *, is_complete: bool) -> SlackMessage:
    """Ask somebody who gave a reason, and no value, for it before they see the verdict; as `ask_which_value`."""
    return _value_question("Thanks. What's your answer here?", verdict_id, values, is_complete)


def ask_value_of_thumb(verdict_id: str, values: Sequence[Label], *, is_complete: bool) -> SlackMessage:
    """Ask somebody who gave a thumb, which says no value, for it before they see the verdict; as `ask_which_value`."""
    return _value_question(
        "A thumb doesn't say which value is right, and the judge's isn't shown yet. What's your answer?",
        verdict_id,
        values,
        is_complete,
    )


def _value_question(
    question: str, verdict_id: str, values: Sequence[Label], is_complete: bool
) -> SlackMessage:
    text = question
    if not is_complete:
        text += f" {'Choose, or reply' if values else 'Reply'} like “{_example(values)}, because …”."
    return _asking(text, f"reply-value:{verdict_id}", _choice(values))


def _example(values: Sequence[Label]) -> str:
    return escape(format_label_plain(values[0]), 60) if values else "…"


def _choice(values: Sequence[Label]) -> list[Block]:
    if len(values) > MAX_VALUE_BUTTONS:
        return [menu("The right value", REPLY_VALUE, values)]
    return [
        _short_button(format_label(value), f"{REPLY_VALUE}:{place}", json.dumps(value, ensure_ascii=False))
        for place, value in enumerate(values)
    ]


def ask_vote(verdict_id: str, judged: Label, opposite: Label | None) -> SlackMessage:
    """Ask somebody who gave a reason, and no vote, whether the judge is right.

    Args:
        verdict_id: the verdict.
        judged: the judge's value.
        opposite: the one other value; None where there are several.
    """
    no = "👎 No" if opposite is None else f"👎 No, {_finding(opposite)}"
    buttons = [
        _short_button(text, f"{REPLY_VOTE}:{vote}", vote)
        for vote, text in (
            ("up", f"👍 Right, {_finding(judged)}"),
            ("down", no),
            ("unsure", "🤷 Can't tell"),
        )
    ]
    return _asking("Thanks. Is the judge right here?", f"reply-vote:{verdict_id}", buttons)


def _finding(value: Label) -> str:
    """Return a value as the end of a sentence on the answer."""
    if isinstance(value, bool):
        return "it passes" if value else "it fails"
    return f"it's {value}"


def _asking(text: str, block_id: str, elements: Sequence[Block]) -> SlackMessage:
    rows = [actions(block_id, *elements)] if elements else []
    return SlackMessage(text=text, blocks=(section(text), *rows))


def _short_button(text: str, action_id: str, value: str) -> Block:
    return button(
        text if len(text) <= MAX_BUTTON_LENGTH else f"{text[: MAX_BUTTON_LENGTH - 1]}…", action_id, value
    )


def value_noted(value: Label, *, has_reason: bool) -> SlackMessage:
    """Confirm a value that was chosen."""
    end = " I'll learn from your reason, too." if has_reason else ""
    text = f"Noted: *{format_label(value)}*.{end}"
    return SlackMessage(text=text, blocks=(section(text),))


def down_noted() -> SlackMessage:
    """Confirm a 👎 whose right value is still to be said."""
    return plain_message("Noted: the judge is wrong here.")


def unsure_noted() -> SlackMessage:
    """Confirm that somebody cannot tell."""
    return plain_message("Noted: you can't tell, so I learn nothing from your reply.")


def unsure_reason() -> SlackMessage:
    """Tell somebody who cannot tell that their reason is not learned from."""
    return plain_message(
        "You chose 🤷, so I learn nothing from this reply. Pick 👍 or 👎 if you can tell now."
    )


def unsure_reason_before_verdict() -> SlackMessage:
    """Tell the same where the card does not show its verdict yet."""
    return plain_message(
        "You chose 🤷, so I learn nothing from this reply. Pick a value on the card if you can tell now."
    )


def commands_elsewhere() -> SlackMessage:
    """Tell somebody that commands are not typed into threads."""
    return plain_message(
        "I take no commands in threads. Type `/memalign help` in the channel to see what I can do."
    )


def forgotten_card() -> SlackMessage:
    """Tell somebody who replies under a forgotten card that this teaches nothing."""
    return plain_message("This card was forgotten, so I learn nothing from replies here.")


def verdict_in_words(value: Label, rationale: str) -> SlackMessage:
    """Answer a question about a verdict of which nothing but its rationale is known any more."""
    reason = f": {escape(rationale, 1500)}" if rationale else "."
    text = f"The judge said *{format_label(value)}*{reason}"
    return SlackMessage(text=text, blocks=(section(text),))
