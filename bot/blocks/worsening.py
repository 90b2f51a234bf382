"""The warning that a judge judges worse than with another memory."""

from collections.abc import Sequence

from bot.blocks.memory_history import history_button, version_value
from bot.blocks.mrkdwn import escape_address, escape_name
from bot.blocks.primitives import Block, SlackMessage, actions, button, context, mrkdwn, plain_text, section
from bot.records import Worsening
from memalign.records import Json

GO_BACK_TO_MONDAY = "go_back_to_monday"
BACK_AT_MONDAY = "↩️ It judges with Monday's memory again. `/memalign history` can undo that."
BASE_REMEDY = "Please look at its guidelines: `/memalign guidelines` lists those in doubt first."
MONDAY_REMEDY = (
    "You can go back to Monday's memory: votes and reasons are all kept, and you can undo it like any change."
)


def worsening_message(worsening: Worsening) -> SlackMessage:
    """Return the warning, with the way back and links to some of the wrong verdicts."""
    title = f"*{escape_name(worsening.title, 150)}*"
    if worsening.reference == "last_week":
        head = f"📉 {title} has become worse than it was on Monday."
        otherwise, remedy = "with Monday's memory", MONDAY_REMEDY
    else:
        head = f"📉 {title} is worse this week than it would be without anything it learned."
        otherwise, remedy = "without its memory", BASE_REMEDY
    others = {0: "none is", 1: "1 is"}.get(worsening.fixed, f"{worsening.fixed} are")
    counts = (
        f"Of this week's answered verdicts, {worsening.broken} are wrong that would have been right {otherwise}; "
        f"{others} the other way round. That is hardly chance."
    )
    links = [
        f"<{escape_address(link)}|verdict {number}>" for number, link in enumerate(worsening.links, start=1)
    ]
    examples = (context(f"Some of them: {', '.join(links)}"),) if links else ()
    text = "\n".join([head, counts, remedy])
    return SlackMessage(text=head, blocks=(section(text), *examples, _buttons(worsening)))


def answered_warning(blocks: Sequence[Json]) -> SlackMessage:
    """Return a warning, whose blocks in Slack are given, without its buttons, since somebody has gone back."""
    kept = tuple(block for block in blocks if block.get("type") != "actions")
    return SlackMessage(text=BACK_AT_MONDAY, blocks=(*kept, context(BACK_AT_MONDAY)))


def _buttons(worsening: Worsening) -> Block:
    history = history_button(worsening.judge, "See what changed")
    if worsening.reference != "last_week":
        return actions("worsening", history)
    value = version_value(worsening.judge, worsening.version)
    back = {
        **button("Go back to Monday's memory", GO_BACK_TO_MONDAY, value),
        "confirm": {
            "title": plain_text("Go back to Monday's memory?"),
            "text": mrkdwn("It leaves out what was learned since. The channel is told, and you can undo it."),
            "confirm": plain_text("Go back"),
            "deny": plain_text("Leave it"),
        },
    }
    return actions("worsening", back, history)
