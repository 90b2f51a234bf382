"""Answers, for one person, on their vote: that it stands already, and which of two they keep."""

import json
from collections.abc import Collection, Mapping

from bot.blocks.blind_card import two_answers
from bot.blocks.mrkdwn import escape
from bot.blocks.primitives import SlackMessage, actions, button, section, text_message
from bot.plain_text import format_label_plain
from bot.vote_marks import Vote
from memalign.records import Label
from storage.records import StoredVerdict

KEEP_VOTE, TAKE_BACK_VOTE = "keep_vote", "take_back_vote"
THUMBS_IN_ORDER: Mapping[Vote, str] = {"down": "👎", "up": "👍", "unsure": "🤷"}


def vote_receipt(vote: Vote, judged: Label) -> SlackMessage:
    """Return the answer to a pressed vote button.

    Args:
        vote: the vote that counts now.
        judged: the judge's value.
    """
    value = judged if vote == "up" else (not judged if isinstance(judged, bool) else None)
    if vote == "unsure":
        return text_message("Your 🤷 counts: you can't tell.")
    if value is None:
        return text_message("Your 👎 counts: the judge is wrong.")
    return text_message(
        f"Your {THUMBS_IN_ORDER[vote]} counts: you'd say *{escape(format_label_plain(value), 200)}*."
    )


def vote_stands(stored: StoredVerdict, card_ts: str, vote: Vote) -> SlackMessage:
    """Return the answer to a second press of the same button, which takes nothing away by itself."""
    text = f"You already said {THUMBS_IN_ORDER[vote]}."
    take_back = button("Take it back", TAKE_BACK_VOTE, _subject(stored, card_ts, None))
    return SlackMessage(text=text, blocks=(section(text), actions("take_back_vote", take_back)))


def which_vote(stored: StoredVerdict, card_ts: str, votes: Collection[Vote]) -> SlackMessage:
    """Return the question to somebody who holds several votes, at least two, which of them they keep.

    While the verdict is hidden it names none of them: a vote tells whether a value is the judge's.
    """
    if stored.is_hidden:
        return two_answers()
    standing = [vote for vote in THUMBS_IN_ORDER if vote in votes]
    signs = [THUMBS_IN_ORDER[vote] for vote in reversed(standing)]
    counts = "neither counts" if len(signs) == 2 else "none of them counts"
    both = "both " if len(signs) == 2 else ""
    text = f"You've given {both}{', '.join(signs[:-1])} and {signs[-1]}, so {counts}. Which one?"
    buttons = [
        button(f"Keep {THUMBS_IN_ORDER[vote]}", f"{KEEP_VOTE}:{vote}", _subject(stored, card_ts, vote))
        for vote in standing
    ]
    return SlackMessage(text=text, blocks=(section(text), actions("keep_vote", *buttons)))


def _subject(stored: StoredVerdict, card_ts: str, vote: str | None) -> str:
    return json.dumps({"verdict_id": stored.verdict_id, "card_ts": card_ts, "vote": vote})
