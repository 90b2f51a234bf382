"""App Home."""

from collections.abc import Sequence

from bot.blocks.commands import HELP, state_note
from bot.blocks.mrkdwn import escape, escape_name
from bot.blocks.primitives import Block, plain_text, section
from bot.plain_text import pluralise
from bot.records import Status
from memalign.records import Guideline


def home_view(
    judges: Sequence[tuple[str, int, Sequence[Guideline]]],
    open_cards: Sequence[tuple[str, str]],
    status: Status,
) -> Block:
    """Return the Home tab.

    Args:
        judges: name, number of remembered cases and guidelines of each judge.
        open_cards: cards without this person's vote: a line already escaped, and the card's link.
        status: the bot's status.
    """
    blocks: list[Block] = [{"type": "header", "text": plain_text("Teach your judges")}]
    if open_cards:
        blocks.append(section("*Cards that could use your thumb*"))
        blocks += [section(f"<{link}|Open the card> {line}") for line, link in open_cards]
    else:
        blocks.append(section("No card waits for your thumb."))
    for name, cases, rules in judges[:10]:
        blocks.append({"type": "divider"})
        blocks.append(
            section(
                f"*{escape_name(name, 150)}* remembers {pluralise(cases, 'case')} and "
                f"{pluralise(len(rules), 'guideline')}."
            )
        )
        blocks += [section(f"• {escape(rule.text, 700)}{state_note(rule)}") for rule in rules[:5]]
    if status.troubles or not status.connected:
        blocks.append(section("*Something needs a look:* type `/memalign status`."))
    return {"type": "home", "blocks": [*blocks, {"type": "divider"}, section(HELP)]}
