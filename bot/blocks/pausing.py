"""Answers to pausing a judge and muting the bot."""

from collections.abc import Sequence

from bot.blocks.mrkdwn import escape_name, join_names
from bot.blocks.primitives import SlackMessage, plain_message, text_message


def paused(title: str, judge: str) -> SlackMessage:
    """Return the answer to somebody who paused a judge."""
    return text_message(f"*{_name(title)}* is paused. `/memalign resume {_name(judge)}` ends the pause.")


def already_paused(title: str, judge: str) -> SlackMessage:
    """Return the answer to somebody who paused a judge that is paused."""
    return text_message(
        f"*{_name(title)}* is paused already. `/memalign resume {_name(judge)}` ends the pause."
    )


def resumed(title: str) -> SlackMessage:
    """Return the answer to somebody who resumed a judge."""
    return text_message(
        f"*{_name(title)}* judges again. Answers that arrived during the pause are not judged."
    )


def not_paused(title: str) -> SlackMessage:
    """Return the answer to somebody who resumed a judge that is not paused."""
    return text_message(f"*{_name(title)}* isn't paused.")


def which_judge(judges: Sequence[str]) -> SlackMessage:
    """Return the question which of several judges is meant."""
    return text_message(f"Which judge? Add its name: {join_names(judges)}.")


def may_not_pause(title: str, named: Sequence[str]) -> SlackMessage:
    """Return the answer to somebody who may not pause a judge.

    Args:
        title: the judge's title.
        named: the names of those who may, where the settings name somebody.
    """
    if named:
        return text_message(f"Only {join_names(named)} may pause or resume *{_name(title)}*; please ask.")
    return text_message(
        f"Only members of this workspace who are in the channel of *{_name(title)}* may pause or resume it."
    )


def slack_is_silent() -> SlackMessage:
    """Return the answer to somebody of whom Slack does not say in time which channels they are in."""
    return plain_message(
        "Slack doesn't tell me right now who is in the channel, so nothing was changed. "
        "Please try again in a minute."
    )


def muted() -> SlackMessage:
    """Return the answer to somebody who wants no private questions."""
    return text_message(
        "I'll ask you nothing privately, and your Home tab lists no open cards. Your votes and replies still count.\n"
        "`/memalign unmute` ends that."
    )


def unmuted() -> SlackMessage:
    """Return the answer to somebody who wants private questions again."""
    return text_message("I'll ask you again where something about your votes is unclear.")


def _name(judge: str) -> str:
    return escape_name(judge, 150)
