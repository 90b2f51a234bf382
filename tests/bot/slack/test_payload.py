"""The shape of Slack's payloads: what is read is of the kind that it is read as."""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.payload import MalformedPayloadError, check_payload
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
REQUIRED = [
    (REACTION, ("event",)),
    (REACTION, ("event", "user")),
    (REACTION, ("event", "item")),
    (REACTION, ("event", "item", "ts")),
    (REACTION, ("event", "item", "channel")),
    (REPLY, ("event", "ts")),
    (REPLY, ("event", "user")),
    (REPLY, ("event", "channel")),
    (HOME, ("event", "user")),
    (PRESS, ("user",)),
    (PRESS, ("user", "id")),
    (PRESS, ("actions",)),
    (PRESS, ("trigger_id",)),
    (SUBMISSION, ("view",)),
    (SUBMISSION, ("view", "type")),
    (SUBMISSION, ("view", "callback_id")),
    (SHORTCUT, ("message", "ts")),
    (SHORTCUT, ("channel", "id")),
    (COMMAND, ("user_id",)),
    (COMMAND, ("command",)),
]


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


@pytest.mark.parametrize("payload", GOOD)
def test_what_slack_sends_passes_unchanged(payload: Json) -> None:
    assert check_payload(payload) is payload
    assert check_payload({**payload, "a_new_key": {"of": ["Slack's"]}})


@pytest.mark.parametrize(("payload", "path"), REQUIRED)
def test_what_is_needed_may_not_be_missing(payload: Json, path: tuple[str, ...]) -> None:
    *parents, last = path
    without = deepcopy(payload)
    part = without
    for key in parents:
        part = part[key]
    del part[last]
    with pytest.raises(MalformedPayloadError):
        check_payload(without)


def other_kinds(path: tuple[str | int, ...], value: Json) -> list[Json]:
    """Return values of kinds that Slack never sends at a path."""
    if path[-1] == "tab":  # not read here
        return []
    if path[-1] in {"type", "subtype", "team"} or "values" in path:
        return [17, [1]]  # another text names another kind; a dictionary may be what else is allowed there
    return [kind for kind in (17, True, [1], {"x": 1}, "no id, no time") if type(kind) is not type(value)]


@pytest.mark.parametrize("payload", GOOD)
def test_no_value_may_be_of_another_kind(payload: Json) -> None:
    for path in paths(payload):
        value = payload
        for key in path:
            value = value[key]
        for other in other_kinds(path, value):
            with pytest.raises(MalformedPayloadError):
                check_payload(changed(payload, path, other))


@pytest.mark.parametrize(
    "payload", [None, 5, "text", [], [1], {}, {"type": 5}, {"type": "event_callback", "event": None}]
)
def test_what_is_no_payload_at_all_is_refused(payload: Json) -> None:
    with pytest.raises(MalformedPayloadError):
        check_payload(payload)


@pytest.mark.parametrize("ts", ["", "yesterday", "1.1.1", "-1", "1e9", "٣.٤", " 1.1", "1" * 400, "Infinity"])
def test_times_are_decimal_digits(ts: str) -> None:
    for payload, path in [
        (REACTION, ("event", "event_ts")),
        (REACTION, ("event", "item", "ts")),
        (REPLY, ("event", "thread_ts")),
        (EDIT, ("event", "message", "edited", "ts")),
        (PRESS, ("actions", 0, "action_ts")),
        (PRESS, ("container", "message_ts")),
    ]:
        with pytest.raises(MalformedPayloadError):
            check_payload(changed(payload, path, ts))


@given(st.sampled_from(GOOD), st.data())
def test_any_change_is_taken_or_refused_and_never_a_bug(payload: Json, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(paths(payload))))
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    value = data.draw(st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
    with suppress(MalformedPayloadError):
        check_payload(changed(payload, path, value))
