import json
from collections.abc import Callable

import pytest

from bot.sandbox import SlackError, Workspace
from bot.sandbox.workspace.changes import MessageDeleted, MessagePosted, WorkspaceChange


def _workspace() -> tuple[Workspace, str, str]:
    workspace = Workspace()
    ana = workspace.add_user("ana")
    return workspace, ana.id, workspace.add_channel("politeness", members=[ana.id]).id


def test_ids_are_the_same_each_time() -> None:
    assert _workspace()[1:] == ("U0000000001", "C0000000001")


def test_times_are_unique_and_grow_even_when_the_clock_stands() -> None:
    workspace = Workspace(now=lambda: 1_700_000_000.0)
    ana = workspace.add_user("ana")
    channel = workspace.add_channel("c", members=[ana.id])
    times = [workspace.post(ana.id, channel.id, "x") for _ in range(3)]
    assert times == sorted(set(times))
    assert times[0].startswith("1700000000.")


def test_people_can_only_do_what_slack_lets_them() -> None:
    workspace, ana, channel = _workspace()
    eve = workspace.add_user("eve").id
    ts = workspace.post(ana, channel, "mine")
    workspace.react(ana, channel, ts, "+1")
    attempts: dict[str, Callable[[], object]] = {
        "not_in_channel": lambda: workspace.post(eve, channel, "let me in"),
        "cant_update_message": lambda: _as_member(workspace, channel).edit("U0000000003", channel, ts, "x"),
        "already_reacted": lambda: workspace.react(ana, channel, ts, "+1"),
        "no_reaction": lambda: workspace.unreact(ana, channel, ts, "-1"),
        "no_text": lambda: workspace.post(ana, channel, " "),
        "channel_not_found": lambda: workspace.post(ana, "C404", "x"),
        "user_not_found": lambda: workspace.post("U404", channel, "x"),
        "message_not_found": lambda: workspace.react(ana, channel, "1.000001", "+1"),
    }
    for code, attempt in attempts.items():
        with pytest.raises(SlackError) as caught:
            attempt()
        assert caught.value.code == code


def _as_member(workspace: Workspace, channel: str) -> Workspace:
    ben = workspace.add_user("ben")
    workspace.join(ben.id, channel)
    return workspace


def test_a_deleted_parent_stays_as_a_tombstone_until_its_last_reply_goes() -> None:
    workspace, ana, channel = _workspace()
    parent = workspace.post(ana, channel, "parent")
    reply = workspace.post(ana, channel, "reply", parent)
    workspace.delete(ana, channel, parent)
    stone, _ = workspace.thread(channel, parent)
    assert (stone.tombstone, stone.text) == (True, "This message was deleted.")
    workspace.delete(ana, channel, reply)
    assert workspace.messages(channel) == []


def test_two_skin_tones_are_two_reactions_of_one_person() -> None:
    workspace, ana, channel = _workspace()
    ts = workspace.post(ana, channel, "x")
    for tone in ("2", "5"):
        workspace.react(ana, channel, ts, f"thumbsup::skin-tone-{tone}")
    workspace.unreact(ana, channel, ts, "thumbsup::skin-tone-2")
    (message,) = workspace.messages(channel)
    assert [reaction.name for reaction in message.reactions] == ["thumbsup::skin-tone-5"]


def test_listeners_hear_what_happens_until_they_stop() -> None:
    workspace, ana, channel = _workspace()
    changes: list[WorkspaceChange] = []
    stop = workspace.listen(changes.append)
    ts = workspace.post(ana, channel, "x")
    workspace.delete(ana, channel, ts)
    stop()
    workspace.post(ana, channel, "y")
    assert [type(change) for change in changes] == [MessagePosted, MessageDeleted]


def test_a_kept_workspace_is_the_same_after_a_restart() -> None:
    workspace, ana, channel = _workspace()
    private = workspace.add_channel("private", members=[ana], private=True)
    workspace.direct_message(ana)
    parent = workspace.post(ana, channel, "parent")
    reply = workspace.post(ana, private.id, "other")
    workspace.edit(ana, private.id, reply, "changed")
    workspace.react(ana, channel, parent, "+1")
    file = workspace.files.announce(name="a.txt", size=2, user=ana, created=1)
    workspace.files.upload(file.id, b"\x00\xff")
    kept = json.loads(json.dumps(workspace.dump()))
    again = Workspace.load(kept)
    assert again.users == workspace.users
    assert again.channels == workspace.channels
    assert again.log.all() == workspace.log.all()
    assert again.files.all() == workspace.files.all()
    assert again.post(ana, channel, "later") > reply
    assert again.add_user("ben").id == "U0000000002"


def test_a_workspace_kept_by_another_version_is_not_opened() -> None:
    with pytest.raises(ValueError, match="another version"):
        Workspace.load({"version": 0})
