"""Slash commands, block actions and message shortcuts of people, sent to the app."""

from collections.abc import Mapping

from bot.sandbox.delivery import interaction_payloads as payloads
from bot.sandbox.delivery.dispatcher import Dispatcher, EnvelopeType
from bot.sandbox.delivery.input_state import block_action, find_element, initial_state, with_entry
from bot.sandbox.delivery.response_urls import ResponseUrls
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.workspace.errors import AckTimeoutError, SlackError
from bot.sandbox.workspace.records import Command, Payload


class Interactions:
    """Lets people use the app's commands, buttons, menus and shortcuts.

    Every method returns what the app's acknowledgement carried. It raises SlackError when Slack would not let
    the person do this, and AckTimeoutError when the app did not acknowledge in time.

    Args:
        context: what the Web API works on.
        dispatcher: sends the payloads to the app.
        response_urls: shows what the app answers.
        commands: the slash commands the app's manifest declares, by command.
        shortcuts: the names of its message shortcuts, by callback id.

    """

    def __init__(
        self,
        context: ApiContext,
        dispatcher: Dispatcher,
        response_urls: ResponseUrls,
        commands: Mapping[str, Command],
        shortcuts: Mapping[str, str],
    ) -> None:
        self._context = context
        self._dispatcher = dispatcher
        self._response_urls = response_urls
        self._commands = commands
        self._shortcuts = shortcuts
        self._message_states: dict[tuple[str, str, str], Payload] = {}

    async def command(
        self, user_id: str, channel_id: str, command: str, text: str = "", thread_ts: str | None = None
    ) -> Payload:
        """Type a slash command in a channel; in a thread Slack refuses it."""
        channel = self._context.workspace.member_channel(user_id, channel_id)
        if thread_ts is not None:
            raise SlackError("not_in_threads", f"{command} is not supported in threads. Sorry!")
        if command not in self._commands:
            raise SlackError("unknown_command", f"{command} is not a valid command.")
        secret = self._context.credentials.issue_response_url(user_id, channel_id)
        payload = payloads.slash_command(self._context, user_id, channel, command, text, secret)
        answer = await self._send("slash_commands", payload, user_id, command)
        if answer:
            self._response_urls.apply(self._context.credentials.response_url(secret), answer)
        return answer

    async def click(
        self,
        user_id: str,
        channel_id: str,
        ts: str,
        action_id: str,
        value: object = None,
        *,
        block_id: str | None = None,
    ) -> Payload:
        """Press a button, or choose `value` from a menu, in a message, ephemeral ones included."""
        workspace = self._context.workspace
        workspace.member_channel(user_id, channel_id)
        message = workspace.person_views.ephemeral(user_id, ts) or workspace.message(channel_id, ts)
        block, element = find_element(message.blocks, action_id, block_id, user_id=user_id)
        action = block_action(block, element, value, workspace.clock.mint())
        key = (user_id, channel_id, ts)
        state = {**initial_state(message.blocks), **self._message_states.get(key, {})}
        self._message_states[key] = with_entry(state, block, element, value)
        payload = payloads.message_block_actions(
            self._context, user_id, message, action, self._message_states[key]
        )
        return await self.send_interaction(payload)

    async def view_click(
        self, user_id: str, view_id: str, action_id: str, value: object = None, *, block_id: str | None = None
    ) -> Payload:
        """Press a button, or choose `value` from a menu, in an open modal or the home tab.

        As in Slack, an entry in an input block is sent to the app only when the block has `dispatch_action`.
        """
        workspace = self._context.workspace
        view = workspace.person_views.open_view(user_id, view_id)
        block, element = find_element(view.content["blocks"], action_id, block_id, user_id=user_id)
        action = block_action(block, element, value, workspace.clock.mint())
        state = {**initial_state(view.content["blocks"]), **view.state}
        view = workspace.person_views.set_state(view, with_entry(state, block, element, value))
        if block["type"] == "input" and not block.get("dispatch_action"):
            return {}
        return await self.send_interaction(payloads.view_block_actions(self._context, view, action))

    async def shortcut(self, user_id: str, channel_id: str, ts: str, callback_id: str) -> Payload:
        """Use a message shortcut of the app."""
        workspace = self._context.workspace
        workspace.member_channel(user_id, channel_id)
        if callback_id not in self._shortcuts:
            raise SlackError("unknown_shortcut", f"The app has no message shortcut {callback_id}.")
        message = workspace.message(channel_id, ts)
        payload = payloads.message_shortcut(self._context, user_id, message, callback_id)
        return await self.send_interaction(payload)

    async def send_interaction(self, payload: Payload) -> Payload:
        """Send the app an interaction, once, and return its response."""
        return await self._send("interactive", payload, payload["user"]["id"], "The app")

    async def _send(self, kind: EnvelopeType, payload: Payload, user_id: str, subject: str) -> Payload:
        try:
            return await self._dispatcher.send_once(kind, payload, subject)
        except AckTimeoutError as timeout:
            self._context.workspace.notice(user_id, timeout.sentence)
            raise
