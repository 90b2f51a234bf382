"""`memalign demo`: the real bot in the embedded workspace, on recorded traces, with models that need no key."""

import asyncio
import logging
import os
import sys
import webbrowser
from argparse import Namespace
from collections.abc import Sequence

from tqdm import tqdm

from bot.app import Bot, Timing, running_bot
from bot.cli.run import stop_signal
from bot.config import Secrets
from bot.sandbox.demo.folder import (
    DemoWorkspace,
    open_demo_workspace,
    prepare_folder,
    save_periodically,
    save_workspace,
    write_settings,
)
from bot.sandbox.demo.recordings import JUDGE, Recording, recordings
from bot.sandbox.demo.replay import Outcome, Replay
from bot.sandbox.demo.scoreboard import in_words, meters, table, table_text
from bot.sandbox.server import SlackServer
from bot.sandbox.workspace.records import Command
from memalign.errors import SettingsError

log = logging.getLogger(__name__)

FIRST_CARDS = 12
"""Cards in the channel when the page opens."""
HELD_OUT_RECORDINGS = 100
"""Recordings that only measure; nobody answers them by the button."""
MAX_REPLAYED = 180
SHORTCUTS = {"correct_verdict": "Correct this verdict", "forget_trace": "Forget this trace"}
COMMAND = Command(
    command="/memalign",
    description="See what the judge has learned, or take it back",
    usage_hint="guidelines | forget <trace or link> | status | digest | help",
)


async def demo(options: Namespace) -> None:
    """Run the demo until Ctrl-C; with `--replay`, until the table of before and after is printed."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    if options.replay is not None and not 1 <= options.replay <= MAX_REPLAYED:
        raise SettingsError(
            f"--replay takes a number from 1 to {MAX_REPLAYED}; the other recordings are there to measure."
        )
    folder = prepare_folder(options.data)
    demo_workspace = open_demo_workspace(folder)
    settings = write_settings(folder, demo_workspace.channel)
    stop = stop_signal()
    pressed: asyncio.Queue[str] = asyncio.Queue()
    server = SlackServer(
        demo_workspace.workspace,
        port=options.port,
        commands=[COMMAND],
        shortcuts=SHORTCUTS,
        on_demo=pressed.put,
    )
    try:
        await server.start()
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on port {options.port} ({error.strerror or error}); "
            "stop what uses it, or choose another: memalign demo --port 8123, or make demo PORT=8123."
        ) from error
    secrets = Secrets(bot_token=server.bot_token, app_token=server.app_token, api_url=server.api_url)
    keeping = asyncio.create_task(save_periodically(demo_workspace.workspace, folder))
    try:
        async with running_bot(settings, secrets, Timing(post_seconds=0.0, quiet_seconds=0.3)) as bot:
            if options.replay is not None:
                await replay_in_terminal(bot, demo_workspace, options.replay)
            else:
                await DemoPage(bot, demo_workspace, server, pressed).run(stop, browse=not options.no_browser)
    finally:
        keeping.cancel()
        save_workspace(demo_workspace.workspace, folder)
        await server.stop()


async def replay_in_terminal(bot: Bot, demo_workspace: DemoWorkspace, number: int) -> None:
    """Let people answer so many traces; print the table."""
    all_of_them = recordings()
    replay = Replay(
        bot, demo_workspace.workspace, demo_workspace.channel, demo_workspace.annotators, all_of_them[number:]
    )
    bar = tqdm(total=number, unit="trace", desc="people answer", disable=not sys.stderr.isatty())

    async def report(done: int, total: int, outcome: Outcome | None) -> None:
        bar.update(done - bar.n)
        if bar.disable and outcome:
            print(f"{done} of {total} answered: {in_words(outcome.after)}", flush=True)

    try:
        outcome = await replay.run(all_of_them[:number], report)
    finally:
        bar.close()
    print("\n" + table_text(outcome))


class DemoPage:
    """The demo with its page."""

    def __init__(
        self, bot: Bot, demo_workspace: DemoWorkspace, server: SlackServer, pressed: asyncio.Queue[str]
    ) -> None:
        everything = recordings()
        self._bot = bot
        self._server = server
        self._pressed = pressed
        self._answered: Sequence[Recording] = everything[:-HELD_OUT_RECORDINGS]
        self._replay = Replay(
            bot,
            demo_workspace.workspace,
            demo_workspace.channel,
            demo_workspace.annotators,
            everything[-HELD_OUT_RECORDINGS:],
        )
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

        async def report(done: int, _: int, outcome: Outcome | None) -> None:
            self._done, self._outcome = done, outcome or self._outcome
            await self.show()

        try:
            await self._replay.run(self._answered, report)
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
        """ReportProgress the page how things stand."""
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
                "meters": meters(len(memory.episodes), len(memory.guidelines), outcome),
                "table": table(outcome) if self._done and not self._running else None,
            }
        )


def has_screen() -> bool:
    """Whether there is somewhere to open a browser."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
