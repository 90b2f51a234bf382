"""The `views.*` methods, and the opening, pushing and updating of views they share with submissions."""

from collections.abc import Mapping
from dataclasses import replace

from bot.sandbox.web_api.arguments import Arguments
from bot.sandbox.web_api.context import ApiContext, Method
from bot.sandbox.web_api.objects import view_object
from bot.sandbox.web_api.view_rules import normalize_view
from bot.sandbox.workspace.errors import SlackError, invalid_arguments
from bot.sandbox.workspace.records import Payload, View


def open_modal(context: ApiContext, user_id: str, content: object) -> View:
    """Show a modal to a person, in place of what was open."""
    view = _new_view(context, user_id, content, "modal")
    context.workspace.person_views.set_modals(user_id, [view])
    return view


def push_modal(context: ApiContext, user_id: str, content: object) -> View:
    """Lay a modal on top of the open ones; refuses with `push_limit_reached`."""
    stack = context.workspace.person_views.modals(user_id)
    if not stack:
        raise SlackError("not_found", "There is no modal to push another one onto.")
    view = replace(
        _new_view(context, user_id, content, "modal"), root_id=stack[0].root_id, previous_id=stack[-1].id
    )
    context.workspace.person_views.set_modals(user_id, [*stack, view])
    return view


def update_view(context: ApiContext, view: View, content: object) -> View:
    """Replace the content of an open modal or a home; the state of blocks that remain is kept."""
    normalized = _content(context, content, view.content["type"])
    blocks = {block["block_id"] for block in normalized["blocks"]}
    state = {block_id: values for block_id, values in view.state.items() if block_id in blocks}
    changed = replace(view, content=normalized, state=state, hash=_hash(context))
    context.workspace.person_views.put(changed)
    return changed


def _new_view(context: ApiContext, user_id: str, content: object, kind: str) -> View:
    normalized = _content(context, content, kind)
    view_id = context.workspace.person_views.next_view_id()
    return View(id=view_id, user=user_id, content=normalized, hash=_hash(context), root_id=view_id)


def _content(context: ApiContext, content: object, kind: str) -> Payload:
    return normalize_view(content, kind, context.workspace.next_block_id(100))


def _hash(context: ApiContext) -> str:
    return f"{context.workspace.clock.mint()}.h"


def _view(arguments: Arguments) -> object:
    view = arguments.json_value("view", "invalid_arguments")
    if view is None:
        raise invalid_arguments("missing required field: view")
    return view


def _open(context: ApiContext, arguments: Arguments) -> Payload:
    view = _view(arguments)
    trigger = context.credentials.use_trigger(arguments.require("trigger_id"))
    return {"view": view_object(context.workspace, open_modal(context, trigger.user, view))}


def _push(context: ApiContext, arguments: Arguments) -> Payload:
    view = _view(arguments)
    trigger = context.credentials.use_trigger(arguments.require("trigger_id"))
    if trigger.view_id is None:
        raise SlackError("invalid_trigger_id", "Only an interaction inside a modal can push another one.")
    return {"view": view_object(context.workspace, push_modal(context, trigger.user, view))}


def _update(context: ApiContext, arguments: Arguments) -> Payload:
    content = _view(arguments)
    view_id, external_id = arguments.text("view_id"), arguments.text("external_id")
    if bool(view_id) == bool(external_id):
        raise invalid_arguments("give either view_id or external_id")
    person_views = context.workspace.person_views
    view = person_views.find(view_id) if view_id else person_views.find_external(str(external_id))
    _check_hash(arguments, view)
    return {"view": view_object(context.workspace, update_view(context, view, content))}


def _publish(context: ApiContext, arguments: Arguments) -> Payload:
    content = _view(arguments)
    user = context.workspace.user(arguments.require("user_id"))
    home = context.workspace.person_views.home(user.id)
    if home is not None:
        _check_hash(arguments, home)
        return {"view": view_object(context.workspace, update_view(context, home, content))}
    home = _new_view(context, user.id, content, "home")
    context.workspace.person_views.publish_home(home)
    return {"view": view_object(context.workspace, home)}


def _check_hash(arguments: Arguments, view: View) -> None:
    expected = arguments.text("hash")
    if expected is not None and expected != view.hash:
        raise SlackError("hash_conflict", "The view changed in between.")


METHODS: Mapping[str, Method] = {
    "views.open": Method(handler=_open),
    "views.push": Method(handler=_push),
    "views.update": Method(handler=_update),
    "views.publish": Method(handler=_publish),
}
