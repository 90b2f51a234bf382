"""Modals being submitted and closed, and what the app answers to that."""

from bot.sandbox.delivery.input_state import objections
from bot.sandbox.delivery.interactions import Interactions
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.web_api.views import push_modal, update_view
from bot.sandbox.workspace.errors import Refused
from bot.sandbox.workspace.records import Payload, View

_TROUBLE = "We had some trouble connecting. Try again?"


class Forms:
    """Submits and closes modals, honouring the app's `response_action`."""

    def __init__(self, context: ApiContext, interactions: Interactions) -> None:
        self._desk = context
        self._interactions = interactions

    async def submit(self, user_id: str, view_id: str, values: Payload) -> Payload:
        """Submit a modal; returns the app's response.

        Raises:
            Refused: `incomplete` with `errors` by block when Slack's client would not submit it;
                `bad_response` when Slack would not understand the app's response.
            TimedOut: when the app did not acknowledge.

        """
        view = self._interactions.filled(user_id, view_id, values)
        if view.content["type"] != "modal":
            raise Refused("not_found", "Only a modal can be submitted.")
        errors = objections(view.content["blocks"], view.state)
        if errors:
            raise Refused("incomplete", " ".join(errors.values()), errors=errors)
        response = await self._interactions.send_submission(view)
        self._follow(view, response)
        return response

    async def close(self, user_id: str, view_id: str) -> None:
        """Close the uppermost modal; with `clear_on_close` those below it close too."""
        stack = self._desk.workspace.surfaces.stack(user_id)
        if not stack or stack[-1].id != view_id:
            raise Refused("not_found", "Only the uppermost modal can be closed.")
        view = stack[-1]
        cleared = bool(view.content.get("clear_on_close"))
        self._desk.workspace.surfaces.restack(user_id, [] if cleared else stack[:-1])
        if view.content.get("notify_on_close"):
            await self._interactions.send_closed(view, cleared=cleared)

    def _follow(self, view: View, response: Payload) -> None:
        kind = response.get("response_action")
        try:
            if kind == "errors":
                self._check_errors(view, response.get("errors"))
            elif kind == "update":
                update_view(self._desk, view, response.get("view"))
            elif kind == "push":
                push_modal(self._desk, view.user, response.get("view"))
            elif kind == "clear":
                self._desk.workspace.surfaces.restack(view.user, [])
            elif kind is None and not response:
                self._take_off(view)
            else:
                raise Refused("bad_response", f"{_TROUBLE} (unknown response_action {kind})")
        except Refused as refused:
            raise Refused("bad_response", f"{_TROUBLE} ({refused.code}: {refused.sentence})") from refused

    def _check_errors(self, view: View, errors: object) -> None:
        known = {block["block_id"] for block in view.content["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not errors.keys() <= known:
            raise Refused("bad_response", f"errors must name input blocks of the view, not {errors}")

    def _take_off(self, view: View) -> None:
        stack = self._desk.workspace.surfaces.stack(view.user)
        self._desk.workspace.surfaces.restack(view.user, [known for known in stack if known.id != view.id])
