from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Ping, SlackServer, Workspace
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import Scene, button, opened, refusal, section

Attempt = Callable[[Scene], Awaitable[object]]


async def _archived_post(scene: Scene) -> object:
    scene.workspace.archive(scene.ana.id, scene.channel.id)
    return await scene.client.chat_postMessage(channel=scene.channel.id, text="x")


async def _foreign_post(scene: Scene) -> object:
    foreign = scene.workspace.add_channel("foreign", bot_is_member=False)
    return await scene.client.chat_postMessage(channel=foreign.id, text="x")


async def _private_post(scene: Scene) -> object:
    private = scene.workspace.add_channel("private", private=True, bot_is_member=False)
    return await scene.client.chat_postMessage(channel=private.id, text="x")


async def _update_of_others(scene: Scene) -> object:
    ts = scene.workspace.post(scene.ana.id, scene.channel.id, "mine")
    return await scene.client.chat_update(channel=scene.channel.id, ts=ts, text="yours")


async def _long_update(scene: Scene) -> object:
    ts = (await scene.client.chat_postMessage(channel=scene.channel.id, text="x"))["ts"]
    return await scene.client.chat_update(channel=scene.channel.id, ts=ts, text="x" * 4001)


async def _reply_to_reply(scene: Scene) -> object:
    parent = scene.workspace.post(scene.ana.id, scene.channel.id, "parent")
    reply = scene.workspace.post(scene.ana.id, scene.channel.id, "reply", parent)
    return await scene.client.chat_postMessage(channel=scene.channel.id, text="x", thread_ts=reply)


async def _second_reaction(scene: Scene) -> object:
    ts = scene.workspace.post(scene.ana.id, scene.channel.id, "x")
    await scene.client.reactions_add(channel=scene.channel.id, timestamp=ts, name="eyes")
    return await scene.client.reactions_add(channel=scene.channel.id, timestamp=ts, name="eyes")


async def _missing_reaction(scene: Scene) -> object:
    ts = scene.workspace.post(scene.ana.id, scene.channel.id, "x")
    return await scene.client.reactions_remove(channel=scene.channel.id, timestamp=ts, name="eyes")


async def _odd_reaction(scene: Scene) -> object:
    ts = scene.workspace.post(scene.ana.id, scene.channel.id, "x")
    return await scene.client.reactions_add(channel=scene.channel.id, timestamp=ts, name=":Eyes:")


async def _ephemeral_to_a_stranger(scene: Scene) -> object:
    stranger = scene.workspace.add_user("eve")
    return await scene.client.chat_postEphemeral(channel=scene.channel.id, user=stranger.id, text="x")


async def _unsent_file(scene: Scene) -> object:
    file = await scene.client.files_getUploadURLExternal(filename="a.txt", length=3)
    return await scene.client.files_completeUploadExternal(files=[{"id": file["file_id"], "title": "a"}])


async def _join_private(scene: Scene) -> object:
    private = scene.workspace.add_channel("private", private=True)
    return await scene.client.conversations_join(channel=private.id)


def _plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def _post(**what: object) -> Attempt:
    async def attempt(scene: Scene) -> object:
        return await scene.client.api_call("chat.postMessage", json={"channel": scene.channel.id, **what})

    return attempt


def _call(method: str, **what: object) -> Attempt:
    async def attempt(scene: Scene) -> object:
        given = {key: scene.channel.id if value == "HERE" else value for key, value in what.items()}
        return await scene.client.api_call(method, json=given)

    return attempt


REFUSALS: list[tuple[str, Attempt]] = [
    ("channel_not_found", _post(channel="C0000000404", text="x")),
    ("channel_not_found", _post(channel="#politeness", text="x")),
    ("channel_not_found", _private_post),
    ("not_in_channel", _foreign_post),
    ("is_archived", _archived_post),
    ("no_text", _post(text="  ")),
    ("no_text", _post(blocks=[])),
    ("invalid_blocks", _post(text="x", blocks=[{"type": "data_table"}])),
    ("invalid_blocks_format", _post(text="x", blocks="[{")),
    ("invalid_blocks_format", _post(text="x", blocks={"type": "divider"})),
    ("msg_blocks_too_long", _post(text="x", blocks=[section("x" * 3000) for _ in range(5)])),
    ("invalid_attachments", _post(text="x", attachments=["a"])),
    ("too_many_attachments", _post(text="x", attachments=[{"text": "a"}] * 101)),
    ("invalid_metadata_format", _post(text="x", metadata={"event_type": "a"})),
    ("invalid_metadata_format", _post(text="x", metadata={"event_type": "a b", "event_payload": {}})),
    ("invalid_metadata_format", _post(text="x", metadata={"event_type": "a", "event_payload": {"a": ["b"]}})),
    (
        "metadata_too_large",
        _post(text="x", metadata={"event_type": "a", "event_payload": {"a": "b" * 17_000}}),
    ),
    ("thread_not_found", _post(text="x", thread_ts="1.000001")),
    ("cannot_reply_to_message", _reply_to_reply),
    ("cant_update_message", _update_of_others),
    ("msg_too_long", _long_update),
    ("message_not_found", _call("chat.update", channel="HERE", ts="1.000001", text="x")),
    ("message_not_found", _call("chat.delete", channel="HERE", ts="1.000001")),
    ("user_not_in_channel", _ephemeral_to_a_stranger),
    ("already_reacted", _second_reaction),
    ("no_reaction", _missing_reaction),
    ("invalid_name", _odd_reaction),
    ("no_item_specified", _call("reactions.add", name="eyes")),
    ("message_not_found", _call("reactions.get", channel="HERE", timestamp="1.000001")),
    ("thread_not_found", _call("conversations.replies", channel="HERE", ts="1.000001")),
    ("invalid_limit", _call("conversations.history", channel="HERE", limit=5000)),
    ("invalid_cursor", _call("conversations.history", channel="HERE", cursor="?")),
    ("invalid_types", _call("conversations.list", types="public")),
    ("method_not_supported_for_channel_type", _join_private),
    ("user_not_found", _call("users.info", user="U404")),
    ("bot_not_found", _call("bots.info", bot="B404")),
    ("file_not_found", _call("files.info", file="F404")),
    ("file_not_found", _unsent_file),
    ("invalid_arguments", _call("files.getUploadURLExternal", filename="a.txt")),
    ("invalid_arguments", _call("views.open", view={"type": "modal"})),
    ("unknown_method", _call("chat.explode")),
    ("internal_error", _call("api.test", error="internal_error")),
]


@pytest.mark.parametrize(
    ("code", "attempt"), REFUSALS, ids=[f"{n}-{code}" for n, (code, _) in enumerate(REFUSALS)]
)
async def test_slack_refuses(scene: Scene, code: str, attempt: Attempt) -> None:
    assert await refusal(attempt(scene)) == code
    assert scene.server.calls[-1].error == code


@pytest.mark.parametrize(
    ("token", "code"), [("xoxb-other", "invalid_auth"), ("xapp-sandbox", "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(scene: Scene, token: str, code: str) -> None:
    client = AsyncWebClient(token=token, base_url=scene.server.api_url)
    assert await refusal(client.auth_test()) == code


async def test_a_bot_token_opens_no_socket(scene: Scene) -> None:
    opening = scene.client.apps_connections_open(app_token=scene.server.bot_token)
    assert await refusal(opening) == "not_allowed_token_type"


async def test_a_call_without_token_is_refused_and_one_with_the_token_in_a_form_is_not(scene: Scene) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{scene.server.api_url}auth.test") as answer:
            assert (await answer.json())["error"] == "not_authed"
        async with session.post(f"{scene.server.api_url}auth.test", data={"token": "xoxb-sandbox"}) as answer:
            assert (await answer.json())["user_id"] == scene.workspace.bot.id
            assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_missing_scope_is_named() -> None:
    async with opened(SlackServer(Workspace(), scopes={"commands"})) as scene:
        with pytest.raises(SlackApiError) as caught:
            await scene.client.chat_postMessage(channel=scene.channel.id, text="x")
    answer = caught.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write",
        "commands",
    )


async def test_history_of_a_private_channel_needs_its_own_scope() -> None:
    async with opened(SlackServer(Workspace(), scopes={"channels:history"})) as scene:
        private = scene.workspace.add_channel("private", private=True)
        assert await refusal(scene.client.conversations_history(channel=private.id)) == "missing_scope"
        assert (await scene.client.conversations_history(channel=scene.channel.id))["messages"] == []


async def test_a_posted_message_is_kept_as_slack_keeps_it(scene: Scene) -> None:
    answer = await scene.client.chat_postMessage(
        channel=scene.channel.id,
        text="a & b < c <https://a.b|link>",
        blocks=[section(accessory=button(value="1"))],
    )
    (message,) = scene.workspace.messages(scene.channel.id)
    assert message.text == "a &amp; b &lt; c <https://a.b|link>"
    assert message.blocks is not None
    assert message.blocks[0]["block_id"]
    assert message.blocks[0]["text"]["verbatim"] is False
    assert answer["message"]["blocks"] == message.blocks


async def test_a_very_long_text_is_cut_with_a_warning(scene: Scene) -> None:
    answer = await scene.client.chat_postMessage(channel=scene.channel.id, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(scene.workspace.messages(scene.channel.id)[0].text) == 40_000


async def test_an_update_keeps_what_it_does_not_name(scene: Scene) -> None:
    metadata: Payload = {"event_type": "memalign_verdict", "event_payload": {"trace_id": "tr-1"}}
    posted = await scene.client.chat_postMessage(
        channel=scene.channel.id, text="x", blocks=[section("x")], metadata=metadata
    )
    await scene.client.chat_update(channel=scene.channel.id, ts=posted["ts"], text="y")
    (message,) = scene.workspace.messages(scene.channel.id)
    assert (message.text, message.metadata, bool(message.blocks)) == ("y", metadata, True)
    await scene.client.chat_update(
        channel=scene.channel.id, ts=posted["ts"], text="z", blocks=[], metadata={}
    )
    (message,) = scene.workspace.messages(scene.channel.id)
    assert (message.text, message.metadata, message.blocks) == ("z", None, None)


async def test_metadata_comes_back_only_when_asked_for(scene: Scene) -> None:
    metadata: Payload = {"event_type": "memalign_verdict", "event_payload": {"trace_id": "tr-1"}}
    posted = await scene.client.chat_postMessage(channel=scene.channel.id, text="x", metadata=metadata)
    plain = await scene.client.conversations_history(channel=scene.channel.id)
    full = await scene.client.conversations_history(channel=scene.channel.id, include_all_metadata=True)
    thread = await scene.client.conversations_replies(
        channel=scene.channel.id, ts=posted["ts"], include_all_metadata=True
    )
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == thread["messages"][0]["metadata"] == metadata


async def test_history_shows_threads_as_their_parent_newest_first_in_pages(scene: Scene) -> None:
    ana, channel = scene.ana.id, scene.channel.id
    first = scene.workspace.post(ana, channel, "first")
    scene.workspace.post(ana, channel, "reply", first)
    scene.workspace.post(ana, channel, "second")
    third = scene.workspace.post(ana, channel, "third")
    page = await scene.client.conversations_history(channel=channel, limit=2)
    rest = await scene.client.conversations_history(
        channel=channel, limit=2, cursor=page["response_metadata"]["next_cursor"]
    )
    since = await scene.client.conversations_history(
        channel=channel, oldest=first, latest=third, inclusive=False
    )
    assert [message["text"] for message in page["messages"]] == ["third", "second"]
    assert [(message["text"], message["reply_count"]) for message in rest["messages"]] == [("first", 1)]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert [message["text"] for message in since["messages"]] == ["second"]


async def test_replies_come_after_their_parent_in_order(scene: Scene) -> None:
    parent = scene.workspace.post(scene.ana.id, scene.channel.id, "parent")
    for text in ("one", "two"):
        scene.workspace.post(scene.ben.id, scene.channel.id, text, parent)
    answer = await scene.client.conversations_replies(channel=scene.channel.id, ts=parent)
    assert [message["text"] for message in answer["messages"]] == ["parent", "one", "two"]
    assert answer["messages"][0]["latest_reply"] == answer["messages"][2]["ts"]


async def test_reactions_can_be_read_back(scene: Scene) -> None:
    ts = scene.workspace.post(scene.ana.id, scene.channel.id, "x")
    scene.workspace.react(scene.ben.id, scene.channel.id, ts, "-1")
    read = await scene.client.reactions_get(channel=scene.channel.id, timestamp=ts, full=True)
    assert read["message"]["reactions"] == [{"name": "-1", "users": [scene.ben.id], "count": 1}]
    listed = await scene.client.reactions_list(user=scene.ben.id)
    assert [item["message"]["ts"] for item in listed["items"]] == [ts]


async def test_a_file_is_uploaded_in_two_steps_and_shared(scene: Scene) -> None:
    parent = scene.workspace.post(scene.ana.id, scene.channel.id, "all of it, please")
    await scene.client.files_upload_v2(
        channel=scene.channel.id,
        content="line\n" * 3,
        filename="trace.txt",
        thread_ts=parent,
        initial_comment="here",
    )
    message = scene.workspace.thread(scene.channel.id, parent)[-1]
    file = scene.workspace.files.get(message.files[0])
    assert (message.text, file.name, file.content) == ("here", "trace.txt", b"line\n" * 3)


async def test_a_permalink_of_a_reply_names_its_thread(scene: Scene) -> None:
    parent = scene.workspace.post(scene.ana.id, scene.channel.id, "x")
    reply = scene.workspace.post(scene.ana.id, scene.channel.id, "y", parent)
    answer = await scene.client.chat_getPermalink(channel=scene.channel.id, message_ts=reply)
    path, _, query = str(answer["permalink"]).partition("?")
    assert path.endswith(f"/archives/{scene.channel.id}/p{reply.replace('.', '')}")
    assert query == f"thread_ts={parent}&cid={scene.channel.id}"


async def test_only_what_pings_is_noted_as_a_ping(scene: Scene) -> None:
    ana, channel = scene.ana.id, scene.channel.id
    title = {"type": "header", "text": {"type": "plain_text", "text": "<!here>"}}
    harmless = [section("`&lt;!channel&gt;`"), title]
    await scene.client.chat_postMessage(channel=channel, text="x &lt;!here&gt;", blocks=harmless)
    assert scene.workspace.pings == []
    posted = await scene.client.chat_postMessage(
        channel=channel, text="x", blocks=[section(f"<!channel> <@{ana}>")]
    )
    assert scene.workspace.pings == [
        Ping(channel=channel, ts=posted["ts"], who="channel"),
        Ping(channel=channel, ts=posted["ts"], who=ana),
    ]


async def test_direct_messages_are_opened_for_people(scene: Scene) -> None:
    opened_dm = await scene.client.conversations_open(users=[scene.ana.id])
    posted = await scene.client.chat_postMessage(channel=scene.ana.id, text="hi")
    assert posted["channel"] == opened_dm["channel"]["id"]
    assert scene.server.deliveries[-1].payload["event"]["channel_type"] == "im"


async def test_channels_and_people_can_be_looked_up(scene: Scene) -> None:
    scene.workspace.add_channel("secret", private=True, bot_is_member=False)
    listed = await scene.client.conversations_list(types="public_channel,private_channel")
    info = await scene.client.conversations_info(channel=scene.channel.id)
    members = await scene.client.conversations_members(channel=scene.channel.id)
    user = await scene.client.users_info(user=scene.ana.id)
    team = await scene.client.team_info()
    assert [channel["name"] for channel in listed["channels"]] == ["politeness"]
    assert info["channel"]["is_member"] is True
    assert members["members"] == [scene.ana.id, scene.ben.id, scene.workspace.bot.id]
    assert (user["user"]["real_name"], user["user"]["is_bot"]) == ("Ana Ruiz", False)
    assert team["team"]["name"] == "Memalign demo"


async def test_joining_a_channel_is_told_by_event_and_by_a_line(scene: Scene) -> None:
    public = scene.workspace.add_channel("public", members=[scene.ana.id], bot_is_member=False)
    await scene.client.conversations_join(channel=public.id)
    again = await scene.client.conversations_join(channel=public.id)
    events = [delivery.payload["event"] for delivery in scene.server.deliveries]
    assert [(event["type"], event.get("subtype")) for event in events] == [
        ("member_joined_channel", None),
        ("message", "channel_join"),
    ]
    assert again["warning"] == "already_in_channel"
