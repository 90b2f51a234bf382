"""What the page lets people do, by name."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.sandbox.delivery.interactions import Interactions
from bot.sandbox.delivery.view_submission import Forms
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.records import Payload
from bot.sandbox.workspace.workspace import Workspace

DemoHook: TypeAlias = Callable[[str], Awaitable[None]]
_Act: TypeAlias = Callable[[str, Payload], Awaitable[Payload | None]]


class PageActions:
    """Performs the acts of the page. `on_demo` is called for the demo's own buttons."""

    def __init__(
        self, workspace: Workspace, interactions: Interactions, forms: Forms, on_demo: DemoHook | None
    ) -> None:
        self._workspace = workspace
        self._interactions = interactions
        self._forms = forms
        self._on_demo = on_demo
        self._known: dict[str, _Act] = {
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

    async def perform(self, act: Payload) -> Payload:
        """Do what the page asked for; returns what the answer carries besides `ok`, raises Refused."""
        name = _need(act, "do")
        if name not in self._known:
            raise Refused("unknown_act", f"The sandbox does not know how to “{name}”.")
        user = self._workspace.user(_need(act, "user"))
        return await self._known[name](user.id, act) or {}

    async def _post(self, user: str, act: Payload) -> Payload:
        thread_ts = _given(act, "thread_ts")
        return {"ts": self._workspace.post(user, _need(act, "channel"), _need(act, "text"), thread_ts)}

    async def _edit(self, user: str, act: Payload) -> None:
        self._workspace.edit(user, _need(act, "channel"), _need(act, "ts"), _need(act, "text"))

    async def _delete(self, user: str, act: Payload) -> None:
        self._workspace.delete(user, _need(act, "channel"), _need(act, "ts"))

    async def _react(self, user: str, act: Payload) -> None:
        self._workspace.react(user, _need(act, "channel"), _need(act, "ts"), _need(act, "name"))

    async def _unreact(self, user: str, act: Payload) -> None:
        self._workspace.unreact(user, _need(act, "channel"), _need(act, "ts"), _need(act, "name"))

    async def _command(self, user: str, act: Payload) -> None:
        text, thread_ts = _given(act, "text") or "", _given(act, "thread_ts")
        await self._interactions.command(user, _need(act, "channel"), _need(act, "command"), text, thread_ts)

    async def _click(self, user: str, act: Payload) -> None:
        channel, ts = _need(act, "channel"), _need(act, "ts")
        element, block = _need(act, "action_id"), _given(act, "block_id")
        await self._interactions.click(user, channel, ts, element, block, act.get("value"))

    async def _view_click(self, user: str, act: Payload) -> None:
        element, block = _need(act, "action_id"), _given(act, "block_id")
        await self._interactions.view_click(user, _need(act, "view_id"), element, block, act.get("value"))

    async def _submit(self, user: str, act: Payload) -> Payload:
        state = act.get("state")
        values = state if isinstance(state, dict) else {}
        try:
            response = await self._forms.submit(user, _need(act, "view_id"), values)
        except Refused as refused:
            if refused.code != "incomplete":
                raise
            return {"errors": refused.details["errors"]}
        return {"errors": response["errors"]} if response.get("response_action") == "errors" else {}

    async def _close(self, user: str, act: Payload) -> None:
        await self._forms.close(user, _need(act, "view_id"))

    async def _shortcut(self, user: str, act: Payload) -> None:
        channel, ts = _need(act, "channel"), _need(act, "ts")
        await self._interactions.shortcut(user, channel, ts, _need(act, "callback_id"))

    async def _home(self, user: str, act: Payload) -> None:
        del act
        self._workspace.open_home(user)

    async def _demo(self, user: str, act: Payload) -> None:
        del user
        if self._on_demo is None:
            raise Refused("no_demo", "Nothing is prepared to be replayed here.")
        await self._on_demo(_need(act, "name"))


def _need(act: Payload, name: str) -> str:
    value = act.get(name)
    if not isinstance(value, str) or not value:
        raise Refused("invalid_request", f"The request lacks “{name}”.")
    return value


def _given(act: Payload, name: str) -> str | None:
    value = act.get(name)
    return value if isinstance(value, str) and value else None
