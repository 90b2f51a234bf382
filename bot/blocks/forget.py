"""What is said when one person's words and votes are taken back."""

from collections.abc import Sequence

from bot.blocks.primitives import (
    Message,
    actions,
    button,
    escape,
    paragraphs,
    plain_message,
    small_message,
    text_message,
)
from bot.plain_text import pluralise
from memalign.records import Forgotten

FORGET_PERSON = "forget_person_confirm"


def which_person() -> Message:
    """Forgetting a person needs to know whom."""
    return text_message(
        "Whose words? Type `/memalign forget --person @name` and choose the name that Slack offers, "
        "or `--person me`."
    )


def not_allowed_person(listed: Sequence[str]) -> Message:
    """This person may not take another one's words back."""
    who = (
        "Only those named in the settings" if listed else "Only members of the channels where they were said"
    )
    return plain_message(f"{who} can take another person's words back; please ask one of them.")


def nothing_of_person(name: str) -> Message:
    """There is nothing to forget of them."""
    return plain_message(f"I hold no words and no votes of {escape(name, 100)}.")


def person_preview(
    person: str, name: str, verdicts: int, judges: Sequence[tuple[str, Forgotten]], keep: str
) -> Message:
    """What forgetting a person would take, with the buttons that decide; `keep` is the action that does not."""
    lines = [
        f"Forget all that {escape(name, 100)} said and voted? This can't be undone. What goes:",
        f"• votes and words on {pluralise(verdicts, 'verdict')}",
    ]
    for judge, going in judges:
        if going.trace_ids:
            count = pluralise(len(going.trace_ids), "case")
            lines.append(f"• their part in {count} that {escape(judge, 150)} remembers")
        lines += [f"• the guideline “{escape(rule.text, 300)}”" for rule in going.retired]
        lines += [
            f"• the guideline “{escape(rule.text, 300)}” rests on others, too: I'll learn it again from them"
            for rule in going.waiting
        ]
    text = "\n".join(lines)
    confirm = {**button("Forget", FORGET_PERSON, person), "style": "danger"}
    return Message(
        text=text, blocks=(*paragraphs(text), actions("forget", confirm, button("Keep", keep, person)))
    )


def person_forgotten(name: str, verdicts: int, judges: Sequence[tuple[str, Forgotten]]) -> Message:
    """What forgetting a person took."""
    retired = sum(len(gone.retired) for _, gone in judges)
    waiting = sum(len(gone.waiting) for _, gone in judges)
    lines = [f"All that {escape(name, 100)} said and voted on {pluralise(verdicts, 'verdict')} is gone."]
    if retired:
        lines.append(f"{pluralise(retired, 'guideline')} rested on it alone and went with it.")
    if waiting:
        lines.append(
            f"{pluralise(waiting, 'guideline')} out of use until learned again from what others said."
        )
    if any(gone.trace_ids for _, gone in judges):
        lines.append("What others said on the same traces is learned again now.")
    return text_message("\n".join(lines))


def expired_card() -> Message:
    """What takes a card's place once its trace is older than the settings let it grow."""
    return small_message("This trace was older than I keep traces, so its text and the verdict are gone.")
