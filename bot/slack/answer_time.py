"""The moment of a call by Slack's clock."""

from email.utils import parsedate_to_datetime

from slack_sdk.web.async_slack_response import AsyncSlackResponse


def answer_time(answer: AsyncSlackResponse, start: float, seconds: float) -> str:
    """Return when Slack looked, by its own clock: ours at the start of the call, corrected by the answer's date.

    Args:
        answer: Slack's answer; its `Date` header has a resolution of one second.
        start: our clock when the call began, in seconds since 1970.
        seconds: how long the call took.
    """
    headers = {str(name).lower(): value for name, value in answer.headers.items()}
    try:
        date = parsedate_to_datetime(str(headers["date"])).timestamp()
    except (KeyError, ValueError):
        return f"{start:.6f}"
    return f"{min(max(start, date - seconds), date + 1):.6f}"
