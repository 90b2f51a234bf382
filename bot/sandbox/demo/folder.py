"""The demo's folder: settings, workspace and the bot's data, from which a later run can continue."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.config import Settings, load_settings
from bot.sandbox.demo.recordings import INSTRUCTIONS, JUDGE
from bot.sandbox.workspace.records import User
from bot.sandbox.workspace.workspace import Workspace
from memalign.atomic_file import replace_file
from memalign.errors import SettingsError
from storage.database import Database

CHANNEL = "answers-the-question"
DEFAULT_FOLDER = Path(".demo")
SETTINGS_HEADER = "# Made by `memalign demo`; this folder is the demo's."


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWorkspace:
    """The workspace of the demo: its channel's id, and the user of each recorded annotator."""

    workspace: Workspace
    channel: str
    annotators: Mapping[str, User]


def prepare_folder(named: Path | None) -> Path:
    """Return the demo's folder, created where it is missing.

    Args:
        named: a folder whose demo is continued; None empties and uses DEFAULT_FOLDER.

    Raises:
        SettingsError: when the folder cannot be used or belongs to something else.

    """
    folder = named or DEFAULT_FOLDER
    try:
        if folder.exists() and any(folder.iterdir()) and not _belongs_to_demo(folder):
            raise SettingsError(f"{folder} is not empty and not a demo's folder; name another with --data.")
        if (folder / "store").exists() and Database.is_in_use(folder / "store"):
            raise SettingsError(
                f"Another demo is at work in {folder}; stop it, or name another folder: memalign demo --data DIR."
            )
        if named is None and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memalign.toml").touch()
        for leftover in folder.glob("workspace.json.*.part"):  # of a demo that was killed while it saved
            leftover.unlink()
    except OSError as error:
        raise SettingsError(
            f"The demo's folder {folder} cannot be used ({error.strerror}); name another with --data."
        ) from error
    return folder


def _belongs_to_demo(folder: Path) -> bool:
    with suppress(OSError):
        return (folder / "memalign.toml").read_text(encoding="utf-8").startswith(SETTINGS_HEADER)
    return False


def write_settings(folder: Path, demo_workspace: DemoWorkspace) -> Settings:
    """Write the demo's settings as a file, so that other commands work on its data, and load them."""
    file = folder / "memalign.toml"
    people = [user.id for user in demo_workspace.workspace.users.values() if not user.is_bot]
    file.write_text(
        f"""{SETTINGS_HEADER}
[storage]
path = "store"

[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"

[[judges]]
name = "{JUDGE}"
channel = "{demo_workspace.channel}"
model = "local:/cases"
feedback_value_type = "bool"
instructions = "{INSTRUCTIONS}"

[sampling]
rate = 1.0
max_per_day = 100000

[access]
forget = {json.dumps(people)}

[ingest]
port = 0
""",
        encoding="utf-8",
    )
    # the demo has a store of its own, whatever the environment names for the bot
    return load_settings(file, environment={})


def open_demo_workspace(folder: Path) -> DemoWorkspace:
    """Return the workspace saved in the folder, or a new one with its people and its channel."""
    file = folder / "workspace.json"
    if file.exists():
        try:
            workspace = Workspace.load(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, OSError) as error:
            raise SettingsError(f"{file} cannot be read ({error}); delete {folder} to start anew.") from error
    else:
        workspace = Workspace("Memalign demo")
    users = {user.name: user for user in workspace.users.values()}
    if "you" not in users:
        for name, real_name in (("you", "You"), *((f"annotator_{n}", f"Annotator {n}") for n in (1, 2, 3))):
            users[name] = workspace.add_user(name, real_name=real_name)
        workspace.add_channel(CHANNEL, members=[user.id for name, user in users.items() if not user.is_bot])
    channel = next(known for known in workspace.channels.values() if known.name == CHANNEL)
    annotators = {name: user for name, user in users.items() if name.startswith("annotator_")}
    return DemoWorkspace(workspace=workspace, channel=channel.id, annotators=annotators)


async def save_periodically(workspace: Workspace, folder: Path) -> None:
    """Save the workspace every two seconds, so that it survives a crash as the bot's data does."""
    while True:
        await asyncio.sleep(2)
        await asyncio.to_thread(replace_file, folder / "workspace.json", json.dumps(workspace.dump()))


def save_workspace(workspace: Workspace, folder: Path) -> None:
    """Save the workspace in the folder, replacing the file in one step."""
    replace_file(folder / "workspace.json", json.dumps(workspace.dump()))
