"""What a thread is told: what was learned, what is missing, what was taken back."""

from collections.abc import Sequence

from bot.blocks.primitives import Message, actions, aside, context, menu, named, note, plain, section, shown
from memalign.records import Guideline, Label

CORRECT = "correct_value"
SHOWN = 4
"""Guidelines that one lesson shows in words."""


def lesson(rules: Sequence[tuple[Guideline, Sequence[str]]]) -> Message:
    """New guidelines in words, each with its authors' names."""
    lines = [f"“{plain(rule.text, 600)}” – from {named(names)}" for rule, names in rules[:SHOWN]]
    if (more := len(rules) - SHOWN) > 0:
        lines.append(f"and {more} more; `/memalign guidelines` shows them all")
    text = (
        f"📝 Learned {lines[0]}"
        if len(lines) == 1
        else "📝 Learned:\n" + "\n".join(f"• {line}" for line in lines)
    )
    back = "I judge with this from now on. To take it back, remove your thumb or your reply."
    return Message(text=text, blocks=(section(text), context(back)))


def remembered(label: Label, names: Sequence[str]) -> Message:
    """A case was learned, but no new guideline came of the reasons."""
    return aside(
        f"Thank you, {named(names)}. I'll remember this case as {shown(label)}; it gave no new guideline."
    )


def ask_why(label: Label) -> Message:
    """Somebody disagrees without a reason."""
    return aside(
        f"I'll remember this case as {shown(label)}. Why is that? Reply here, and I can learn a guideline from it."
    )


def ask_value(choices: Sequence[Label], example: Label) -> Message:
    """The verdict is wrong; which value is right?"""
    how = "Choose it here, or reply" if choices else "Reply here"
    text = f"So the judge was wrong. Which value is right? {how} like `{plain(str(example), 60)}: because …`"
    menus = [actions("right_value", menu("The right value", CORRECT, choices))] if choices else []
    return Message(text=text, blocks=(section(text), *menus))


def taken_back() -> Message:
    """The feedback behind what was told is gone."""
    return aside("Taken back: what I had learned here no longer counts.")


def vote_counted(vote: str | None, *, torn: bool) -> Message:
    """A pressed button; only the person who pressed it sees this."""
    if torn:
        return two_votes()
    if vote is None:
        return note("Your vote is taken back.")
    words = {"up": "the judge is right", "down": "the judge is wrong", "unsure": "you can't tell"}
    return note(f"Counted: {words[vote]}. Press the button again to take it back.")


def two_votes() -> Message:
    """A person's buttons and reactions contradict each other; only this person sees it."""
    return note("You now hold two different votes on this card, so neither counts. Take one of them back.")


def value_counted(value: Label, *, torn: bool) -> Message:
    """A right value was chosen; only the person who chose it sees this."""
    if torn:
        return two_votes()
    return note(f"Counted: {value} is right. Reply in the thread to say why.")


def gone() -> Message:
    """A click on a card whose trace was forgotten."""
    return note("This card's trace was forgotten, so there is nothing left to vote on.")


def no_card() -> Message:
    """A shortcut on a message that is no card."""
    return note("That message is not one of my cards. Choose this on a card, or in its thread.")
