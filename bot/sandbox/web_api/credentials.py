"""Triggers and response URLs: an interaction lets the app open a modal and respond, for a while."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.sandbox.workspace.errors import SlackError

MAX_RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 1800.0
"""Seconds a response URL can be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The right to open one modal for `user` before `expires`; `view_id`: the modal it came from."""

    user: str
    expires: float
    view_id: str | None = None
    spent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseUrl:
    """The right to respond to an interaction of `user` in `channel`, perhaps with the message `ts`."""

    user: str
    channel: str
    expires: float
    ts: str | None = None
    ephemeral: bool = False
    uses: int = 0


class Credentials:
    """Triggers and response URLs, by their secrets. `now` and `trigger_life` are in seconds."""

    def __init__(self, now: Callable[[], float], trigger_life: float) -> None:
        self._now = now
        self._trigger_life = trigger_life
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}

    def issue_trigger(self, user: str, view_id: str | None = None) -> str:
        """Return the secret of a new trigger."""
        name = f"{len(self._triggers) + 1}.{secrets.token_hex(8)}"
        self._triggers[name] = Trigger(user=user, view_id=view_id, expires=self._now() + self._trigger_life)
        return name

    def use_trigger(self, name: str) -> Trigger:
        """Use up a trigger; refuses unknown, used and expired ones with Slack's codes."""
        trigger = self._triggers.get(name)
        if trigger is None:
            raise SlackError("invalid_trigger_id", "There is no such trigger.")
        if trigger.spent:
            raise SlackError("exchanged_trigger_id", "The trigger was used before.")
        if self._now() > trigger.expires:
            raise SlackError("expired_trigger_id", "The trigger has expired.")
        self._triggers[name] = replace(trigger, spent=True)
        return trigger

    def issue_response_url(
        self, user: str, channel: str, *, ts: str | None = None, ephemeral: bool = False
    ) -> str:
        """Return the secret of a new response URL."""
        name = secrets.token_hex(12)
        self._response_urls[name] = ResponseUrl(
            user=user, channel=channel, ts=ts, ephemeral=ephemeral, expires=self._now() + RESPONSE_URL_SECONDS
        )
        return name

    def use_response_url(self, name: str) -> ResponseUrl:
        """Use a response URL once more; refuses unknown, used up and expired ones."""
        response_url = self._response_urls.get(name)
        if response_url is None:
            raise SlackError("invalid_url", "There is no such response URL.")
        if response_url.uses >= MAX_RESPONSE_URL_USES:
            raise SlackError("used_url", "The response URL was used five times already.")
        if self._now() > response_url.expires:
            raise SlackError("expired_url", "The response URL has expired.")
        self._response_urls[name] = replace(response_url, uses=response_url.uses + 1)
        return response_url

    def response_url(self, name: str) -> ResponseUrl:
        """Return a response URL without counting a use: an acknowledgement may answer besides the five."""
        return self._response_urls[name]
