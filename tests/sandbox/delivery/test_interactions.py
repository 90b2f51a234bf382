from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp

from bot.sandbox import AckTimeoutError, SlackError, SlackServer, Workspace
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
    menu,
    modal,
    opened,
    refusal,
    section,
    until,
)

HOME: Payload = {"type": "home", "blocks": [section("yours"), actions(button("refresh"))]}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock, ack_timeout: float) -> AsyncIterator[Sandbox]:
    server = SlackServer(
        Workspace(),
        commands=[COMMAND],
        shortcuts=SHORTCUTS,
        retries=(),
        ack_timeout=ack_timeout,
        monotonic=clock,
    )
    async with opened(server) as ready:
        yield ready


def collecting_app(sandbox: Sandbox) -> tuple[AsyncApp, list[Payload]]:
    """An app that acknowledges everything and keeps what it got."""
    app, bodies = bolt_app(sandbox), list[Payload]()

    async def collect(ack: Any, body: Payload) -> None:
        await ack()
        bodies.append(body)

    app.command("/memalign")(collect)
    app.action("go")(collect)
    app.action("pick")(collect)
    app.action("refresh")(collect)
    app.shortcut("correct")(collect)
    app.view("why")(collect)
    app.view_closed("why")(collect)
    app.event("message")(_ignore)
    return app, bodies


async def _ignore() -> None:
    """Take an event that has no part in the test."""


@asynccontextmanager
async def talking(sandbox: Sandbox) -> AsyncIterator[list[Payload]]:
    app, bodies = collecting_app(sandbox)
    async with connected(sandbox, app):
        yield bodies


async def _command_body(sandbox: Sandbox, bodies: list[Payload], text: str = "help") -> Payload:
    await sandbox.server.interactions.command(sandbox.ana.id, sandbox.channel.id, "/memalign", text)
    return bodies[-1]


async def test_a_command_carries_what_slack_sends(sandbox: Sandbox) -> None:
    async with talking(sandbox) as bodies:
        body = await _command_body(sandbox, bodies, "forget <b> & more")
    assert (body["command"], body["text"]) == ("/memalign", "forget &lt;b&gt; &amp; more")
    assert (body["user_id"], body["channel_id"], body["channel_name"]) == (
        sandbox.ana.id,
        sandbox.channel.id,
        "politeness",
    )
    assert body["team_id"] == sandbox.workspace.team_id


async def test_an_answer_in_the_acknowledgement_is_shown_ephemerally(sandbox: Sandbox) -> None:
    app = bolt_app(sandbox)

    @app.command("/memalign")
    async def answer(ack: Any) -> None:
        await ack("done")

    async with connected(sandbox, app):
        assert await sandbox.server.interactions.command(
            sandbox.ana.id, sandbox.channel.id, "/memalign", "status"
        ) == {"text": "done"}
    (ephemeral,) = sandbox.server.ephemerals
    assert (ephemeral.user, ephemeral.channel, ephemeral.text) == (sandbox.ana.id, sandbox.channel.id, "done")


async def test_commands_work_neither_in_threads_nor_by_another_name(sandbox: Sandbox) -> None:
    async with talking(sandbox):
        for command, thread_ts in (("/memalign", "1.000001"), ("/other", None)):
            with pytest.raises(SlackError):
                await sandbox.server.interactions.command(
                    sandbox.ana.id, sandbox.channel.id, command, "", thread_ts
                )
    assert sandbox.server.deliveries == []


@pytest.mark.parametrize("ack_timeout", [0.1])
async def test_a_command_nobody_acknowledges_times_out_once(sandbox: Sandbox) -> None:
    async with connected(sandbox, bolt_app(sandbox)):
        with pytest.raises(AckTimeoutError, match="operation_timeout"):
            await sandbox.server.interactions.command(sandbox.ana.id, sandbox.channel.id, "/memalign", "help")
    assert [delivery.attempts for delivery in sandbox.server.deliveries] == [1]


async def test_a_response_address_works_five_times(sandbox: Sandbox) -> None:
    async with talking(sandbox) as bodies:
        body = await _command_body(sandbox, bodies)
        statuses = [await _respond(body, {"text": str(number)}) for number in range(6)]
    assert statuses == [200, 200, 200, 200, 200, 404]
    assert [ephemeral.text for ephemeral in sandbox.server.ephemerals] == ["0", "1", "2", "3", "4"]
    assert sandbox.server.responses[-1].error == "used_url"


async def test_a_response_address_lives_half_an_hour(sandbox: Sandbox, clock: Clock) -> None:
    async with talking(sandbox) as bodies:
        body = await _command_body(sandbox, bodies)
        clock.seconds = 1801
        assert await _respond(body, {"text": "late"}) == 404
    assert sandbox.server.responses[-1].error == "expired_url"


async def test_a_response_with_bad_blocks_is_refused(sandbox: Sandbox) -> None:
    async with talking(sandbox) as bodies:
        body = await _command_body(sandbox, bodies)
        assert await _respond(body, {"text": "x", "blocks": [{"type": "section"}]}) == 400
    assert (sandbox.server.responses[-1].error, sandbox.server.ephemerals) == ("invalid_blocks", [])


async def test_a_response_can_be_for_the_whole_channel(sandbox: Sandbox) -> None:
    async with talking(sandbox) as bodies:
        body = await _command_body(sandbox, bodies)
        await _respond(body, {"text": "hear, hear", "response_type": "in_channel"})
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    assert (message.text, message.user) == ("hear, hear", sandbox.workspace.bot.id)


async def test_a_press_carries_the_message_the_state_and_the_action(sandbox: Sandbox) -> None:
    posted = await sandbox.client.chat_postMessage(
        channel=sandbox.channel.id, text="card", blocks=[actions(button(value="v-1"), menu("a", "b"))]
    )
    async with talking(sandbox) as bodies:
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, posted["ts"], "pick", "b")
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, posted["ts"], "go")
    chosen, pressed = bodies
    assert chosen["actions"][0]["selected_option"]["value"] == "b"
    assert (pressed["actions"][0]["value"], pressed["message"]["ts"]) == ("v-1", posted["ts"])
    assert pressed["state"]["values"]["acts"]["pick"]["selected_option"]["value"] == "b"
    assert pressed["container"]["is_ephemeral"] is False


async def test_a_press_on_an_ephemeral_message_carries_no_message_but_can_replace_it(
    sandbox: Sandbox,
) -> None:
    shown = await sandbox.client.chat_postEphemeral(
        channel=sandbox.channel.id, user=sandbox.ana.id, text="sure?", blocks=[actions(button())]
    )
    async with talking(sandbox) as bodies:
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, shown["message_ts"], "go")
        assert "message" not in bodies[0]
        await _respond(bodies[0], {"text": "forgotten", "replace_original": True})
        (ephemeral,) = sandbox.workspace.person_views.ephemerals(sandbox.ana.id)
        assert (ephemeral.ts, ephemeral.text, ephemeral.blocks) == (shown["message_ts"], "forgotten", None)
        await _respond(bodies[0], {"delete_original": True})
    assert sandbox.workspace.person_views.ephemerals(sandbox.ana.id) == []


async def test_nobody_else_can_press_in_an_ephemeral_message(sandbox: Sandbox) -> None:
    shown = await sandbox.client.chat_postEphemeral(
        channel=sandbox.channel.id, user=sandbox.ana.id, text="sure?", blocks=[actions(button())]
    )
    with pytest.raises(SlackError, match="message_not_found"):
        await sandbox.server.interactions.click(sandbox.ben.id, sandbox.channel.id, shown["message_ts"], "go")


async def test_a_press_on_a_message_can_replace_it(sandbox: Sandbox) -> None:
    posted = await sandbox.client.chat_postMessage(
        channel=sandbox.channel.id, text="card", blocks=[actions(button())]
    )
    async with talking(sandbox) as bodies:
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, posted["ts"], "go")
        await _respond(bodies[0], {"text": "gone", "replace_original": True})
    (message,) = sandbox.workspace.messages(sandbox.channel.id)
    assert (message.ts, message.text, message.blocks) == (posted["ts"], "gone", None)


async def test_what_is_not_there_cannot_be_pressed_or_chosen(sandbox: Sandbox) -> None:
    posted = await sandbox.client.chat_postMessage(
        channel=sandbox.channel.id, text="card", blocks=[actions(menu("a"))]
    )
    for action_id, value in (("go", None), ("pick", "b")):
        with pytest.raises(SlackError, match="no_such"):
            await sandbox.server.interactions.click(
                sandbox.ana.id, sandbox.channel.id, posted["ts"], action_id, value
            )


async def test_a_message_shortcut_carries_the_message(sandbox: Sandbox) -> None:
    ts = sandbox.workspace.post(sandbox.ben.id, sandbox.channel.id, "hello")
    async with talking(sandbox) as bodies:
        await sandbox.server.interactions.shortcut(sandbox.ana.id, sandbox.channel.id, ts, "correct")
        with pytest.raises(SlackError, match="unknown_shortcut"):
            await sandbox.server.interactions.shortcut(sandbox.ana.id, sandbox.channel.id, ts, "other")
    (body,) = bodies
    assert (body["type"], body["message"]["text"], body["user"]["id"]) == (
        "message_action",
        "hello",
        sandbox.ana.id,
    )


@pytest.mark.parametrize(
    ("seconds", "uses", "code"),
    [(0, 1, "exchanged_trigger_id"), (3.1, 0, "expired_trigger_id")],
    ids=["used before", "too late"],
)
async def test_a_trigger_opens_one_modal_soon(
    sandbox: Sandbox, clock: Clock, seconds: float, uses: int, code: str
) -> None:
    async with talking(sandbox) as bodies:
        trigger = (await _command_body(sandbox, bodies))["trigger_id"]
        for _ in range(uses):
            await sandbox.client.views_open(trigger_id=trigger, view=modal())
        clock.seconds = seconds
        assert await refusal(sandbox.client.views_open(trigger_id=trigger, view=modal())) == code
    assert await refusal(sandbox.client.views_open(trigger_id="1.2", view=modal())) == "invalid_trigger_id"


async def _open(sandbox: Sandbox, bodies: list[Payload], view: Payload) -> str:
    trigger = (await _command_body(sandbox, bodies))["trigger_id"]
    return str((await sandbox.client.views_open(trigger_id=trigger, view=view))["view"]["id"])


async def test_a_submitted_modal_carries_its_values_and_closes(sandbox: Sandbox) -> None:
    view = modal(field_block("why"), field_block("more", initial_value="as before"), callback_id="why")
    async with talking(sandbox) as bodies:
        view_id = await _open(sandbox, bodies, view)
        assert await sandbox.server.modals.submit(sandbox.ana.id, view_id, {"why": "too curt"}) == {}
    values = bodies[-1]["view"]["state"]["values"]
    assert values["why"]["text"] == {"type": "plain_text_input", "value": "too curt"}
    assert values["more"]["text"]["value"] == "as before"
    assert sandbox.server.views(sandbox.ana.id) == []


async def test_an_empty_required_field_is_not_submitted(sandbox: Sandbox) -> None:
    async with talking(sandbox) as bodies:
        view_id = await _open(sandbox, bodies, modal(callback_id="why"))
        with pytest.raises(SlackError) as caught:
            await sandbox.server.modals.submit(sandbox.ana.id, view_id, {})
    assert caught.value.details["errors"] == {"why": "Please complete this required field."}
    assert [body.get("type") for body in bodies] == [None]
    assert len(sandbox.server.views(sandbox.ana.id)) == 1


RESPONSES: list[tuple[Payload, list[str]]] = [
    ({"response_action": "errors", "errors": {"why": "too short"}}, ["Why?"]),
    ({"response_action": "clear"}, []),
    ({"response_action": "update", "view": modal(title={"type": "plain_text", "text": "New"})}, ["New"]),
    (
        {"response_action": "push", "view": modal(title={"type": "plain_text", "text": "On top"})},
        ["Why?", "On top"],
    ),
]


@pytest.mark.parametrize(("response", "titles"), RESPONSES, ids=[r["response_action"] for r, _ in RESPONSES])
async def test_the_apps_response_to_a_submission_is_followed(
    sandbox: Sandbox, response: Payload, titles: list[str]
) -> None:
    async with _answering_submissions(sandbox, response) as bodies:
        view_id = await _open(sandbox, bodies, modal(callback_id="why"))
        assert await sandbox.server.modals.submit(sandbox.ana.id, view_id, {"text": "curt"}) == response
    assert [view.content["title"]["text"] for view in sandbox.server.views(sandbox.ana.id)] == titles


@pytest.mark.parametrize(
    "response",
    [
        {"response_action": "errors", "errors": {"unknown": "x"}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "dance"},
    ],
)
async def test_a_response_slack_would_not_understand_is_told(sandbox: Sandbox, response: Payload) -> None:
    async with _answering_submissions(sandbox, response) as bodies:
        view_id = await _open(sandbox, bodies, modal(callback_id="why"))
        with pytest.raises(SlackError, match="bad_response"):
            await sandbox.server.modals.submit(sandbox.ana.id, view_id, {"text": "curt"})
    assert len(sandbox.server.views(sandbox.ana.id)) == 1


@asynccontextmanager
async def _answering_submissions(sandbox: Sandbox, response: Payload) -> AsyncIterator[list[Payload]]:
    app, bodies = bolt_app(sandbox), list[Payload]()

    async def collect(ack: Any, body: Payload) -> None:
        await ack()
        bodies.append(body)

    async def answer(ack: Any) -> None:
        await ack(**response)

    app.command("/memalign")(collect)
    app.view("why")(answer)
    async with connected(sandbox, app):
        yield bodies


async def test_closing_a_modal_is_told_when_the_app_asked_for_it(sandbox: Sandbox) -> None:
    async with talking(sandbox) as bodies:
        quiet = await _open(sandbox, bodies, modal(callback_id="why"))
        await sandbox.server.modals.close(sandbox.ana.id, quiet)
        ephemeral = await _open(sandbox, bodies, modal(callback_id="why", notify_on_close=True))
        await sandbox.server.modals.close(sandbox.ana.id, ephemeral)
    assert [body["view"]["id"] for body in bodies if body.get("type") == "view_closed"] == [ephemeral]
    assert sandbox.server.views(sandbox.ana.id) == []


async def test_modals_are_updated_by_id_and_pushed_from_inside_only(sandbox: Sandbox) -> None:
    inside = actions(button())
    async with talking(sandbox) as bodies:
        view_id = await _open(sandbox, bodies, modal(inside))
        await sandbox.server.interactions.view_click(sandbox.ana.id, view_id, "go")
        await sandbox.client.views_push(trigger_id=bodies[-1]["trigger_id"], view=modal())
        outside = (await _command_body(sandbox, bodies))["trigger_id"]
        assert (
            await refusal(sandbox.client.views_push(trigger_id=outside, view=modal())) == "invalid_trigger_id"
        )
        old = sandbox.server.views(sandbox.ana.id)[0]
        await sandbox.client.views_update(view_id=view_id, hash=old.hash, view=modal(section("new")))
        stale = sandbox.client.views_update(view_id=view_id, hash=old.hash, view=modal())
        assert await refusal(stale) == "hash_conflict"
        assert await refusal(sandbox.client.views_update(view_id="V404", view=modal())) == "not_found"
    bottom, top = sandbox.server.views(sandbox.ana.id)
    assert bottom.content["blocks"][0]["text"]["text"] == "new"
    assert (top.root_id, top.previous_id) == (view_id, view_id)


async def test_an_entry_tells_the_app_only_when_it_dispatches(sandbox: Sandbox) -> None:
    loud = {**field_block("loud"), "dispatch_action": True}
    loud["element"] = {**loud["element"], "action_id": "go"}
    async with talking(sandbox) as bodies:
        view_id = await _open(sandbox, bodies, modal(field_block("quiet"), loud))
        await sandbox.server.interactions.view_click(sandbox.ana.id, view_id, "text", "typed")
        assert len(bodies) == 1
        await sandbox.server.interactions.view_click(sandbox.ana.id, view_id, "go", "loud words")
    values = bodies[-1]["view"]["state"]["values"]
    assert (values["quiet"]["text"]["value"], values["loud"]["go"]["value"]) == ("typed", "loud words")


async def test_the_home_tab_is_told_when_opened_and_shown_when_published(sandbox: Sandbox) -> None:
    app, bodies = collecting_app(sandbox)

    @app.event("app_home_opened")
    async def add_message(event: Payload, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view=HOME)

    async with connected(sandbox, app):
        sandbox.workspace.open_home(sandbox.ana.id)
        await until(lambda: sandbox.server.home(sandbox.ana.id))
        home = sandbox.server.home(sandbox.ana.id)
        assert home is not None
        await sandbox.server.interactions.view_click(sandbox.ana.id, home.id, "refresh")
    assert bodies[0]["view"]["type"] == "home"
    assert bodies[0]["container"] == {"type": "view", "view_id": home.id}
    assert sandbox.server.home(sandbox.ben.id) is None


async def _respond(body: Payload, answer: Payload) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(body["response_url"], json=answer) as response,
    ):
        return response.status
