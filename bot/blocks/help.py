"""Help, for the place where somebody asked for it."""

from collections.abc import Sequence

from bot.blocks.commands import HELP
from bot.blocks.mrkdwn import escape_name, join_names
from bot.blocks.primitives import SlackMessage, text_message
from bot.plain_text import format_label_plain, keeping_sentence
from storage.records import StoredVerdict

HOW_TO_TEACH = (
    "Press 👍 on a card when the judge is right, 👎 when it is wrong, 🤷 when you can't tell. "
    "Then say why in the card's thread; I make rules of reasons."
)


def help_in_channel(judges: Sequence[str], channel: str, keep_days: int | None) -> SlackMessage:
    """Return the help for a channel.

    Args:
        judges: the names of the judges that post there.
        channel: the channel's id, which the settings need where no judge does.
        keep_days: days after which traces that nobody answered are deleted; None: never.
    """
    opening = _judges_here(judges, channel)
    return text_message("\n".join(filter(None, [opening, HELP, keeping_sentence(keep_days)])))


def _judges_here(judges: Sequence[str], channel: str) -> str:
    if not judges:
        return (
            "No judge posts in this channel. "
            f'The setting `channel = "{escape_name(channel, 80)}"` under `[[judges]]` brings one here.'
        )
    posts = "posts its" if len(judges) == 1 else "post their"
    return f"Here {join_names(judges)} {posts} verdicts. {HOW_TO_TEACH}"


def help_in_thread(stored: StoredVerdict) -> SlackMessage:
    """Return the help for the thread of a card: how to vote and to reply."""
    if stored.is_hidden:
        return text_message(
            "This card asks for your view first: press a value on it, or reply with one here, and say why.\n"
            "The judge's verdict comes after that. To change your mind, press another value."
        )
    verdict = stored.verdict
    return text_message(
        f"The judge said {escape_name(format_label_plain(verdict.value), 200)}. "
        "Press 👍 or 👎 on the card, or just reply here.\n"
        "Say in a sentence what was right or wrong; a reply like “no, because …” counts as a vote and a reason.\n"
        "To change your mind, edit or delete your reply, or press the other button."
    )


def help_in_direct_message(judges: Sequence[str], keep_days: int | None) -> SlackMessage:
    """Return the help for a direct message.

    Args:
        judges: the names of the judges that the person may see.
        keep_days: days after which traces that nobody answered are deleted; None: never.
    """
    where = f"You can teach {join_names(judges)} in the channel where the cards appear, or from my Home tab."
    if not judges:
        where = "You are in no channel where a judge works; join one, and its cards appear on my Home tab."
    lines = [f"Hello! {where}", "The commands work here, too.", HELP, keeping_sentence(keep_days)]
    return text_message("\n".join(filter(None, lines)))
