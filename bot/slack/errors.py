"""Slack's errors: their meaning in words with a remedy, and whether they concern one post or its whole channel."""

from typing import TypeVar

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from memalign.errors import MemAlignError

T = TypeVar("T")
SlackCallError = SlackApiError | ClientError | TimeoutError | OSError
CONNECTION_ERRORS = (ClientError, TimeoutError, OSError)
"""The connection failed: the call may or may not have taken effect."""
UNREACHABLE = "Slack cannot be reached"
DOWN = "Slack does not work at the moment"
AGAIN_BY_ITSELF = "I'll try again by myself"
REMEDIES = {
    "not_in_channel": "the bot is not in the channel; invite it with /invite",
    "channel_not_found": "the channel does not exist, or the bot is not in it; check its id and invite the bot",
    "is_archived": "the channel is archived; unarchive it or choose another in memalign.toml",
    "invalid_auth": "Slack does not know the bot token; check SLACK_BOT_TOKEN",
    "not_authed": "the bot token is missing; set SLACK_BOT_TOKEN",
    "token_revoked": "the bot token was revoked; install the app again and set SLACK_BOT_TOKEN",
    "account_inactive": "the bot's account is inactive; install the app again and set SLACK_BOT_TOKEN",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be the app's bot token (xoxb-…)",
    "missing_scope": "the app lacks a scope; create it from manifest.yml and install it again",
    "ratelimited": "Slack asks to slow down",
}
APP_TOKEN_REMEDIES = {
    "invalid_auth": "Slack does not know the app-level token; check SLACK_APP_TOKEN",
    "not_authed": "the app-level token is missing; set SLACK_APP_TOKEN",
    "not_allowed_token_type": "SLACK_APP_TOKEN must be an app-level token (xapp-…)",
    "missing_scope": "the app-level token lacks connections:write; make one that has it",
}
SLACK_FAILURES = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
"""Codes by which Slack says that it does not work, with the status of a refusal; the call may have taken effect."""
THREAD_GONE = {"thread_not_found", "message_not_found", "cannot_reply_to_message"}
"""Codes for a thread that was deleted: there is nobody to tell any more."""
POST_REFUSED = THREAD_GONE | {
    "invalid_arguments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_too_large",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "restricted_action_thread_locked",
    "too_many_attachments",
}
"""Codes by which Slack refuses one message; another in the same channel may be taken."""


def code_of(error: SlackApiError) -> str | None:
    """Return Slack's code for the error; None if its answer was not one of the Web API's."""
    response = error.response
    # for a body that is no JSON, slack_sdk passes aiohttp's response on
    if not isinstance(response, AsyncSlackResponse) or not isinstance(response.data, dict):
        return None
    code = response.data.get("error")
    return None if code is None else str(code)


def status_of(error: SlackApiError) -> int:
    """Return the HTTP status of the answer; 0 if there is none."""
    response = error.response
    return int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)


def is_undecided(error: SlackApiError) -> bool:
    """Return whether the call may have taken effect: it failed on Slack's side, or the answer is unreadable."""
    status, code = status_of(error), code_of(error)
    return status >= 500 or (status != 429 and (code is None or code in SLACK_FAILURES))


def asked_pause_ms(error: SlackApiError) -> int | None:
    """Return the pause that Slack asks for, in milliseconds; None if it asks for none."""
    seconds = error.response.headers.get("Retry-After") if status_of(error) == 429 else None
    try:
        return None if seconds is None else int(float(seconds) * 1000)
    except ValueError:
        return None


def remedy(error: SlackApiError, when_down: str = AGAIN_BY_ITSELF) -> str:
    """Return the meaning of Slack's error and the remedy; `when_down` says what follows from an outage."""
    code = "ratelimited" if status_of(error) == 429 else code_of(error)
    if is_undecided(error) or code is None:
        return f"{DOWN}; {when_down}"
    return REMEDIES.get(code, f"Slack answered {code}")


def app_token_remedy(error: SlackApiError, when_down: str = AGAIN_BY_ITSELF) -> str:
    """Return the same for an error about the app-level token."""
    return APP_TOKEN_REMEDIES.get(code_of(error) or "") or remedy(error, when_down)


class SlackUnavailableError(MemAlignError):
    """Slack does not take a call at the moment; it may later."""


def reason_of(error: SlackCallError) -> str:
    """Return in words why a call of the Web API failed."""
    return remedy(error) if isinstance(error, SlackApiError) else UNREACHABLE


def field_of(answer: AsyncSlackResponse, key: str, kind: type[T]) -> T:
    """Return a field that an answer must have.

    Raises:
        SlackApiError: it is missing, or not of that kind; `is_undecided` holds for the error.
    """
    value = answer.get(key)
    if isinstance(value, kind):
        return value
    # slack_sdk gives its errors no types
    raise SlackApiError(f"Slack's answer has no {key}.", answer)  # type: ignore[no-untyped-call]
