from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox import Mention, SlackServer, Workspace
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import Sandbox, button, opened, refusal, section

Attempt = Callable[[Sandbox], Awaitable[object]]


async def _archived_post(sandbox: Sandbox) -> object:
    sandbox.workspace.archive(sandbox.ana.id, sandbox.channel.id)
    return await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x")


async def _foreign_post(sandbox: Sandbox) -> object:
    foreign = sandbox.workspace.add_channel("foreign", bot_is_member=False)
    return await sandbox.client.chat_postMessage(channel=foreign.id, text="x")


async def _private_post(sandbox: Sandbox) -> object:
    private = sandbox.workspace.add_channel("private", private=True, bot_is_member=False)
    return await sandbox.client.chat_postMessage(channel=private.id, text="x")


async def _update_of_others(sandbox: Sandbox) -> object:
    ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "mine")
    return await sandbox.client.chat_update(channel=sandbox.channel.id, ts=ts, text="yours")


async def _long_update(sandbox: Sandbox) -> object:
    ts = (await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x"))["ts"]
    return await sandbox.client.chat_update(channel=sandbox.channel.id, ts=ts, text="x" * 4001)


async def _reply_to_reply(sandbox: Sandbox) -> object:
    parent = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "parent")
    reply = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "reply", parent)
    return await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x", thread_ts=reply)


async def _second_reaction(sandbox: Sandbox) -> object:
    ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "x")
    await sandbox.client.reactions_add(channel=sandbox.channel.id, timestamp=ts, name="eyes")
    return await sandbox.client.reactions_add(channel=sandbox.channel.id, timestamp=ts, name="eyes")


async def _missing_reaction(sandbox: Sandbox) -> object:
    ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "x")
    return await sandbox.client.reactions_remove(channel=sandbox.channel.id, timestamp=ts, name="eyes")


async def _odd_reaction(sandbox: Sandbox) -> object:
    ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "x")
    return await sandbox.client.reactions_add(channel=sandbox.channel.id, timestamp=ts, name=":Eyes:")


async def _ephemeral_to_a_stranger(sandbox: Sandbox) -> object:
    stranger = sandbox.workspace.add_user("eve")
    return await sandbox.client.chat_postEphemeral(channel=sandbox.channel.id, user=stranger.id, text="x")


async def _unsent_file(sandbox: Sandbox) -> object:
    file = await sandbox.client.files_getUploadURLExternal(filename="a.txt", length=3)
    return await sandbox.client.files_completeUploadExternal(files=[{"id": file["file_id"], "title": "a"}])


async def _join_private(sandbox: Sandbox) -> object:
    private = sandbox.workspace.add_channel("private", private=True)
    return await sandbox.client.conversations_join(channel=private.id)


def _plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text}


def _post(**what: object) -> Attempt:
    async def attempt(sandbox: Sandbox) -> object:
        return await sandbox.client.api_call("chat.postMessage", json={"channel": sandbox.channel.id, **what})

    return attempt


def _call(method: str, **what: object) -> Attempt:
    async def attempt(sandbox: Sandbox) -> object:
        given = {key: sandbox.channel.id if value == "HERE" else value for key, value in what.items()}
        return await sandbox.client.api_call(method, json=given)

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
async def test_slack_refuses(sandbox: Sandbox, code: str, attempt: Attempt) -> None:
    assert await refusal(attempt(sandbox)) == code
    assert sandbox.server.calls[-1].error == code


@pytest.mark.parametrize(
    ("token", "code"), [("xoxb-other", "invalid_auth"), ("xapp-sandbox", "not_allowed_token_type")]
)
async def test_a_wrong_token_is_refused(sandbox: Sandbox, token: str, code: str) -> None:
    client = AsyncWebClient(token=token, base_url=sandbox.server.api_url)
    assert await refusal(client.auth_test()) == code


async def test_a_bot_token_opens_no_socket(sandbox: Sandbox) -> None:
    opening = sandbox.client.apps_connections_open(app_token=sandbox.server.bot_token)
    assert await refusal(opening) == "not_allowed_token_type"


async def test_a_call_without_token_is_refused_and_one_with_the_token_in_a_form_is_not(
    sandbox: Sandbox,
) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{sandbox.server.api_url}auth.test") as answer:
            assert (await answer.json())["error"] == "not_authed"
        async with session.post(
            f"{sandbox.server.api_url}auth.test", data={"token": "xoxb-sandbox"}
        ) as answer:
            assert (await answer.json())["user_id"] == sandbox.workspace.bot.id
            assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_a_missing_scope_is_named() -> None:
    async with opened(SlackServer(Workspace(), scopes={"commands"})) as sandbox:
        with pytest.raises(SlackApiError) as caught:
            await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x")
    answer = caught.value.response
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write",
        "commands",
    )


async def test_history_of_a_private_channel_needs_its_own_scope() -> None:
    async with opened(SlackServer(Workspace(), scopes={"channels:history"})) as sandbox:
        private = sandbox.workspace.add_channel("private", private=True)
        assert await refusal(sandbox.client.conversations_history(channel=private.id)) == "missing_scope"
        assert (await sandbox.client.conversations_history(channel=sandbox.channel.id))["messages"] == []


async def test_a_posted_message_is_kept_as_slack_keeps_it(sandbox: Sandbox) -> None:
    answer = await sandbox.client.chat_postMessage(
        channel=sandbox.channel.id,
        text="a & b < c <https://a.b|link>",
        blocks=[section(accessory=button(value="1"))],
    )
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    assert message.text == "a &amp; b &lt; c <https://a.b|link>"
    assert message.blocks is not None
    assert message.blocks[0]["block_id"]
    assert message.blocks[0]["text"]["verbatim"] is False
    assert answer["message"]["blocks"] == message.blocks


async def test_a_very_long_text_is_cut_with_a_warning(sandbox: Sandbox) -> None:
    answer = await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(sandbox.workspace.messages(sandbox.channel.id)[0].text) == 40_000


async def test_an_update_keeps_what_it_does_not_name(sandbox: Sandbox) -> None:
    metadata: Payload = {"event_type": "memalign_verdict", "event_payload": {"trace_id": "tr-1"}}
    posted = await sandbox.client.chat_postMessage(
        channel=sandbox.channel.id, text="x", blocks=[section("x")], metadata=metadata
    )
    await sandbox.client.chat_update(channel=sandbox.channel.id, ts=posted["ts"], text="y")
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    assert (message.text, message.metadata, bool(message.blocks)) == ("y", metadata, True)
    await sandbox.client.chat_update(
        channel=sandbox.channel.id, ts=posted["ts"], text="z", blocks=[], metadata={}
    )
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    assert (message.text, message.metadata, message.blocks) == ("z", None, None)


async def test_metadata_comes_back_only_when_asked_for(sandbox: Sandbox) -> None:
    metadata: Payload = {"event_type": "memalign_verdict", "event_payload": {"trace_id": "tr-1"}}
    posted = await sandbox.client.chat_postMessage(channel=sandbox.channel.id, text="x", metadata=metadata)
    plain = await sandbox.client.conversations_history(channel=sandbox.channel.id)
    full = await sandbox.client.conversations_history(channel=sandbox.channel.id, include_all_metadata=True)
    thread = await sandbox.client.conversations_replies(
        channel=sandbox.channel.id, ts=posted["ts"], include_all_metadata=True
    )
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == thread["messages"][0]["metadata"] == metadata


async def test_history_shows_threads_as_their_parent_newest_first_in_pages(sandbox: Sandbox) -> None:
    ana, channel = sandbox.ana.id, sandbox.channel.id
    first = sandbox.workspace.post(ana, channel, "first")
    sandbox.workspace.post(ana, channel, "reply", first)
    sandbox.workspace.post(ana, channel, "second")
    third = sandbox.workspace.post(ana, channel, "third")
    page = await sandbox.client.conversations_history(channel=channel, limit=2)
    rest = await sandbox.client.conversations_history(
        channel=channel, limit=2, cursor=page["response_metadata"]["next_cursor"]
    )
    since = await sandbox.client.conversations_history(
        channel=channel, oldest=first, latest=third, inclusive=False
    )
    assert [message["text"] for message in page["messages"]] == ["third", "second"]
    assert [(message["text"], message["reply_count"]) for message in rest["messages"]] == [("first", 1)]
    assert (page["has_more"], rest["has_more"]) == (True, False)
    assert [message["text"] for message in since["messages"]] == ["second"]


async def test_replies_come_after_their_parent_in_order(sandbox: Sandbox) -> None:
    parent = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "parent")
    for text in ("one", "two"):
        sandbox.workspace.post(sandbox.ben.id, sandbox.channel.id, text, parent)
    answer = await sandbox.client.conversations_replies(channel=sandbox.channel.id, ts=parent)
    assert [message["text"] for message in answer["messages"]] == ["parent", "one", "two"]
    assert answer["messages"][0]["latest_reply"] == answer["messages"][2]["ts"]


async def test_reactions_can_be_read_back(sandbox: Sandbox) -> None:
    ts = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "x")
    sandbox.workspace.react(sandbox.ben.id, sandbox.channel.id, ts, "-1")
    read = await sandbox.client.reactions_get(channel=sandbox.channel.id, timestamp=ts, full=True)
    assert read["message"]["reactions"] == [{"name": "-1", "users": [sandbox.ben.id], "count": 1}]
    listed = await sandbox.client.reactions_list(user=sandbox.ben.id)
    assert [item["message"]["ts"] for item in listed["items"]] == [ts]


async def test_a_file_is_uploaded_in_two_steps_and_shared(sandbox: Sandbox) -> None:
    parent = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "all of it, please")
    await sandbox.client.files_upload_v2(
        channel=sandbox.channel.id,
        content="line\n" * 3,
        filename="trace.txt",
        thread_ts=parent,
        initial_comment="here",
    )
    message = sandbox.workspace.thread(sandbox.channel.id, parent)[-1]
    file = sandbox.workspace.files.get(message.files[0])
    assert (message.text, file.name, file.content) == ("here", "trace.txt", b"line\n" * 3)


async def test_a_permalink_of_a_reply_names_its_thread(sandbox: Sandbox) -> None:
    parent = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "x")
    reply = sandbox.workspace.post(sandbox.ana.id, sandbox.channel.id, "y", parent)
    answer = await sandbox.client.chat_getPermalink(channel=sandbox.channel.id, message_ts=reply)
    path, _, query = str(answer["permalink"]).partition("?")
    assert path.endswith(f"/archives/{sandbox.channel.id}/p{reply.replace('.', '')}")
    assert query == f"thread_ts={parent}&cid={sandbox.channel.id}"


async def test_only_what_pings_is_noted_as_a_ping(sandbox: Sandbox) -> None:
    ana, channel = sandbox.ana.id, sandbox.channel.id
    title = {"type": "header", "text": {"type": "plain_text", "text": "<!here>"}}
    harmless = [section("`&lt;!channel&gt;`"), title]
    await sandbox.client.chat_postMessage(channel=channel, text="x &lt;!here&gt;", blocks=harmless)
    assert sandbox.workspace.mentions == []
    posted = await sandbox.client.chat_postMessage(
        channel=channel, text="x", blocks=[section(f"<!channel> <@{ana}>")]
    )
    assert sandbox.workspace.mentions == [
        Mention(channel=channel, ts=posted["ts"], target="channel"),
        Mention(channel=channel, ts=posted["ts"], target=ana),
    ]


async def test_direct_messages_are_opened_for_people(sandbox: Sandbox) -> None:
    opened_dm = await sandbox.client.conversations_open(users=[sandbox.ana.id])
    posted = await sandbox.client.chat_postMessage(channel=sandbox.ana.id, text="hi")
    assert posted["channel"] == opened_dm["channel"]["id"]
    assert sandbox.server.deliveries[-1].payload["event"]["channel_type"] == "im"


async def test_channels_and_people_can_be_looked_up(sandbox: Sandbox) -> None:
    sandbox.workspace.add_channel("secret", private=True, bot_is_member=False)
    listed = await sandbox.client.conversations_list(types="public_channel,private_channel")
    info = await sandbox.client.conversations_info(channel=sandbox.channel.id)
    members = await sandbox.client.conversations_members(channel=sandbox.channel.id)
    user = await sandbox.client.users_info(user=sandbox.ana.id)
    team = await sandbox.client.team_info()
    assert [channel["name"] for channel in listed["channels"]] == ["politeness"]
    assert info["channel"]["is_member"] is True
    assert members["members"] == [sandbox.ana.id, sandbox.ben.id, sandbox.workspace.bot.id]
    assert (user["user"]["real_name"], user["user"]["is_bot"]) == ("Ana Ruiz", False)
    assert team["team"]["name"] == "Memalign demo"


async def test_joining_a_channel_is_told_by_event_and_by_a_line(sandbox: Sandbox) -> None:
    public = sandbox.workspace.add_channel("public", members=[sandbox.ana.id], bot_is_member=False)
    await sandbox.client.conversations_join(channel=public.id)
    again = await sandbox.client.conversations_join(channel=public.id)
    events = [delivery.payload["event"] for delivery in sandbox.server.deliveries]
    assert [(event["type"], event.get("subtype")) for event in events] == [
        ("member_joined_channel", None),
        ("message", "channel_join"),
    ]
    assert again["warning"] == "already_in_channel"
