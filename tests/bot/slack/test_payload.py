"""The shape of Slack's payloads: what is read is of the kind that it is read as."""

from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.payload import MalformedPayloadError, check_payload
from memalign.records import Json
from tests.bot.slack.payload_samples import (
    COMMAND,
    EDIT,
    GOOD,
    HOME,
    PRESS,
    REACTION,
    REPLY,
    SHORTCUT,
    SUBMISSION,
    changed,
    paths,
)

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
