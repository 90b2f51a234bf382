"""The page of slash commands, shortcuts and buttons, from the bot's help and the app's manifest."""

import re
from pathlib import Path

import yaml

from bot.blocks.commands import HELP
from memalign.records import Json
from reference.tables import code, table

MANIFEST = Path(__file__).parents[1] / "manifest.yml"
HELP_LINE = re.compile(r"^• (?P<calls>`/memalign.*?): (?P<meaning>.*)$", re.MULTILINE)


def slash_commands() -> list[tuple[str, str]]:
    """Return what can be typed after `/memalign`, each with its meaning, in the order of the help."""
    lines = [(match["calls"], match["meaning"]) for match in HELP_LINE.finditer(HELP)]
    return [(_plain(calls), _plain(meaning)) for calls, meaning in lines]


def slash_command_table() -> str:
    """Return a table of the slash commands."""
    return table(("type", "the bot"), slash_commands())


def message_menu() -> str:
    """Return a table of the entries that the app adds to the menu of messages."""
    entries = manifest()["features"]["shortcuts"]
    return table(("entry", "does"), [(f"*{each['name']}*", each["description"]) for each in entries])


def scopes_and_events() -> str:
    """Return what the app asks of a workspace."""
    scopes = ", ".join(map(code, manifest()["oauth_config"]["scopes"]["bot"]))
    events = ", ".join(map(code, manifest()["settings"]["event_subscriptions"]["bot_events"]))
    return (
        f"[manifest.yml](../../manifest.yml) asks for these scopes: {scopes}.\n\n"
        f"The bot listens to these events: {events}.\n"
    )


def manifest() -> dict[str, Json]:
    """Return the app's manifest."""
    document: dict[str, Json] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return document


def _plain(text: str) -> str:
    """Return text of Slack's markup as Markdown."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
