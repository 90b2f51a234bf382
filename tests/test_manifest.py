"""Ties manifest.yml to what the code listens to, calls and needs, and to the limits of Slack's manifest schema."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.checks import SCOPES
from bot.sandbox.demo.demo import COMMAND, SHORTCUTS
from memalign.records import Json

ROOT = Path(__file__).parents[1]
CODE = sorted(file for file in (ROOT / "bot").rglob("*.py") if "sandbox" not in file.relative_to(ROOT).parts)
MANIFEST: Json = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))

CALLS = {
    "apps.connections.open": (),
    "auth.test": (),
    "chat.delete": ("chat:write",),
    "chat.getPermalink": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.replies": ("channels:history", "groups:history"),
    "reactions.get": ("reactions:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
}
"""Web API method -> the bot scopes it needs, for public and private channels."""
EVENTS = {
    "app_home_opened": (),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
}
"""Event -> the bot scopes it needs."""


def calls_in(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def called() -> set[str]:
    """The Web API methods that the bot's code calls, such as `chat.postMessage`."""
    found = set()
    for call in (call for file in CODE for call in calls_in(file)):
        assert isinstance(call.func, ast.Attribute)
        name = call.func.attr
        owner = ast.unparse(call.func.value)
        if owner.endswith("client") and "_" in name and hasattr(AsyncWebClient, name):
            found.add(name.replace("_", "."))
    return found


def listened(kind: str) -> set[str]:
    """The names that listeners are registered for with `app.event`, `app.command` or `app.shortcut`."""
    names = set()
    for file, call in ((path, call) for path in CODE for call in calls_in(path)):
        if ast.unparse(call.func) == f"app.{kind}" and call.args:
            (name,) = call.args
            if isinstance(name, ast.Constant):
                names.add(str(name.value))
            elif isinstance(name, ast.Name):
                names.add(str(getattr(module_of(file), name.id)))
    return names


def module_of(file: Path) -> ModuleType:
    return importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def asked_scopes() -> set[str]:
    return set(MANIFEST["oauth_config"]["scopes"]["bot"])


def subscribed() -> set[str]:
    return set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_the_code_calls_what_this_test_knows_of() -> None:
    assert called() == CALLS.keys()


def test_each_event_has_its_listener_and_each_listener_its_event() -> None:
    assert {event.partition(".")[0] for event in subscribed()} == listened("event")
    assert subscribed() == EVENTS.keys()


def test_the_command_is_the_one_listened_to() -> None:
    commands = {command["command"] for command in MANIFEST["features"]["slash_commands"]}
    assert commands == listened("command") == {COMMAND.command}


def test_the_shortcuts_are_those_listened_to() -> None:
    shortcuts = {one["callback_id"]: one["name"] for one in MANIFEST["features"]["shortcuts"]}
    assert shortcuts.keys() == listened("shortcut")
    assert shortcuts == SHORTCUTS
    assert {one["type"] for one in MANIFEST["features"]["shortcuts"]} == {"message"}


def test_no_scope_is_missing_and_none_is_too_much() -> None:
    needed = {scope for method in called() for scope in CALLS[method]}
    needed |= {scope for event in subscribed() for scope in EVENTS[event]}
    needed.add("commands")
    assert asked_scopes() == needed
    assert set(SCOPES) == needed


def test_buttons_menus_and_modals_can_reach_the_bot() -> None:
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"] is True


@pytest.mark.parametrize(
    ("texts", "most"),
    [
        ([MANIFEST["display_information"]["name"]], 35),
        ([MANIFEST["display_information"]["description"]], 140),
        ([MANIFEST["features"]["bot_user"]["display_name"]], 80),
        ([one["name"] for one in MANIFEST["features"]["shortcuts"]], 24),
        ([one["description"] for one in MANIFEST["features"]["shortcuts"]], 150),
        ([one["callback_id"] for one in MANIFEST["features"]["shortcuts"]], 255),
        ([one["command"] for one in MANIFEST["features"]["slash_commands"]], 32),
        ([one["description"] for one in MANIFEST["features"]["slash_commands"]], 2_000),
        ([one["usage_hint"] for one in MANIFEST["features"]["slash_commands"]], 1_000),
    ],
)
def test_texts_keep_to_slacks_limits(texts: list[str], most: int) -> None:
    assert all(0 < len(text) <= most for text in texts)


def test_shapes_keep_to_slacks_schema() -> None:
    assert MANIFEST.keys() <= {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert re.fullmatch(r"#[0-9a-fA-F]{3,6}", MANIFEST["display_information"]["background_color"])
    assert len(MANIFEST["features"]["shortcuts"]) <= 10
    assert all(one["command"].startswith("/") for one in MANIFEST["features"]["slash_commands"])
    assert MANIFEST["features"].keys() <= {
        "app_home",
        "bot_user",
        "shortcuts",
        "slash_commands",
        "unfurl_domains",
    }
    assert MANIFEST["settings"].keys() <= {
        "allowed_ip_address_ranges",
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    }
    for listed in (
        MANIFEST["oauth_config"]["scopes"]["bot"],
        MANIFEST["settings"]["event_subscriptions"]["bot_events"],
    ):
        assert listed == sorted(set(listed))
