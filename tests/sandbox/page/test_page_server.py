from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import yarl

from bot.sandbox import SlackServer, Workspace
from bot.sandbox.page.page_server import PAGE_PARTS
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import (
    COMMAND,
    SHORTCUTS,
    Sandbox,
    actions,
    bolt_app,
    button,
    connected,
    field_block,
    modal,
    opened,
    section,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A person's browser: it asks, acts and listens."""

    session: aiohttp.ClientSession
    url: str
    user: str

    async def state(self) -> Payload:
        async with self.session.get(f"{self.url}/people/state", params={"user": self.user}) as answer:
            return dict(await answer.json())

    async def act(self, do: str, **what: object) -> Payload:
        body = {"user": self.user, "do": do, **what}
        async with self.session.post(f"{self.url}/people/act", json=body) as answer:
            return dict(await answer.json())

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        address = f"{self.url}/people/socket?user={self.user}"
        async with self.session.ws_connect(address) as socket:
            yield socket


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as ready:
        yield ready


@pytest.fixture
def page(sandbox: Sandbox, session: aiohttp.ClientSession) -> Page:
    return Page(session=session, url=sandbox.server.url, user=sandbox.ana.id)


async def test_the_state_is_what_the_page_was_promised(sandbox: Sandbox, page: Page) -> None:
    posted = await page.act("post", channel=sandbox.channel.id, text="hello")
    await page.act("post", channel=sandbox.channel.id, text="reply", thread_ts=posted["ts"])
    await page.act("react", channel=sandbox.channel.id, ts=posted["ts"], name="+1")
    state = await page.state()
    assert state["team"] == {"name": "Memalign demo"}
    assert state["bot"] == {"id": sandbox.workspace.bot.id, "name": "memalign"}
    assert state["me"] == sandbox.ana.id
    assert {user["name"] for user in state["users"]} == {"memalign", "ana", "ben"}
    assert state["commands"] == [
        {"command": "/memalign", "description": COMMAND.description, "usage_hint": COMMAND.usage_hint}
    ]
    assert state["shortcuts"] == [{"callback_id": "correct", "name": SHORTCUTS["correct"]}]
    assert (state["home"], state["views"], state["ephemerals"], state["demo"]) == (None, [], [], None)
    assert state["messages"][sandbox.channel.id][0] == {
        "ts": posted["ts"],
        "channel": sandbox.channel.id,
        "user": sandbox.ana.id,
        "text": "hello",
        "blocks": None,
        "thread_ts": None,
        "reply_count": 1,
        "edited": False,
        "deleted": False,
        "reactions": [{"name": "+1", "users": [sandbox.ana.id]}],
        "files": [],
        "ephemeral": False,
    }


async def test_private_channels_are_shown_to_their_members_only(sandbox: Sandbox, page: Page) -> None:
    secret = sandbox.workspace.add_channel("secret", members=[sandbox.ben.id], private=True)
    async with page.socket() as socket:
        sandbox.workspace.post(sandbox.ben.id, secret.id, "psst")
        sandbox.workspace.post(sandbox.ben.id, sandbox.channel.id, "hello all")
        assert (await socket.receive_json())["message"]["text"] == "hello all"
    assert secret.id not in (await page.state())["messages"]


async def test_what_happens_is_pushed(sandbox: Sandbox, page: Page) -> None:
    async with page.socket() as socket:
        ts = sandbox.workspace.post(sandbox.ben.id, sandbox.channel.id, "hello")
        reply = sandbox.workspace.post(sandbox.ben.id, sandbox.channel.id, "reply", ts)
        sandbox.workspace.edit(sandbox.ben.id, sandbox.channel.id, ts, "hello again")
        sandbox.workspace.delete(sandbox.ben.id, sandbox.channel.id, reply)
        await sandbox.client.chat_postEphemeral(
            channel=sandbox.channel.id, user=sandbox.ana.id, text="only you"
        )
        await sandbox.client.chat_postEphemeral(
            channel=sandbox.channel.id, user=sandbox.ben.id, text="not you"
        )
        await sandbox.client.views_publish(user_id=sandbox.ana.id, view={"type": "home", "blocks": []})
        sandbox.server.set_demo({"running": True})
        sandbox.workspace.notice(sandbox.ana.id, "no answer")
        pushes = [await socket.receive_json() for _ in range(10)]
    assert [push["type"] for push in pushes] == [
        "message",
        "message",
        "message",
        "message",
        "removed",
        "message",
        "ephemeral",
        "home",
        "demo",
        "notice",
    ]
    assert [push["message"]["reply_count"] for push in (pushes[2], pushes[5])] == [1, 0]
    assert pushes[3]["message"]["edited"] is True
    assert pushes[4] == {"type": "removed", "channel": sandbox.channel.id, "ts": reply}
    assert pushes[6]["message"]["text"] == "only you"
    assert pushes[8:] == [
        {"type": "demo", "demo": {"running": True}},
        {"type": "notice", "text": "no answer"},
    ]


async def test_people_change_and_withdraw_what_they_said(sandbox: Sandbox, page: Page) -> None:
    ts = (await page.act("post", channel=sandbox.channel.id, text="a"))["ts"]
    await page.act("react", channel=sandbox.channel.id, ts=ts, name="-1")
    await page.act("unreact", channel=sandbox.channel.id, ts=ts, name="-1")
    await page.act("edit", channel=sandbox.channel.id, ts=ts, text="b")
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    assert (message.text, message.reactions) == ("b", ())
    assert await page.act("delete", channel=sandbox.channel.id, ts=ts) == {"ok": True}
    assert sandbox.workspace.messages(sandbox.channel.id) == []


async def test_people_reach_the_app_from_the_page(sandbox: Sandbox, page: Page) -> None:
    app = bolt_app(sandbox)
    recorded: list[str] = []

    @app.command("/memalign")
    async def open_form(ack: Any, body: Payload, client: Any) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(callback_id="form"))
        await ack()

    @app.action("go")
    async def press(ack: Any, action: Payload) -> None:
        recorded.append(action["value"])
        await ack()

    @app.shortcut("correct")
    async def correct(ack: Any, shortcut: Payload) -> None:
        recorded.append(shortcut["message"]["text"])
        await ack()

    @app.view("form")
    async def submitted(ack: Any, view: Payload) -> None:
        reason = view["state"]["values"]["why"]["text"]["value"]
        if reason == "bad":
            await ack(response_action="errors", errors={"why": "say more"})
        else:
            recorded.append(reason)
            await ack()

    async with connected(sandbox, app):
        posted = await sandbox.client.chat_postMessage(
            channel=sandbox.channel.id, text="card", blocks=[actions(button(value="1"))]
        )
        on_card = {"channel": sandbox.channel.id, "ts": posted["ts"]}
        await page.act("click", **on_card, action_id="go", block_id="acts")
        await page.act("shortcut", **on_card, callback_id="correct")
        await page.act("command", channel=sandbox.channel.id, command="/memalign", text="x")
        (view,) = (await page.state())["views"]
        empty = await page.act("submit", view_id=view["id"], state={})
        bad = await page.act("submit", view_id=view["id"], state={"why": {"text": "bad"}})
        good = await page.act("submit", view_id=view["id"], state={"why": {"text": "good"}})
    assert empty == {"ok": True, "errors": {"why": "Please complete this required field."}}
    assert bad == {"ok": True, "errors": {"why": "say more"}}
    assert good == {"ok": True}
    assert recorded == ["1", "card", "good"]


async def test_views_are_pressed_and_closed_from_the_page(sandbox: Sandbox, page: Page) -> None:
    app = bolt_app(sandbox)
    pressed: list[str] = []

    @app.command("/memalign")
    async def open_form(ack: Any, body: Payload, client: Any) -> None:
        view = modal(section(accessory=button()), field_block())
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        await ack()

    @app.action("go")
    async def press(ack: Any, body: Payload) -> None:
        pressed.append(body["view"]["id"])
        await ack()

    async with connected(sandbox, app), page.socket() as socket:
        await page.act("command", channel=sandbox.channel.id, command="/memalign")
        (view,) = (await socket.receive_json())["views"]
        await page.act(
            "view_click", view_id=view["id"], action_id="go", block_id=view["blocks"][0]["block_id"]
        )
        assert await page.act("close", view_id=view["id"]) == {"ok": True}
        assert await socket.receive_json() == {"type": "views", "views": []}
    assert pressed == [view["id"]]


async def test_what_slack_refuses_is_told_in_a_sentence(sandbox: Sandbox, page: Page) -> None:
    archived = sandbox.workspace.add_channel("old", members=[sandbox.ana.id])
    sandbox.workspace.archive(sandbox.ana.id, archived.id)
    answers = [
        await page.act("post", channel=archived.id, text="x"),
        await page.act("post", channel=sandbox.channel.id, text=" "),
        await page.act("command", channel=sandbox.channel.id, command="/memalign", thread_ts="1.000001"),
        await page.act("demo", name="replay"),
        await page.act("dance"),
        await page.act("post", text="x"),
    ]
    assert answers == [
        {"ok": False, "error": "#old is archived; nobody can write in it."},
        {"ok": False, "error": "The message is empty."},
        {"ok": False, "error": "/memalign is not supported in threads. Sorry!"},
        {"ok": False, "error": "Nothing is prepared to be replayed here."},
        {"ok": False, "error": "The sandbox does not know how to “dance”."},
        {"ok": False, "error": "The request lacks “channel”."},
    ]


@pytest.mark.parametrize("ack_timeout", [0.1])
async def test_a_command_without_answer_is_noticed(sandbox: Sandbox, page: Page) -> None:
    error = '/memalign failed with the error "operation_timeout".'
    async with connected(sandbox, bolt_app(sandbox)), page.socket() as socket:
        answer = await page.act("command", channel=sandbox.channel.id, command="/memalign", text="x")
        assert await socket.receive_json() == {"type": "notice", "text": error}
    assert answer == {"ok": False, "error": error}


async def test_the_demos_buttons_call_their_hook(session: aiohttp.ClientSession) -> None:
    names: list[str] = []

    async def on_demo(name: str) -> None:
        names.append(name)

    async with opened(SlackServer(Workspace(), on_demo=on_demo)) as sandbox:
        page = Page(session=session, url=sandbox.server.url, user=sandbox.ana.id)
        assert await page.act("demo", name="replay") == {"ok": True}
        sandbox.server.set_demo({"kappa": 0.4})
        assert (await page.state())["demo"] == {"kappa": 0.4}
    assert names == ["replay"]


async def test_an_uploaded_file_can_be_fetched_by_the_page(sandbox: Sandbox, page: Page) -> None:
    await sandbox.client.files_upload_v2(channel=sandbox.channel.id, content="all of it", filename="a.html")
    (file,) = (await page.state())["messages"][sandbox.channel.id][0]["files"]
    async with page.session.get(page.url + file["url"]) as answer:
        assert await answer.text() == "all of it"
        assert answer.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "[::1"}],
    ids=["rebound name", "foreign page", "no page", "broken name"],
)
async def test_other_web_pages_get_nothing(sandbox: Sandbox, page: Page, headers: dict[str, str]) -> None:
    body = {"user": sandbox.ana.id, "do": "post", "channel": sandbox.channel.id, "text": "x"}
    async with page.session.post(f"{page.url}/people/act", json=body, headers=headers) as answer:
        assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await page.session.ws_connect(f"{page.url}/people/socket?user={sandbox.ana.id}", headers=headers)
    assert sandbox.workspace.messages(sandbox.channel.id) == []


async def test_a_form_cannot_act(sandbox: Sandbox, page: Page) -> None:
    async with page.session.post(f"{page.url}/people/act", data=b'{"do":"home"}') as answer:
        assert (await answer.json())["ok"] is False
    assert sandbox.server.deliveries == []


async def test_the_page_itself_is_served(page: Page) -> None:
    async with page.session.get(page.url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")


@pytest.mark.parametrize("part", PAGE_PARTS)
async def test_the_page_finds_its_parts_beside_it(page: Page, part: str) -> None:
    async with page.session.get(f"{page.url}/") as answer:
        assert f'"page/{part}"' in await answer.text()
    async with page.session.get(f"{page.url}/page/{part}") as answer:
        assert (answer.status, answer.content_type) == (200, PAGE_PARTS[part])


@pytest.mark.parametrize("part", ["page_server.py", "page.html", "..%2F__init__.py", "other.js"])
async def test_nothing_else_is_served_beside_the_page(page: Page, part: str) -> None:
    async with page.session.get(yarl.URL(f"{page.url}/page/{part}", encoded=True)) as answer:
        assert answer.status == 404
