"""Notices to a channel or a person: the bot has joined, a judge is paused, somebody's words were forgotten."""

from collections.abc import Sequence

from bot.blocks.guideline_list import SHOW_GUIDELINES
from bot.blocks.mrkdwn import escape_name, join_names
from bot.blocks.primitives import SlackMessage, actions, button, section, text_message
from bot.guideline_page import GuidelineQuery
from bot.plain_text import TERMINAL_NAME


def joined_channel(judges: Sequence[str], channel: str) -> SlackMessage:
    """Return the bot's first words in a channel: what it is, and what the first thumb does.

    Args:
        judges: the names of the judges that post there.
        channel: the channel's id, which the settings need where no judge does.
    """
    if not judges:
        return text_message(
            "Hello! I show what an LLM judge says of answers, and learn from your thumbs.\n"
            "No judge posts here yet.\n"
            f'To bring one here, set `channel = "{escape_name(channel, 80)}"` under `[[judges]]` '
            "in memalign.toml, and restart me."
        )
    does = "judges" if len(judges) == 1 else "judge"
    return text_message(
        f"Hello! Here {join_names(judges)} {does} answers of your application, a card for each.\n"
        "Your first 👍 or 👎 on a card tells the judge whether it was right; I remember the case from then on.\n"
        "Say why in the card's thread, and I'll make a rule of it. `/memalign help` lists what else I can do."
    )


def judge_paused(judge: str, name: str | None) -> SlackMessage:
    """Return the note to a channel that a judge is paused; `name` is who paused it."""
    return text_message(
        f"⏸️ {_who(name)} paused *{escape_name(judge, 150)}*. Until it is resumed I judge and show nothing of it; "
        "answers that arrive meanwhile are not judged later.\n"
        f"`/memalign resume {escape_name(judge, 150)}` ends the pause."
    )


def judge_resumed(judge: str, name: str | None) -> SlackMessage:
    """Return the note to a channel that a judge works again; `name` is who resumed it."""
    return text_message(f"▶️ {_who(name)} resumed *{escape_name(judge, 150)}*. I judge new answers again.")


def instructions_changed(title: str, judge: str) -> SlackMessage:
    """Return the note to a channel that the instructions of the judge of that title and name are others now."""
    text = (
        f"The instructions of *{escape_name(title, 150)}* were changed. What it has learned stays; "
        "look through the guidelines to see if they still fit."
    )
    show = button("Show guidelines", SHOW_GUIDELINES, GuidelineQuery(judge=judge).to_json())
    return SlackMessage(text=text, blocks=(section(text), actions(SHOW_GUIDELINES, show)))


def memory_rolled_back(judge: str, version: int, name: str | None) -> SlackMessage:
    """Return the note to a channel that a judge's memory is an earlier one; `name` is who went back."""
    return text_message(
        f"↩️ {_who(name)} took *{escape_name(judge, 150)}* back to version {version} of what it has learned.\n"
        "Your votes and reasons are all kept; any that this leaves out count again once you change them. "
        "`/memalign history` shows the versions."
    )


def words_forgotten(name: str | None) -> SlackMessage:
    """Return the message to a person whose words somebody else had forgotten; `name` is who."""
    return text_message(
        f"{_who(name)} asked me to forget everything you've said and voted on, and I did.\n"
        "Your own messages are still in Slack; only you can delete them."
    )


def _who(name: str | None) -> str:
    return escape_name(name, 80) if name else TERMINAL_NAME.capitalize()
