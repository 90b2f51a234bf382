"""Submitting and closing modals, and what the app answers to that."""

from bot.sandbox.delivery import interaction_payloads as payloads
from bot.sandbox.delivery.input_state import initial_state, with_entries
from bot.sandbox.delivery.input_validation import validation_errors
from bot.sandbox.delivery.interactions import Interactions
from bot.sandbox.web_api.context import ApiContext
from bot.sandbox.web_api.views import push_modal, update_view
from bot.sandbox.workspace.errors import SlackError
from bot.sandbox.workspace.records import Payload, View

_BAD_RESPONSE_TEXT = "We had some trouble connecting. Try again?"


class Modals:
    """Submits and closes modals, and follows the app's `response_action`."""

    def __init__(self, context: ApiContext, interactions: Interactions) -> None:
        self._context = context
        self._interactions = interactions

    async def submit(self, user_id: str, view_id: str, values: Payload) -> Payload:
        """Fill in a modal and submit it.

        Args:
            user_id: the person who submits.
            view_id: a modal on their screen.
            values: what they enter, by action id, by block id, or by both nested.

        Returns:
            The app's response, empty when it only acknowledged.

        Raises:
            SlackError: `incomplete` with `errors` by block when Slack's client would not submit it;
                `bad_response` when Slack would not understand the app's response.
            AckTimeoutError: when the app did not acknowledge.

        """
        view = self._fill_in(user_id, view_id, values)
        if view.content["type"] != "modal":
            raise SlackError("not_found", "Only a modal can be submitted.")
        errors = validation_errors(view.content["blocks"], view.state)
        if errors:
            raise SlackError("incomplete", " ".join(errors.values()), errors=errors)
        response = await self._interactions.send_interaction(payloads.view_submission(self._context, view))
        self._follow(view, response)
        return response

    async def close(self, user_id: str, view_id: str) -> None:
        """Close the uppermost modal; with `clear_on_close` those below it are closed too."""
        person_views = self._context.workspace.person_views
        stack = person_views.modals(user_id)
        if not stack or stack[-1].id != view_id:
            raise SlackError("not_found", "Only the uppermost modal can be closed.")
        view = stack[-1]
        cleared = bool(view.content.get("clear_on_close"))
        person_views.set_modals(user_id, [] if cleared else stack[:-1])
        if view.content.get("notify_on_close"):
            await self._interactions.send_interaction(
                payloads.view_closed(self._context, view, cleared=cleared)
            )

    def _fill_in(self, user_id: str, view_id: str, values: Payload) -> View:
        person_views = self._context.workspace.person_views
        view = person_views.open_view(user_id, view_id)
        blocks = view.content["blocks"]
        return person_views.set_state(
            view, with_entries(blocks, {**initial_state(blocks), **view.state}, values)
        )

    def _follow(self, view: View, response: Payload) -> None:
        person_views = self._context.workspace.person_views
        action = response.get("response_action")
        try:
            if action == "errors":
                _check_errors(view, response.get("errors"))
            elif action == "update":
                update_view(self._context, view, response.get("view"))
            elif action == "push":
                push_modal(self._context, view.user, response.get("view"))
            elif action == "clear":
                person_views.set_modals(view.user, [])
            elif action is None and not response:
                remaining = [modal for modal in person_views.modals(view.user) if modal.id != view.id]
                person_views.set_modals(view.user, remaining)
            else:
                raise SlackError("bad_response", f"unknown response_action {action}")
        except SlackError as error:
            raise SlackError("bad_response", f"{_BAD_RESPONSE_TEXT} ({error})") from error


def _check_errors(view: View, errors: object) -> None:
    input_blocks = {block["block_id"] for block in view.content["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= input_blocks:
        raise SlackError("bad_response", f"errors must name input blocks of the view, not {errors}")
