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

from bot.cli.check import SCOPES
from bot.sandbox.demo.demo import COMMAND, SHORTCUTS
from memalign.records import Json

ROOT = Path(__file__).parents[1]
CODE = sorted(file for file in (ROOT / "bot").rglob("*.py") if "sandbox" not in file.relative_to(ROOT).parts)
MANIFEST: Json = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))

CALLS = {
    "apps.connections.open": (),
    "auth.test": (),
    "bots.info": ("users:read",),
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
    "views.update": (),
}
"""Web API method -> the bot scopes it needs, for public and private channels."""
EVENTS = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
}
"""Event -> the bot scopes it needs."""


def calls_in(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def called_methods() -> set[str]:
    """Return the Web API methods that the bot's code calls, such as `chat.postMessage`."""
    names = set()
    for call in (call for file in CODE for call in calls_in(file)):
        assert isinstance(call.func, ast.Attribute)
        name = call.func.attr
        owner = ast.unparse(call.func.value)
        if owner.endswith("client") and "_" in name and hasattr(AsyncWebClient, name):
            names.add(name.replace("_", "."))
    return names


def registered_names(kind: str) -> set[str]:
    """Return the names that listeners are registered for with `app.event`, `app.command` or `app.shortcut`."""
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


def requested_scopes() -> set[str]:
    return set(MANIFEST["oauth_config"]["scopes"]["bot"])


def subscribed_events() -> set[str]:
    return set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_the_code_calls_what_this_test_knows_of() -> None:
    assert called_methods() == CALLS.keys()


def test_each_event_has_its_listener_and_each_listener_its_event() -> None:
    assert {event.partition(".")[0] for event in subscribed_events()} == registered_names("event")
    assert subscribed_events() == EVENTS.keys()


def test_the_command_is_the_one_listened_to() -> None:
    commands = {command["command"] for command in MANIFEST["features"]["slash_commands"]}
    assert commands == registered_names("command") == {COMMAND.command}


def test_the_shortcuts_are_those_listened_to() -> None:
    shortcuts = {shortcut["callback_id"]: shortcut["name"] for shortcut in MANIFEST["features"]["shortcuts"]}
    assert shortcuts.keys() == registered_names("shortcut")
    assert shortcuts == SHORTCUTS
    assert {shortcut["type"] for shortcut in MANIFEST["features"]["shortcuts"]} == {"message"}


def test_no_scope_is_missing_and_none_is_too_much() -> None:
    needed = {scope for method in called_methods() for scope in CALLS[method]}
    needed |= {scope for event in subscribed_events() for scope in EVENTS[event]}
    needed.add("commands")
    assert requested_scopes() == needed
    assert set(SCOPES) == needed


def test_buttons_menus_and_modals_can_reach_the_bot() -> None:
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"] is True


@pytest.mark.parametrize(
    ("texts", "max_length"),
    [
        ([MANIFEST["display_information"]["name"]], 35),
        ([MANIFEST["display_information"]["description"]], 140),
        ([MANIFEST["features"]["bot_user"]["display_name"]], 80),
        ([shortcut["name"] for shortcut in MANIFEST["features"]["shortcuts"]], 24),
        ([shortcut["description"] for shortcut in MANIFEST["features"]["shortcuts"]], 150),
        ([shortcut["callback_id"] for shortcut in MANIFEST["features"]["shortcuts"]], 255),
        ([command["command"] for command in MANIFEST["features"]["slash_commands"]], 32),
        ([command["description"] for command in MANIFEST["features"]["slash_commands"]], 2_000),
        ([command["usage_hint"] for command in MANIFEST["features"]["slash_commands"]], 1_000),
    ],
)
def test_texts_keep_to_slacks_limits(texts: list[str], max_length: int) -> None:
    assert all(0 < len(text) <= max_length for text in texts)


def test_shapes_keep_to_slacks_schema() -> None:
    assert MANIFEST.keys() <= {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert re.fullmatch(r"#[0-9a-fA-F]{3,6}", MANIFEST["display_information"]["background_color"])
    assert len(MANIFEST["features"]["shortcuts"]) <= 10
    assert all(command["command"].startswith("/") for command in MANIFEST["features"]["slash_commands"])
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
    for names in (
        MANIFEST["oauth_config"]["scopes"]["bot"],
        MANIFEST["settings"]["event_subscriptions"]["bot_events"],
    ):
        assert names == sorted(set(names))
