"""Payloads that reach the app when a person uses one of the newer elements."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from slack_bolt.async_app import AsyncAck

from bot.sandbox import SlackError
from bot.sandbox.workspace.records import Payload
from tests.sandbox.bolt_app import Sandbox, actions, bolt_app, button, connected, modal
from tests.sandbox.newer_blocks import (
    ask,
    choices,
    context_actions,
    feedback,
    icon,
    line,
    number_input,
    plain,
    rich_list,
    rich_section,
    rich_text,
    rich_text_input,
    words,
)

FORM = modal(
    ask(number_input(min_value="1", max_value="5", initial_value="2"), "Score"),
    ask(choices("radio_buttons", "rude", "kind"), "Tone", dispatch_action=True),
    ask(choices("checkboxes", "short", "sourced"), "Covered", optional=True),
    ask(rich_text_input(initial_value=line(words("It is "), words("curt", bold=True))), "Reason"),
    callback_id="correction",
)


@asynccontextmanager
async def collected(sandbox: Sandbox, form: Payload = FORM) -> AsyncIterator[list[Payload]]:
    """Connect an app that keeps what it gets, and opens the form before it acknowledges that its button was pressed."""
    app, bodies = bolt_app(sandbox), list[Payload]()

    async def collect(ack: AsyncAck, body: Payload) -> None:
        await ack()
        bodies.append(body)

    async def on_open(ack: AsyncAck, body: Payload) -> None:
        await sandbox.client.views_open(trigger_id=body["trigger_id"], view=form)
        await ack()

    for action_id in ("verdict", "remove", "choice"):
        app.action(action_id)(collect)
    app.action("go")(on_open)
    app.view("correction")(collect)
    async with connected(sandbox, app):
        yield bodies


async def post(sandbox: Sandbox, *blocks: Payload) -> str:
    answer = await sandbox.client.chat_postMessage(
        channel=sandbox.channel.id, text="a card", blocks=list(blocks)
    )
    return str(answer["ts"])


async def open_form(sandbox: Sandbox) -> str:
    ts = await post(sandbox, actions(button("go")))
    await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, ts, "go")
    (view,) = sandbox.server.views(sandbox.ana.id)
    return view.id


@pytest.mark.parametrize(("value", "label"), [("up", "Right"), ("down", "Wrong")])
async def test_feedback_carries_the_value_of_its_side(sandbox: Sandbox, value: str, label: str) -> None:
    ts = await post(sandbox, context_actions(feedback(), block_id="below"))
    async with collected(sandbox) as bodies:
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, ts, "verdict", value)
    (body,) = bodies
    (action,) = body["actions"]
    assert action.pop("action_ts")
    assert action == {
        "type": "feedback_buttons",
        "action_id": "verdict",
        "block_id": "below",
        "text": plain(label) | {"emoji": True},
        "value": value,
    }
    assert body["state"] == {"values": {}}
    assert (body["container"]["message_ts"], body["user"]["id"]) == (ts, sandbox.ana.id)
    assert body["trigger_id"]
    assert body["response_url"]


async def test_feedback_has_two_sides_only(sandbox: Sandbox) -> None:
    ts = await post(sandbox, context_actions(feedback()))
    async with collected(sandbox) as bodies:
        with pytest.raises(SlackError, match="not one of the feedback buttons"):
            await sandbox.server.interactions.click(
                sandbox.ana.id, sandbox.channel.id, ts, "verdict", "maybe"
            )
    assert bodies == []


async def test_an_icon_button_carries_its_text_and_value(sandbox: Sandbox) -> None:
    ts = await post(sandbox, context_actions(icon(), block_id="below"))
    async with collected(sandbox) as bodies:
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, ts, "remove")
    action = bodies[0]["actions"][0]
    assert action.pop("action_ts")
    assert action == {
        "type": "icon_button",
        "action_id": "remove",
        "block_id": "below",
        "text": plain("Remove") | {"emoji": True},
        "value": "r-1",
    }


async def test_an_icon_button_for_one_person_cannot_be_pressed_by_another(sandbox: Sandbox) -> None:
    ts = await post(sandbox, context_actions(icon(visible_to_user_ids=[sandbox.ana.id])))
    async with collected(sandbox) as bodies:
        with pytest.raises(SlackError, match="nothing to press named remove"):
            await sandbox.server.interactions.click(sandbox.ben.id, sandbox.channel.id, ts, "remove")
        await sandbox.server.interactions.click(sandbox.ana.id, sandbox.channel.id, ts, "remove")
    assert [body["user"]["id"] for body in bodies] == [sandbox.ana.id]


async def test_a_choice_in_a_modal_is_told_at_once_where_the_app_asks_for_it(sandbox: Sandbox) -> None:
    async with collected(sandbox) as bodies:
        view_id = await open_form(sandbox)
        await sandbox.server.interactions.view_click(
            sandbox.ana.id, view_id, "choice", "kind", block_id="tone"
        )
    (body,) = bodies
    chosen = {"text": plain("kind") | {"emoji": True}, "value": "kind"}
    assert body["actions"][0]["selected_option"] == chosen
    assert body["view"]["state"]["values"]["tone"]["choice"] == {
        "type": "radio_buttons",
        "selected_option": chosen,
    }


async def test_a_form_is_submitted_with_the_state_slack_documents(sandbox: Sandbox) -> None:
    entries = {"score": "4", "tone": "rude", "covered": ["short"], "reason": "It is rude.\n\tVery."}
    async with collected(sandbox) as bodies:
        view_id = await open_form(sandbox)
        await sandbox.server.modals.submit(sandbox.ana.id, view_id, entries)
    values = bodies[0]["view"]["state"]["values"]
    assert values["score"]["number"] == {"type": "number_input", "value": "4"}
    assert values["tone"]["choice"]["selected_option"]["value"] == "rude"
    assert [option["value"] for option in values["covered"]["choice"]["selected_options"]] == ["short"]
    assert values["reason"]["reason"] == {
        "type": "rich_text_input",
        "rich_text_value": line(words("It is rude.\n\tVery.")),
    }


@pytest.mark.parametrize(
    "initial",
    [
        line(words("It is "), words("curt", bold=True)),
        rich_text(rich_section(words("Two:")), rich_list("bullet", "one", "two")),
        line({"type": "emoji", "name": "wave"}, {"type": "link", "url": "https://a.b"}),
    ],
)
async def test_rich_text_that_nobody_changed_keeps_its_styles(sandbox: Sandbox, initial: Payload) -> None:
    form = modal(ask(rich_text_input(initial_value=initial), "Reason"), callback_id="correction")
    async with collected(sandbox, form) as bodies:
        view_id = await open_form(sandbox)
        await sandbox.server.modals.submit(sandbox.ana.id, view_id, {})
    assert bodies[0]["view"]["state"]["values"]["reason"]["reason"]["rich_text_value"] == initial


@pytest.mark.parametrize("score", ["0", "6", "2.5", "two", "1e0", ""])
async def test_a_number_out_of_range_is_not_submitted(sandbox: Sandbox, score: str) -> None:
    async with collected(sandbox) as bodies:
        view_id = await open_form(sandbox)
        with pytest.raises(SlackError) as caught:
            await sandbox.server.modals.submit(sandbox.ana.id, view_id, {"score": score, "tone": "rude"})
    assert caught.value.code == "incomplete"
    assert list(caught.value.details["errors"]) == ["score"]
    assert bodies == []
