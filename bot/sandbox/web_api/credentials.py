"""What an interaction entitles the app to for a while: to open a modal, to respond."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.sandbox.workspace.errors import Refused

RESPONSE_USES = 5
RESPONSE_LIFE = 1800.0
"""Seconds a response address lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The right to open one modal for `user` before `expires`; `view_id`: the modal it came from."""

    user: str
    expires: float
    view_id: str | None = None
    spent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The right to respond to an interaction of `user` in `channel`, perhaps with the message `ts`."""

    user: str
    channel: str
    expires: float
    ts: str | None = None
    ephemeral: bool = False
    uses: int = 0


class Credentials:
    """Triggers and response addresses, by secret name. `now` and `trigger_life` are in seconds."""

    def __init__(self, now: Callable[[], float], trigger_life: float) -> None:
        self._now = now
        self._trigger_life = trigger_life
        self._triggers: dict[str, Trigger] = {}
        self._replies: dict[str, Reply] = {}

    def trigger(self, user: str, view_id: str | None = None) -> str:
        """Mint a trigger."""
        name = f"{len(self._triggers) + 1}.{secrets.token_hex(8)}"
        self._triggers[name] = Trigger(user=user, view_id=view_id, expires=self._now() + self._trigger_life)
        return name

    def spend_trigger(self, name: str) -> Trigger:
        """Use a trigger up; refuses unknown, used and expired ones with Slack's codes."""
        trigger = self._triggers.get(name)
        if trigger is None:
            raise Refused("invalid_trigger_id", "There is no such trigger.")
        if trigger.spent:
            raise Refused("exchanged_trigger_id", "The trigger was used before.")
        if self._now() > trigger.expires:
            raise Refused("expired_trigger_id", "The trigger has expired.")
        self._triggers[name] = replace(trigger, spent=True)
        return trigger

    def reply(self, user: str, channel: str, *, ts: str | None = None, ephemeral: bool = False) -> str:
        """Mint a response address; returns its secret name."""
        name = secrets.token_hex(12)
        self._replies[name] = Reply(
            user=user, channel=channel, ts=ts, ephemeral=ephemeral, expires=self._now() + RESPONSE_LIFE
        )
        return name

    def spend_reply(self, name: str) -> Reply:
        """Use a response address once more; refuses unknown, worn out and expired ones."""
        reply = self._replies.get(name)
        if reply is None:
            raise Refused("invalid_url", "There is no such response address.")
        if reply.uses >= RESPONSE_USES:
            raise Refused("used_url", "The response address was used five times already.")
        if self._now() > reply.expires:
            raise Refused("expired_url", "The response address has expired.")
        self._replies[name] = replace(reply, uses=reply.uses + 1)
        return reply

    def peek_reply(self, name: str) -> Reply:
        """Return what a response address is for without using it: the acknowledgement answers by itself."""
        return self._replies[name]
