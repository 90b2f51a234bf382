"""The demo on its page: first cards, the button of the recorded people, and the measures above the channels."""

import asyncio
import os
import sys
import webbrowser
from collections.abc import Sequence

from bot.app import Bot
from bot.runtime.health import log_bug
from bot.sandbox.demo.first_steps import FirstSteps, read_steps, steps_payload
from bot.sandbox.demo.recordings import JUDGE, Recording
from bot.sandbox.demo.replay import Outcome, Replay
from bot.sandbox.demo.scoreboard import meters, table
from bot.sandbox.server import SlackServer
from memalign.errors import MemAlignError

FIRST_CARDS = 12
"""Cards in the channel when the page opens."""


class DemoPage:
    """Runs the demo for a person at the page.

    Args:
        bot: the running bot.
        server: the workspace's server, which shows the page.
        button_presses: queues the names of pressed demo buttons.
        replay: the recorded people.
        replayed: the recordings that the button replays.

    """

    def __init__(
        self,
        bot: Bot,
        server: SlackServer,
        button_presses: asyncio.Queue[str],
        replay: Replay,
        replayed: Sequence[Recording],
    ) -> None:
        self._bot = bot
        self._server = server
        self._button_presses = button_presses
        self._replayed = replayed
        self._replay = replay
        self._running = False
        self._done = 0
        self._outcome: Outcome | None = None
        self._problem = ""
        self._steps: FirstSteps | None = None

    async def run(self, stop: asyncio.Event, *, browse: bool) -> None:
        """Show the first cards and serve the page until `stop` is set; `browse` opens a browser."""
        await self._server.connected()
        await self._replay.send(self._replayed[:FIRST_CARDS])
        await self.show()
        print(f"The demo is at {self._server.url} (Ctrl-C ends it).", flush=True)
        print(f"It takes traces at {self._bot.url}: POST /traces, and POST /v1/traces.", flush=True)
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
        self._running, self._problem = True, ""

        async def report(done: int, _: int, outcome: Outcome | None) -> None:
            self._done, self._outcome = done, outcome or self._outcome
            await self.show()

        try:
            await self._replay.run(self._replayed, report)
        except MemAlignError as error:
            self._problem = f"The recorded people stopped answering. {error}"
        except Exception:
            error_id = log_bug("the replay of the recorded people")
            self._problem = (
                f"The recorded people stopped answering: something went wrong (error {error_id} in the terminal). "
                "Press the button to go on."
            )
        self._running = False
        await self.show()

    async def _measure_on_change(self) -> None:
        """Measure again whenever the judge has learned from a person at the page."""
        measured = self._bot.memories[JUDGE].version
        while True:
            await asyncio.sleep(0.5)
            steps = await read_steps(self._bot, self._server.workspace)
            version = self._bot.memories[JUDGE].version
            if version != measured and not self._running:
                measured = version
                answered, left_out = (
                    (self._outcome.answered, self._outcome.left_out) if self._outcome else (0, 0)
                )
                self._outcome = await self._replay.measure(answered, left_out)
                await self.show()
            elif steps != self._steps and not (self._steps and self._steps.are_done):
                await self.show()

    async def show(self) -> None:
        """Show the present measures and the progress of the replay on the page."""
        memory = self._bot.memories[JUDGE]
        outcome = self._outcome or await self._replay.measure(0)
        if self._steps is None or not self._steps.are_done:
            self._steps = await read_steps(self._bot, self._server.workspace)
        self._server.set_demo(
            {
                "title": "Real answers, judged by a model that learns",
                "replay": {
                    "label": "Let the recorded people answer",
                    "name": "replay",
                    "running": self._running,
                    "done": self._done,
                    "total": len(self._replayed),
                    "finished": self._finished(),
                    "problem": self._problem,
                    "note": self._note(),
                },
                "steps": steps_payload(self._steps),
                "meters": meters(
                    len(memory.episodes), sum(rule.in_use for rule in memory.guidelines), outcome
                ),
                "table": table(outcome) if self._finished() else None,
            }
        )

    def _finished(self) -> str:
        """Return the words in place of the button, once all have answered."""
        if self._running or self._problem or self._done < len(self._replayed):
            return ""
        return "All the recorded people have answered"

    def _note(self) -> str:
        left_out = self._outcome.left_out if self._outcome else 0
        if not left_out:
            return ""
        traces = "trace that was" if left_out == 1 else "traces that were"
        return f"The recorded people left out {left_out} {traces} forgotten."


def has_screen() -> bool:
    """Tell whether a browser can be opened on this machine."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
