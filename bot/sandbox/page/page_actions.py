"""Actions of people on the page, by name."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.sandbox.delivery.interactions import Interactions
from bot.sandbox.delivery.view_submission import Modals
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload
from bot.sandbox.workspace.workspace import Workspace

DemoHook: TypeAlias = Callable[[str], Awaitable[None]]
_Handler: TypeAlias = Callable[[str, Payload], Awaitable[Payload | None]]


class PageActions:
    """Performs what people do on the page. `on_demo` is called with the name of a demo's button."""

    def __init__(
        self, workspace: Workspace, interactions: Interactions, modals: Modals, on_demo: DemoHook | None
    ) -> None:
        self._workspace = workspace
        self._interactions = interactions
        self._modals = modals
        self._on_demo = on_demo
        self._handlers: dict[str, _Handler] = {
            "post": self._post,
            "edit": self._edit,
            "delete": self._delete,
            "react": self._react,
            "unreact": self._unreact,
            "command": self._command,
            "click": self._click,
            "view_click": self._view_click,
            "submit": self._submit,
            "close": self._close,
            "shortcut": self._shortcut,
            "home": self._home,
            "demo": self._demo,
        }

    async def perform(self, body: Payload) -> Payload:
        """Perform the action a request of the page names.

        Args:
            body: the action as `do`, the person as `user`, and the action's own fields.

        Returns:
            The fields of the answer besides `ok`.

        Raises:
            SlackError: when Slack would refuse it, or the request lacks a field.

        """
        name = _required(body, "do")
        if name not in self._handlers:
            raise SlackError("unknown_action", f"The sandbox does not know how to “{name}”.")
        user = self._workspace.user(_required(body, "user"))
        return await self._handlers[name](user.id, body) or {}

    async def _post(self, user: str, body: Payload) -> Payload:
        thread_ts = _optional(body, "thread_ts")
        return {
            "ts": self._workspace.post(user, _required(body, "channel"), _required(body, "text"), thread_ts)
        }

    async def _edit(self, user: str, body: Payload) -> None:
        self._workspace.edit(user, _required(body, "channel"), _required(body, "ts"), _required(body, "text"))

    async def _delete(self, user: str, body: Payload) -> None:
        self._workspace.delete(user, _required(body, "channel"), _required(body, "ts"))

    async def _react(self, user: str, body: Payload) -> None:
        self._workspace.react(
            user, _required(body, "channel"), _required(body, "ts"), _required(body, "name")
        )

    async def _unreact(self, user: str, body: Payload) -> None:
        self._workspace.unreact(
            user, _required(body, "channel"), _required(body, "ts"), _required(body, "name")
        )

    async def _command(self, user: str, body: Payload) -> None:
        text, thread_ts = _optional(body, "text") or "", _optional(body, "thread_ts")
        await self._interactions.command(
            user, _required(body, "channel"), _required(body, "command"), text, thread_ts
        )

    async def _click(self, user: str, body: Payload) -> None:
        channel, ts = _required(body, "channel"), _required(body, "ts")
        action_id, block_id = _required(body, "action_id"), _optional(body, "block_id")
        await self._interactions.click(user, channel, ts, action_id, body.get("value"), block_id=block_id)

    async def _view_click(self, user: str, body: Payload) -> None:
        action_id, block_id = _required(body, "action_id"), _optional(body, "block_id")
        await self._interactions.view_click(
            user, _required(body, "view_id"), action_id, body.get("value"), block_id=block_id
        )

    async def _submit(self, user: str, body: Payload) -> Payload:
        state = body.get("state")
        values = state if isinstance(state, dict) else {}
        try:
            response = await self._modals.submit(user, _required(body, "view_id"), values)
        except SlackError as error:
            if error.code != "incomplete":
                raise
            return {"errors": error.details["errors"]}
        return {"errors": response["errors"]} if response.get("response_action") == "errors" else {}

    async def _close(self, user: str, body: Payload) -> None:
        await self._modals.close(user, _required(body, "view_id"))

    async def _shortcut(self, user: str, body: Payload) -> None:
        channel, ts = _required(body, "channel"), _required(body, "ts")
        await self._interactions.shortcut(user, channel, ts, _required(body, "callback_id"))

    async def _home(self, user: str, body: Payload) -> None:
        del body
        self._workspace.open_home(user)

    async def _demo(self, user: str, body: Payload) -> None:
        del user
        if self._on_demo is None:
            raise SlackError("no_demo", "Nothing is prepared to be replayed here.")
        await self._on_demo(_required(body, "name"))


def _required(body: Payload, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise SlackError("invalid_request", f"The request lacks “{name}”.")
    return value


def _optional(body: Payload, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None
