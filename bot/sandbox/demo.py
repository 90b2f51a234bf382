"""`memalign demo`: the real bot in the embedded workspace, on recorded traces, with models that need no key."""

import asyncio
import json
import logging
import os
import shutil
import sys
import webbrowser
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from bot.app import Bot, Pace, running_bot
from bot.cli.run import stop_signal
from bot.config import Secrets, Settings, load_settings
from bot.sandbox.recordings import INSTRUCTIONS, JUDGE, Recording, recordings
from bot.sandbox.records import Command, Payload, User
from bot.sandbox.replay import Outcome, Replay, Score
from bot.sandbox.server import SlackServer
from bot.sandbox.workspace import Workspace
from memalign.errors import SettingsError
from storage.lock import is_held

log = logging.getLogger(__name__)

CHANNEL = "answers-the-question"
FIRST_CARDS = 12
"""Cards in the channel when the page opens."""
HELD_OUT = 100
"""Recordings that only measure; nobody answers them by the button."""
MOST = 180
DEFAULT_FOLDER = Path(".demo")
MARK = "# Made by `memalign demo`; this folder is the demo's."
SHORTCUTS = {"correct_verdict": "Correct this verdict", "forget_trace": "Forget this trace"}
COMMAND = Command(
    command="/memalign",
    description="See what the judge has learned, or take it back",
    usage_hint="guidelines | forget <trace or link> | status | digest | help",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The workspace set up for the demo."""

    workspace: Workspace
    channel: str
    annotators: Mapping[str, User]


async def demo(options: Namespace) -> None:
    """Run the demo until Ctrl-C; with `--replay`, until the table of before and after is printed."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if options.replay is not None and not 1 <= options.replay <= MOST:
        raise SettingsError(
            f"--replay takes a number from 1 to {MOST}; the other recordings are there to measure."
        )
    folder = prepare_folder(options.data)
    stage = set_stage(folder)
    settings = write_settings(folder, stage.channel)
    stop = stop_signal()
    pressed: asyncio.Queue[str] = asyncio.Queue()
    server = SlackServer(
        stage.workspace, port=options.port, commands=[COMMAND], shortcuts=SHORTCUTS, on_demo=pressed.put
    )
    try:
        await server.start()
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on port {options.port} ({error.strerror or error}); "
            "stop what uses it, or choose another: memalign demo --port 8123, or make demo PORT=8123."
        ) from error
    secrets = Secrets(bot_token=server.bot_token, app_token=server.app_token, api_url=server.api_url)
    keeping = asyncio.create_task(keep_workspace(stage.workspace, folder))
    try:
        async with running_bot(settings, secrets, Pace(post_seconds=0.0, quiet_seconds=0.3)) as bot:
            if options.replay is not None:
                await replay_in_terminal(bot, stage, options.replay)
            else:
                await Show(bot, stage, server, pressed).run(stop, browse=not options.no_browser)
    finally:
        keeping.cancel()
        save_workspace(stage.workspace, folder)
        await server.stop()


def prepare_folder(named: Path | None) -> Path:
    """The demo's folder: the one named, to go on from; else a fresh one here. Raises `SettingsError`."""
    folder = named or DEFAULT_FOLDER
    try:
        if folder.exists() and any(folder.iterdir()) and not _is_ours(folder):
            raise SettingsError(f"{folder} is not empty and not a demo's folder; name another with --data.")
        if (folder / "store").exists() and is_held(folder / "store"):
            raise SettingsError(
                f"Another demo is at work in {folder}; stop it, or name another folder: memalign demo --data DIR."
            )
        if named is None and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memalign.toml").touch()
    except OSError as error:
        raise SettingsError(
            f"The demo's folder {folder} cannot be used ({error.strerror}); name another with --data."
        ) from error
    return folder


def _is_ours(folder: Path) -> bool:
    with suppress(OSError):
        return (folder / "memalign.toml").read_text(encoding="utf-8").startswith(MARK)
    return False


def write_settings(folder: Path, channel: str) -> Settings:
    """Write the demo's settings, so that other commands work on its data, and read them like anybody's."""
    file = folder / "memalign.toml"
    file.write_text(
        f"""{MARK}
[storage]
path = "store"

[memory]
reflection_lm = "local:/extract"
embedding_model = "local:/wordllama"

[[judges]]
name = "{JUDGE}"
channel = "{channel}"
model = "local:/cases"
feedback_value_type = "bool"
instructions = "{INSTRUCTIONS}"

[sampling]
rate = 1.0
max_per_day = 100000

[ingest]
port = 0
""",
        encoding="utf-8",
    )
    return load_settings(file)


def set_stage(folder: Path) -> Stage:
    """The workspace as it was left in the folder, or a new one with its people and its channel."""
    kept = folder / "workspace.json"
    if kept.exists():
        try:
            workspace = Workspace.load(json.loads(kept.read_text(encoding="utf-8")))
        except (ValueError, OSError) as error:
            raise SettingsError(f"{kept} cannot be read ({error}); delete {folder} to start anew.") from error
    else:
        workspace = Workspace("Memalign demo")
    users = {user.name: user for user in workspace.users.values()}
    if "you" not in users:
        for name, real_name in (("you", "You"), *((f"annotator_{n}", f"Annotator {n}") for n in (1, 2, 3))):
            users[name] = workspace.add_user(name, real_name=real_name)
        workspace.add_channel(CHANNEL, members=[user.id for name, user in users.items() if not user.is_bot])
    channel = next(one for one in workspace.channels.values() if one.name == CHANNEL)
    annotators = {name: user for name, user in users.items() if name.startswith("annotator_")}
    return Stage(workspace=workspace, channel=channel.id, annotators=annotators)


async def keep_workspace(workspace: Workspace, folder: Path) -> None:
    """Save the workspace every few seconds, so that it outlives a crash as the bot's data does."""
    while True:
        await asyncio.sleep(2)
        await asyncio.to_thread(_write, folder, json.dumps(workspace.dump()))


def save_workspace(workspace: Workspace, folder: Path) -> None:
    """Save the workspace now."""
    _write(folder, json.dumps(workspace.dump()))


def _write(folder: Path, text: str) -> None:
    fresh = folder / "workspace.json.new"
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(folder / "workspace.json")


async def replay_in_terminal(bot: Bot, stage: Stage, number: int) -> None:
    """Let people answer so many traces; print the table."""
    all_of_them = recordings()
    replay = Replay(bot, stage.workspace, stage.channel, stage.annotators, all_of_them[number:])
    bar = tqdm(total=number, unit="trace", desc="people answer", disable=not sys.stderr.isatty())

    async def tell(done: int, total: int, outcome: Outcome | None) -> None:
        bar.update(done - bar.n)
        if bar.disable and outcome:
            print(f"{done} of {total} answered: {in_words(outcome.after)}", flush=True)

    try:
        outcome = await replay.run(all_of_them[:number], tell)
    finally:
        bar.close()
    print("\n" + table_text(outcome))


class Show:
    """The demo with its page."""

    def __init__(self, bot: Bot, stage: Stage, server: SlackServer, pressed: asyncio.Queue[str]) -> None:
        everything = recordings()
        self._bot = bot
        self._server = server
        self._pressed = pressed
        self._answered: Sequence[Recording] = everything[:-HELD_OUT]
        self._replay = Replay(bot, stage.workspace, stage.channel, stage.annotators, everything[-HELD_OUT:])
        self._running = False
        self._done = 0
        self._outcome: Outcome | None = None

    async def run(self, stop: asyncio.Event, *, browse: bool) -> None:
        """Show the first cards, and wait."""
        await self._server.connected()
        await self._replay.send(self._answered[:FIRST_CARDS])
        await self.show()
        print(f"The demo is at {self._server.url} (Ctrl-C ends it).", flush=True)
        if browse and has_screen():
            webbrowser.open(self._server.url)
        async with asyncio.TaskGroup() as tasks:
            at_work = [tasks.create_task(self._watch()), tasks.create_task(self._buttons())]
            await stop.wait()
            for task in at_work:
                task.cancel()

    async def _buttons(self) -> None:
        """The page has one: let the recorded people answer. Pressed again meanwhile, it changes nothing."""
        while True:
            await self._pressed.get()
            await self._let_them_answer()
            while not self._pressed.empty():
                self._pressed.get_nowait()

    async def _let_them_answer(self) -> None:
        self._running = True

        async def tell(done: int, _: int, outcome: Outcome | None) -> None:
            self._done, self._outcome = done, outcome or self._outcome
            await self.show()

        try:
            await self._replay.run(self._answered, tell)
        except Exception:
            log.exception("the recorded people could not go on")
        self._running = False
        await self.show()

    async def _watch(self) -> None:
        """Measure again whenever the judge has learned something from a person at the page."""
        seen = self._bot.memories[JUDGE].version
        while True:
            await asyncio.sleep(1)
            version = self._bot.memories[JUDGE].version
            if version != seen and not self._running:
                seen = version
                self._outcome = await self._replay.measure(self._done)
                await self.show()

    async def show(self) -> None:
        """Tell the page how things stand."""
        memory = self._bot.memories[JUDGE]
        outcome = self._outcome or await self._replay.measure(0)
        self._server.set_demo(
            {
                "title": "Real answers, judged by a model that learns",
                "replay": {
                    "label": "Let the recorded people answer",
                    "name": "replay",
                    "running": self._running,
                    "done": self._done,
                    "total": len(self._answered),
                },
                "meters": _meters(len(memory.episodes), len(memory.guidelines), outcome),
                "table": _table(outcome) if self._done and not self._running else None,
            }
        )


def _meters(cases: int, guidelines: int, outcome: Outcome) -> list[Payload]:
    hint = (
        f"Share of {outcome.after.n} other answers on which the judge says what most people said; "
        "nobody's feedback on these was learned"
    )
    return [
        {"label": "Cases remembered", "value": str(cases), "hint": "Answers that people voted on"},
        {"label": "Guidelines", "value": str(guidelines), "hint": "Rules distilled from people's reasons"},
        {"label": "Agreement at first", "value": f"{outcome.before.agreement:.0%}", "hint": hint},
        {"label": "Agreement now", "value": f"{outcome.after.agreement:.0%}", "hint": hint},
    ]


def _rows(outcome: Outcome) -> list[list[str]]:
    named = (
        ("before", outcome.before),
        ("after", outcome.after),
        ("a judge that passes all", outcome.always_pass),
    )
    return [
        [name, f"{score.agreed} of {score.n}", f"{score.agreement:.1%}", _kappa(score)]
        for name, score in named
    ]


COLUMNS = ["judge", "agrees with people", "agreement", "Cohen's kappa"]


def _note(outcome: Outcome) -> str:
    return (
        f"{outcome.answered} traces answered, {outcome.guidelines} guidelines. Measured on {outcome.after.n} other "
        "traces, the same before and after; nothing was learned from what people said of these."
    )


def _table(outcome: Outcome) -> Payload:
    return {"title": "Before and after", "columns": COLUMNS, "rows": _rows(outcome), "note": _note(outcome)}


def table_text(outcome: Outcome) -> str:
    """The table of before and after, for a terminal."""
    rows = [COLUMNS, *_rows(outcome)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", _note(outcome)])


def in_words(score: Score) -> str:
    """A score in a line."""
    return f"agreement {score.agreement:.1%} on {score.n} other traces, kappa {_kappa(score)}"


def _kappa(score: Score) -> str:
    return "none (one class only)" if score.kappa is None else f"{score.kappa:.2f}"


def has_screen() -> bool:
    """Whether there is somewhere to open a browser."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
