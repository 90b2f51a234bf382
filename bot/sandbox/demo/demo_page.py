"""The demo on its page: first cards, the button of the recorded people, and the measures above the channels."""

import asyncio
import logging
import os
import sys
import webbrowser
from collections.abc import Sequence

from bot.app import Bot
from bot.sandbox.demo.folder import DemoWorkspace
from bot.sandbox.demo.recordings import JUDGE, Recording, recordings
from bot.sandbox.demo.replay import Outcome, Replay
from bot.sandbox.demo.scoreboard import meters, table
from bot.sandbox.server import SlackServer

log = logging.getLogger(__name__)

FIRST_CARDS = 12
"""Cards in the channel when the page opens."""
HELD_OUT_RECORDINGS = 100
"""Recordings that serve only to measure; the button does not replay them."""


class DemoPage:
    """Runs the demo for a person at the page. `button_presses` queues the names of pressed demo buttons."""

    def __init__(
        self, bot: Bot, demo_workspace: DemoWorkspace, server: SlackServer, button_presses: asyncio.Queue[str]
    ) -> None:
        all_recordings = recordings()
        self._bot = bot
        self._server = server
        self._button_presses = button_presses
        self._replayed: Sequence[Recording] = all_recordings[:-HELD_OUT_RECORDINGS]
        self._replay = Replay(bot, demo_workspace, all_recordings[-HELD_OUT_RECORDINGS:])
        self._running = False
        self._done = 0
        self._outcome: Outcome | None = None

    async def run(self, stop: asyncio.Event, *, browse: bool) -> None:
        """Show the first cards and serve the page until `stop` is set; `browse` opens a browser."""
        await self._server.connected()
        await self._replay.send(self._replayed[:FIRST_CARDS])
        await self.show()
        print(f"The demo is at {self._server.url} (Ctrl-C ends it).", flush=True)
        if browse and has_screen():
            webbrowser.open(self._server.url)
        async with asyncio.TaskGroup() as tasks:
            workers = [
                tasks.create_task(self._measure_on_change()),
                tasks.create_task(self._replay_on_button()),
            ]
            await stop.wait()
            for task in workers:
                task.cancel()

    async def _replay_on_button(self) -> None:
        """Replay the recordings at each press of the button; presses during a replay are ignored."""
        while True:
            await self._button_presses.get()
            await self._run_replay()
            while not self._button_presses.empty():
                self._button_presses.get_nowait()

    async def _run_replay(self) -> None:
        self._running = True

        async def report(done: int, _: int, outcome: Outcome | None) -> None:
            self._done, self._outcome = done, outcome or self._outcome
            await self.show()

        try:
            await self._replay.run(self._replayed, report)
        except Exception:
            log.exception("the replay of the recorded people stopped")
        self._running = False
        await self.show()

    async def _measure_on_change(self) -> None:
        """Measure again whenever the judge has learned from a person at the page."""
        measured = self._bot.memories[JUDGE].version
        while True:
            await asyncio.sleep(1)
            version = self._bot.memories[JUDGE].version
            if version != measured and not self._running:
                measured = version
                self._outcome = await self._replay.measure(self._done)
                await self.show()

    async def show(self) -> None:
        """Show the present measures and the progress of the replay on the page."""
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
                    "total": len(self._replayed),
                },
                "meters": meters(len(memory.episodes), len(memory.guidelines), outcome),
                "table": table(outcome) if self._done and not self._running else None,
            }
        )


def has_screen() -> bool:
    """Tell whether a browser can be opened on this machine."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
