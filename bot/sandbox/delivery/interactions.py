"""What people do to the app: commands, presses, shortcuts, forms."""

from collections.abc import Mapping

from bot.sandbox.delivery.dispatcher import Dispatcher
from bot.sandbox.delivery.input_state import action, find, initial_state, with_entries, with_entry
from bot.sandbox.delivery.response_urls import Responses
from bot.sandbox.delivery.subscriptions import VERIFICATION_TOKEN
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.web_api.objects import message_object, view_object
from bot.sandbox.workspace.errors import Refused, TimedOut
from bot.sandbox.workspace.mrkdwn import typed
from bot.sandbox.workspace.records import Channel, Command, Message, Payload, View

_PRIVATE_NAMES = {"group": "privategroup", "im": "directmessage"}


class Interactions:
    """Tells the app what people do to it, and shows them what it answers.

    `commands` and `shortcuts` (message shortcuts by callback id) are those the app's manifest declares. Every
    method raises Refused when Slack would not let the person do it, and TimedOut when the app did not answer.
    """

    def __init__(
        self,
        context: ApiContext,
        courier: Dispatcher,
        responses: Responses,
        commands: Mapping[str, Command],
        shortcuts: Mapping[str, str],
    ) -> None:
        self.commands = commands
        self.shortcuts = shortcuts
        self._desk = context
        self._courier = courier
        self._responses = responses
        self._states: dict[tuple[str, str, str], Payload] = {}

    async def command(
        self, user_id: str, channel_id: str, command: str, text: str, thread_ts: str | None
    ) -> Payload:
        """Type a slash command; returns what the acknowledgement carried."""
        channel = self._joined(user_id, channel_id)
        if thread_ts is not None:
            raise Refused("not_in_threads", f"{command} is not supported in threads. Sorry!")
        if command not in self.commands:
            raise Refused("unknown_command", f"{command} is not a valid command.")
        name = self._desk.grants.reply(user_id, channel_id)
        answer = await self._send("slash_commands", self._command_form(user_id, channel, command, text, name))
        if answer:
            self._responses.apply(self._desk.grants.peek_reply(name), answer)
        return answer

    def _command_form(self, user_id: str, channel: Channel, command: str, text: str, name: str) -> Payload:
        workspace = self._desk.workspace
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": workspace.team_id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": _PRIVATE_NAMES.get(channel.kind, channel.name),
            "user_id": user_id,
            "user_name": workspace.user(user_id).name,
            "command": command,
            "text": typed(text.strip()),
            "api_app_id": workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response_url(name),
            "trigger_id": self._desk.grants.trigger(user_id),
        }

    async def click(
        self, user_id: str, channel_id: str, ts: str, action_id: str, block_id: str | None, value: object
    ) -> Payload:
        """Press a button or choose something in a message, ephemeral ones included."""
        channel = self._joined(user_id, channel_id)
        workspace = self._desk.workspace
        message = workspace.surfaces.ephemeral(user_id, ts) or workspace.message(channel_id, ts)
        block, element = find(message.blocks, action_id, block_id)
        acted = action(block, element, value, workspace.clock.mint())
        key = (user_id, channel_id, ts)
        state = {**initial_state(message.blocks), **self._states.get(key, {})}
        self._states[key] = with_entry(state, block, element, value)
        payload = self._block_actions(user_id, channel, message, acted, self._states[key])
        return await self._send("interactive", payload)

    def _block_actions(
        self, user_id: str, channel: Channel, message: Message, acted: Payload, state: Payload
    ) -> Payload:
        ephemeral = message.only_for is not None
        name = self._desk.grants.reply(user_id, channel.id, ts=message.ts, ephemeral=ephemeral)
        container: Payload = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        payload = {
            **self._common("block_actions", user_id),
            "container": container,
            "channel": self._channel_label(channel),
            "state": {"values": state},
            "response_url": self._response_url(name),
            "actions": [acted],
        }
        if not ephemeral:  # Slack does not keep ephemeral messages, so it cannot show them
            payload["message"] = message_object(self._desk.workspace, message)
        return payload

    async def view_click(
        self, user_id: str, view_id: str, action_id: str, block_id: str | None, value: object
    ) -> Payload:
        """Press a button or choose something in an open modal or the home tab.

        As in Slack, an entry in an input block tells the app only when the block has `dispatch_action`.
        """
        view = self._view(user_id, view_id)
        block, element = find(view.content["blocks"], action_id, block_id)
        acted = action(block, element, value, self._desk.workspace.clock.mint())
        state = {**initial_state(view.content["blocks"]), **view.state}
        view = self._desk.workspace.surfaces.enter(view, with_entry(state, block, element, value))
        if block["type"] == "input" and not block.get("dispatch_action"):
            return {}
        payload = {
            **self._common("block_actions", user_id, view.id if view.content["type"] == "modal" else None),
            "container": {"type": "view", "view_id": view.id},
            "view": view_object(self._desk.workspace, view),
            "state": {"values": view.state},
            "actions": [acted],
        }
        return await self._send("interactive", payload)

    async def shortcut(self, user_id: str, channel_id: str, ts: str, callback_id: str) -> Payload:
        """Use a message shortcut of the app."""
        channel = self._joined(user_id, channel_id)
        if callback_id not in self.shortcuts:
            raise Refused("unknown_shortcut", f"The app has no message shortcut {callback_id}.")
        message = self._desk.workspace.message(channel_id, ts)
        name = self._desk.grants.reply(user_id, channel_id, ts=ts)
        payload = {
            **self._common("message_action", user_id),
            "callback_id": callback_id,
            "action_ts": self._desk.workspace.clock.mint(),
            "message_ts": ts,
            "channel": self._channel_label(channel),
            "message": message_object(self._desk.workspace, message),
            "response_url": self._response_url(name),
        }
        return await self._send("interactive", payload)

    def filled(self, user_id: str, view_id: str, values: Payload) -> View:
        """Fill in a modal; `values` by action id, by block id, or by both nested."""
        view = self._view(user_id, view_id)
        blocks = view.content["blocks"]
        state = with_entries(blocks, {**initial_state(blocks), **view.state}, values)
        return self._desk.workspace.surfaces.enter(view, state)

    async def send_submission(self, view: View) -> Payload:
        """Tell the app that a modal was submitted; returns its response."""
        payload = {
            **self._common("view_submission", view.user, view.id),
            "view": view_object(self._desk.workspace, view),
            "response_urls": [],
        }
        return await self._send("interactive", payload)

    async def send_closed(self, view: View, *, cleared: bool) -> None:
        """Tell the app that a person closed a modal."""
        payload = {
            **self._common("view_closed", view.user),
            "view": view_object(self._desk.workspace, view),
            "is_cleared": cleared,
        }
        del payload["trigger_id"]
        await self._send("interactive", payload)

    async def _send(self, kind: str, payload: Payload) -> Payload:
        user_id = payload["user_id"] if kind == "slash_commands" else payload["user"]["id"]
        try:
            if kind == "slash_commands":
                return await self._courier.send("slash_commands", payload, payload["command"])
            return await self._courier.send("interactive", payload, "The app")
        except TimedOut as timed_out:
            self._desk.workspace.notice(user_id, timed_out.sentence)
            raise

    def _common(self, kind: str, user_id: str, view_id: str | None = None) -> Payload:
        workspace = self._desk.workspace
        user = workspace.user(user_id)
        return {
            "type": kind,
            "token": VERIFICATION_TOKEN,
            "team": {"id": workspace.team_id, "domain": workspace.domain},
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": workspace.team_id},
            "api_app_id": workspace.app_id,
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self._desk.grants.trigger(user_id, view_id),
        }

    def _channel_label(self, channel: Channel) -> Payload:
        return {"id": channel.id, "name": _PRIVATE_NAMES.get(channel.kind, channel.name)}

    def _response_url(self, name: str) -> str:
        return f"{self._desk.base_url()}/response/{name}"

    def _view(self, user_id: str, view_id: str) -> View:
        view = self._desk.workspace.surfaces.find(view_id)
        if view.user != user_id:
            raise Refused("not_found", "That view is not open on your screen.")
        return view

    def _joined(self, user_id: str, channel_id: str) -> Channel:
        channel = self._desk.workspace.channel(channel_id)
        if self._desk.workspace.user(user_id).id not in channel.members:
            raise Refused("not_in_channel", f"You are not in #{channel.name}; join it first.")
        return channel
