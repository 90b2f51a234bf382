"""Payloads as Slack sends them, and changes of single values in them."""

from collections.abc import Iterator
from copy import deepcopy

from memalign.records import Json

REACTION: Json = {
    "type": "event_callback",
    "team_id": "T1",
    "event_id": "Ev1",
    "authorizations": [{"team_id": "T1", "enterprise_id": None}],
    "event": {
        "type": "reaction_added",
        "user": "U1",
        "reaction": "+1",
        "item": {"type": "message", "channel": "C1", "ts": "1.1"},
        "event_ts": "2.1",
    },
}
REPLY: Json = {
    "type": "event_callback",
    "event": {"type": "message", "channel": "C1", "user": "U1", "text": "a", "ts": "2.1", "thread_ts": "1.1"},
}
EDIT: Json = {
    "type": "event_callback",
    "event": {
        "type": "message",
        "subtype": "message_changed",
        "channel": "C1",
        "event_ts": "3.1",
        "message": {"user": "U1", "text": "b", "ts": "2.1", "thread_ts": "1.1", "edited": {"ts": "3.1"}},
        "previous_message": {"user": "U1", "text": "a", "ts": "2.1", "thread_ts": "1.1"},
    },
}
HOME: Json = {"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1", "tab": "home"}}
PRESS: Json = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "team": {"id": "T1"},
    "channel": {"id": "C1"},
    "container": {"channel_id": "C1", "message_ts": "1.1"},
    "message": {"ts": "1.1"},
    "trigger_id": "1.2.a",
    "actions": [{"action_id": "vote_up", "value": "v", "action_ts": "2.1"}],
}
SUBMISSION: Json = {
    "type": "view_submission",
    "user": {"id": "U1"},
    "trigger_id": "1.2.a",
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "reason",
        "private_metadata": "{}",
        "state": {"values": {"reason": {"reason": {"value": "curt"}}}},
    },
}
SHORTCUT: Json = {
    "type": "message_action",
    "callback_id": "forget_trace",
    "trigger_id": "1.2.a",
    "user": {"id": "U1"},
    "channel": {"id": "C1"},
    "message": {"ts": "1.1", "user": "U1"},
}
COMMAND: Json = {"command": "/memalign", "text": "status", "user_id": "U1", "channel_id": "C1"}
GOOD = [REACTION, REPLY, EDIT, HOME, PRESS, SUBMISSION, SHORTCUT, COMMAND]


def paths(document: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value in a document but the root."""
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield (*path, key)
            yield from paths(value, (*path, key))


def changed(document: Json, path: tuple[str | int, ...], value: Json) -> Json:
    """Return a copy with another value at a path."""
    copied = part = deepcopy(document)
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return copied
