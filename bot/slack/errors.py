"""Slack's errors: their meaning in words with a remedy, and whether they concern one post or its whole channel.

slack_sdk's own errors, and those of its connection, are translated here once; no other package sees them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from aiohttp import ClientError, ClientPayloadError, ClientResponseError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from memalign.errors import MemAlignError

T = TypeVar("T")
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
BLOCKS_REFUSED = {"invalid_blocks", "invalid_blocks_format"}
"""Codes for blocks that Slack does not take, those that the workspace does not know among them."""
POST_REFUSED = (
    THREAD_GONE
    | BLOCKS_REFUSED
    | {
        "invalid_arguments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "restricted_action_thread_locked",
        "too_many_attachments",
    }
)
"""Codes by which Slack refuses one message; another in the same channel may be taken."""


class SlackCallError(MemAlignError):
    """A call of Slack's Web API failed; its text says why, for people.

    Args:
        message: The sentence for a person.
        detail: What was answered, for the log.
    """

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


class SlackUnreachableError(SlackCallError):
    """The connection failed: the call may or may not have taken effect."""

    def __init__(self, *, detail: str) -> None:
        super().__init__(UNREACHABLE, detail=detail)


class SlackRefusedError(SlackCallError):
    """Slack answered that it did not do what it was asked for, or gave no usable answer.

    Args:
        code: Slack's code for the error; None if its answer was not one of the Web API's.
        status: The HTTP status of the answer; 0 if there is none.
        pause_ms: The pause that Slack asks for, in milliseconds; None if it asks for none.
        detail: What was answered, for the log; by default status and code.
    """

    def __init__(
        self, code: str | None, *, status: int = 200, pause_ms: int | None = None, detail: str = ""
    ) -> None:
        self.code = code
        self.status = status
        self.pause_ms = pause_ms
        super().__init__(remedy(self), detail=detail or f"status {status}, {code or 'no code'}")

    @property
    def is_rate_limit(self) -> bool:
        """True if Slack asks to slow down."""
        return self.status == 429

    @property
    def is_undecided(self) -> bool:
        """True if the call may have taken effect: it failed on Slack's side, or the answer is unreadable."""
        is_unclear = self.code is None or self.code in SLACK_FAILURES
        return self.status >= 500 or (not self.is_rate_limit and is_unclear)


class SlackUnavailableError(MemAlignError):
    """Slack does not take a call at the moment; it may later."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise what a call of slack_sdk's raises inside as a `SlackCallError`."""
    try:
        yield
    except SlackApiError as error:
        raise _refusal(error) from error
    except (ClientError, TimeoutError, OSError) as error:
        raise SlackUnreachableError(detail=_for_log(error)) from error


def _for_log(error: Exception) -> str:
    """Return an error in words; one of a broken answer quotes it, and is told by its class alone."""
    name = type(error).__name__
    return name if isinstance(error, ClientResponseError | ClientPayloadError) else f"{name} {error}"


def _refusal(error: SlackApiError) -> SlackRefusedError:
    # for a body that is no JSON, slack_sdk passes aiohttp's response on
    response = error.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    code = response.data.get("error") if _is_object(response) else None
    return SlackRefusedError(
        None if code is None else str(code),
        status=status,
        pause_ms=_asked_pause_ms(response.headers.get("Retry-After")) if status == 429 else None,
    )


def _is_object(response: object) -> bool:
    return isinstance(response, AsyncSlackResponse) and isinstance(response.data, dict)


def _asked_pause_ms(seconds: str | None) -> int | None:
    try:
        return None if seconds is None else int(float(seconds) * 1000)
    except (ValueError, OverflowError):
        return None


def remedy(error: SlackRefusedError, when_down: str = AGAIN_BY_ITSELF) -> str:
    """Return the meaning of Slack's error and the remedy; `when_down` says what follows from an outage."""
    code = "ratelimited" if error.is_rate_limit else error.code
    if error.is_undecided or code is None:
        return f"{DOWN}; {when_down}"
    return REMEDIES.get(code, f"Slack answered {code}")


def app_token_remedy(error: SlackRefusedError, when_down: str = AGAIN_BY_ITSELF) -> str:
    """Return the same for an error about the app-level token."""
    return APP_TOKEN_REMEDIES.get(error.code or "") or remedy(error, when_down)


def field_of(answer: AsyncSlackResponse, key: str, kind: type[T]) -> T:
    """Return a field that an answer must have.

    Raises:
        SlackRefusedError: it is missing, or not of that kind; the error is undecided.
    """
    value = answer.get(key)
    if isinstance(value, kind):
        return value
    raise SlackRefusedError(None, status=answer.status_code, detail=f"the answer has no {key}")
