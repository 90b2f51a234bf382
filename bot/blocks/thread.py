"""Messages in a card's thread, and answers to votes on the card."""

from collections.abc import Sequence

from bot.blocks.guideline_buttons import APPROVE_GUIDELINE, guideline_value
from bot.blocks.mrkdwn import escape, format_label, join_names
from bot.blocks.primitives import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    menu,
    plain_message,
    section,
    small_message,
    text_message,
)
from bot.plain_text import FROM_ONE_PERSON, guideline_state
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline, Label
from memalign.rule_refusal import Refusal

CORRECT_VALUE = "correct_value"
MAX_GUIDELINES_PER_LESSON = 4
"""Guidelines that one lesson shows in words."""


def lesson_message(rules: Sequence[tuple[Guideline, Sequence[str]]], judge: str = "") -> SlackMessage:
    """Return the announcement of new guidelines, each with its authors' names, and buttons to approve those that wait.

    Args:
        rules: the guidelines and the names.
        judge: the judge that learned them; a button to approve needs it.
    """
    lines = [_lesson_line(rule, names) for rule, names in rules[:MAX_GUIDELINES_PER_LESSON]]
    if (more := len(rules) - MAX_GUIDELINES_PER_LESSON) > 0:
        lines.append(f"and {more} more; `/memalign guidelines` shows them all")
    text = (
        f"📝 Learned {lines[0]}"
        if len(lines) == 1
        else "📝 Learned:\n" + "\n".join(f"• {line}" for line in lines)
    )
    shown = [rule for rule, _ in rules[:MAX_GUIDELINES_PER_LESSON]]
    buttons = [_approval(judge, rule, len(shown) > 1) for rule in shown if "approval" in rule.lacks]
    use = "I judge with this from now on." if any(rule.in_use for rule in shown) else "It is not used yet."
    return SlackMessage(
        text=text,
        blocks=(section(text), *buttons, context(f"{use} To take it back, remove your thumb or your reply.")),
    )


def _lesson_line(rule: Guideline, names: Sequence[str]) -> str:
    line = f"“{escape(rule.text, 600)}” – from {join_names(names)}"
    if rule.merged:
        line += f". {_merged(rule)}"
    if len(rule.people) == 1:
        line += f" ({FROM_ONE_PERSON})"
    if rule.lacks:
        line += f". _{guideline_state(rule)}_"
    return line


def _approval(judge: str, rule: Guideline, is_one_of_several: bool) -> Block:
    label = f"Use “{rule.text[:50]}”" if is_one_of_several else "Use it"
    value = guideline_value(judge, rule.id)
    return actions(f"approve-{rule.id}"[:255], button(label, APPROVE_GUIDELINE, value))


def guideline_approved(rule: Guideline) -> SlackMessage:
    """Return the answer to somebody who approved a guideline."""
    state = guideline_state(rule) if not rule.in_use else "I judge with it from now on."
    return text_message(f"Approved: “{escape(rule.text, 600)}”. {state}")


def may_not_approve() -> SlackMessage:
    """Return the answer to somebody who may not approve guidelines."""
    return plain_message(
        "Only people named in `[access] manage`, or else members of the judge's channel, may do that."
    )


def rules_merged(rules: Sequence[Guideline]) -> SlackMessage:
    """Return the note on guidelines that stand for others from now on."""
    return text_message("\n".join(_merged(rule) for rule in rules[:MAX_GUIDELINES_PER_LESSON]))


def _merged(rule: Guideline) -> str:
    texts = ", ".join(
        f"“{escape(text, 300)}”" for text in (rule.text, *(each.text for each in merged_into(rule)))
    )
    return f"Now one rule: “{escape(rule.text, 600)}” (was: {texts})"


def rule_refused(reason: Refusal, names: Sequence[str]) -> SlackMessage:
    """Return the note to people whose reason cannot become a guideline."""
    why = {
        "verdict": "That says which verdict to give, not why, so I can't make a guideline of it. "
        "What in the answer decides?",
        "instruction": "That tells me what to do, not what makes an answer good, so I can't make a guideline of it. "
        "What should I look for in an answer?",
    }
    return small_message(f"Thank you, {join_names(names)}. {why[reason]}")


def case_remembered(label: Label, names: Sequence[str]) -> SlackMessage:
    """Return the thanks for a case that was learned although its reasons gave no new guideline."""
    return small_message(
        f"Thank you, {join_names(names)}. I'll remember this case as {format_label(label)}; it gave no new guideline."
    )


def reasons_being_read(label: Label, names: Sequence[str]) -> SlackMessage:
    """Return the thanks for a case that is remembered, while its reasons are still to be read."""
    return small_message(
        f"Thank you, {join_names(names)}. I'll remember this case as {format_label(label)}; "
        "I'll reply here with what I learn from the reason."
    )


def nothing_new(names: Sequence[str]) -> SlackMessage:
    """Return the outcome of reading reasons that gave no new guideline, for people who were thanked before."""
    return small_message(f"I have read the reason, {join_names(names)}: it gave no new guideline.")


def reasons_declined(label: Label, names: Sequence[str]) -> SlackMessage:
    """Return the note that the reflection model refuses to read the reasons of a remembered case."""
    return small_message(
        f"Thank you, {join_names(names)}. I'll remember this case as {format_label(label)}; "
        "the model refuses to read the reason, so it gave no guideline."
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


def not_counted() -> SlackMessage:
    """Return the answer to a guest, or a person of a connected workspace, where these do not teach."""
    return plain_message(
        "Thank you! Here only members of this workspace teach the judge, so this does not count."
    )


def not_in_channel() -> SlackMessage:
    """Return the answer to a click of somebody who is not in the card's channel."""
    return plain_message("Only members of the card's channel can do that. Join the channel, and try again.")


def card_gone() -> SlackMessage:
    """Return the answer to a click on a card whose trace was forgotten."""
    return plain_message("This card's trace was forgotten, so there is nothing left to vote on.")


def not_a_card() -> SlackMessage:
    """Return the answer to a shortcut on a message that is not a card."""
    return plain_message("That message is not one of my cards. Choose this on a card, or in its thread.")
