"""The shape of what Slack sends: events, interactions, commands. Only the keys that are read here are checked.

Bolt and the listeners take the types of ids, times and objects for granted, and some of them are stored.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from memalign.errors import InputError
from memalign.records import Json

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$")]
Time = Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$")]
"""Seconds since 1970 in decimal digits; also the id of a message."""
MAX_PROBLEMS = 3
"""Problems of one payload that are told."""
WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s]+$", max_length=2000)]
OBJECT_KEYS = ("event", "view", "message", "previous_message", "item", "assistant_thread", "function_data")
"""Keys whose values Bolt takes for objects, in a payload and in its event."""
REPLY_CHANGES = ("message_changed", "message_deleted")
"""Subtypes of a message event that tell of another message."""


class MalformedPayloadError(InputError):
    """A request that has not the shape of anything Slack sends."""


class _Object(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Identified(_Object):
    id: Id


class _Named(_Object):
    id: Id | None = None


class _Authorization(_Object):
    team_id: Id | None = None
    enterprise_id: Id | None = None


class _Envelope(_Object):
    """Keys that Bolt reads of every payload."""

    type: str | None = None
    team: str | _Named | None = None
    enterprise: str | _Named | None = None
    team_id: Id | None = None
    api_app_id: Id | None = None
    authorizations: list[_Authorization] | None = None


class _Edited(_Object):
    ts: Time


class _Message(_Object):
    subtype: str | None = None
    user: Id | None = None
    bot_id: Id | None = None
    text: str | None = None
    ts: Time | None = None
    thread_ts: Time | None = None
    edited: _Edited | None = None


class _Event(_Object):
    type: str
    event_ts: Time | None = None
    user_team: Id | None = None
    team: Id | None = None


class _Item(_Object):
    type: str | None = None
    channel: Id | None = None
    ts: Time | None = None

    @model_validator(mode="after")
    def _require_message(self) -> Self:
        if self.type == "message" and not (self.channel and self.ts):
            raise ValueError("expected channel and ts of the message")
        return self


class _ReactionEvent(_Event):
    user: Id
    reaction: str
    item: _Item
    item_user: Id | None = None


class _MessageEvent(_Event, _Message):
    channel: Id
    message: _Message | None = None
    previous_message: _Message | None = None
    deleted_ts: Time | None = None

    @model_validator(mode="after")
    def _require_author(self) -> Self:
        if self.subtype not in REPLY_CHANGES and not self.ts:
            raise ValueError("expected ts")
        if self.subtype is None and not (self.user or self.bot_id):
            raise ValueError("expected user or bot_id")
        return self


class _JoinEvent(_Event):
    user: Id
    channel: Id
    event_ts: Time


class _HomeEvent(_Event):
    user: Id
    channel: Id | None = None


class _EventCallback(_Envelope):
    event_id: str | None = None
    event: _Event


class _ReactionCallback(_EventCallback):
    event: _ReactionEvent


class _MessageCallback(_EventCallback):
    event: _MessageEvent


class _JoinCallback(_EventCallback):
    event: _JoinEvent


class _HomeCallback(_EventCallback):
    event: _HomeEvent


class _Interaction(_Envelope):
    user: _Identified
    channel: _Identified | None = None
    trigger_id: str | None = None
    response_url: WebAddress | None = None


class _Option(_Object):
    value: str


class _Action(_Object):
    action_id: str
    block_id: str | None = None
    type: str | None = None
    value: str | None = None
    action_ts: Time | None = None
    selected_option: _Option | None = None


class _Container(_Object):
    channel_id: Id | None = None
    message_ts: Time | None = None


class _BlockActions(_Interaction):
    actions: list[_Action] = Field(min_length=1)
    container: _Container | None = None
    message: _Message | None = None
    trigger_id: str


class _Element(_Object):
    value: str | None = None
    selected_option: _Option | None = None


class _State(_Object):
    values: dict[str, dict[str, _Element]] = {}


class _View(_Object):
    id: str
    type: str
    callback_id: str
    private_metadata: str = ""
    hash: str | None = None
    state: _State | None = None


class _ViewSubmission(_Interaction):
    view: _View


class _MessageShortcut(_Interaction):
    callback_id: str
    trigger_id: str
    channel: _Identified
    message: _Message

    @model_validator(mode="after")
    def _require_ts(self) -> Self:
        if not self.message.ts:
            raise ValueError("message: expected ts")
        return self


class _GlobalShortcut(_Interaction):
    callback_id: str


class _BlockSuggestion(_Interaction):
    action_id: str


class _Command(_Envelope):
    command: str
    user_id: Id
    channel_id: Id
    text: str | None = None
    trigger_id: str | None = None
    response_url: WebAddress | None = None


class _AddressCheck(_Envelope):
    challenge: str


EVENTS: Mapping[str, type[_EventCallback]] = {
    "reaction_added": _ReactionCallback,
    "reaction_removed": _ReactionCallback,
    "message": _MessageCallback,
    "app_home_opened": _HomeCallback,
    "app_mention": _MessageCallback,
    "member_joined_channel": _JoinCallback,
}
KINDS: Mapping[str, type[_Envelope]] = {
    "url_verification": _AddressCheck,
    "app_rate_limited": _Envelope,
    "shortcut": _GlobalShortcut,
    "block_suggestion": _BlockSuggestion,
    "block_actions": _BlockActions,
    "view_submission": _ViewSubmission,
    "view_closed": _ViewSubmission,
    "message_action": _MessageShortcut,
}


def check_payload(payload: Json) -> dict[str, Json]:
    """Return the payload unchanged. Raises `MalformedPayloadError` if Slack never sends the like."""
    if not isinstance(payload, dict):
        raise MalformedPayloadError("The payload is no object.")
    for part in (payload, payload.get("event") or {}):
        _check_objects(part)
    try:
        _model_of(payload).model_validate(payload)
    except ValidationError as error:
        raise MalformedPayloadError(f"The payload is malformed: {_in_words(error)}.") from None
    except RecursionError:
        raise MalformedPayloadError("The payload is nested too deeply.") from None
    return payload


def _check_objects(part: Json) -> None:
    if not isinstance(part, dict):
        raise MalformedPayloadError("The payload's event is no object.")
    for key in OBJECT_KEYS:
        if not isinstance(part.get(key), dict | None):
            raise MalformedPayloadError(f"The payload's {key} is no object.")


def _model_of(payload: dict[str, Any]) -> type[_Envelope]:
    """Return the shape that a payload must have. Raises `MalformedPayloadError` for a type unknown to Bolt."""
    kind = payload.get("type")
    if kind is None:
        return _Envelope if "ssl_check" in payload else _Command
    if kind == "event_callback":
        name = (payload.get("event") or {}).get("type")
        return EVENTS.get(name, _EventCallback) if isinstance(name, str) else _EventCallback
    if not isinstance(kind, str) or kind not in KINDS:
        raise MalformedPayloadError("The payload's type is none that this app handles.")
    return KINDS[kind]


def _in_words(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems)
