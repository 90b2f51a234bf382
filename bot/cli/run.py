"""`memalign run`: the bot against Slack, until it is told to stop."""

import asyncio
import logging
import os
import signal
import threading
from argparse import Namespace
from contextlib import suppress

from bot.app import Timing, running_bot
from bot.cli.logs import configure_logging
from bot.cli.terminal import print_text
from bot.config import Secrets, Settings, load_environment, load_settings

log = logging.getLogger(__name__)

NOTICE_SECONDS = 2.0
"""Time in which balancers see that `/readyz` says no, before the port closes."""
FINISH_SECONDS = 4.0
"""Time in which work in hand, such as a call of a model, may come to its end."""
STOP_SECONDS = 9.5
"""Time after which a stop is no longer waited for; Docker kills after 10 s by itself, Kubernetes after 30 s."""


async def run(options: Namespace) -> None:
    """Run until SIGTERM or Ctrl-C."""
    load_environment(options.config.parent)
    settings = load_settings(options.config)
    configure_logging(settings.log)
    stop = stop_signal()
    started = asyncio.Event()
    serving = asyncio.create_task(_serve(settings, stop, started))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        end_in_time(STOP_SECONDS)
    stopping.cancel()
    if not started.is_set():  # there is nothing to bring to an end yet
        serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _serve(settings: Settings, stop: asyncio.Event, started: asyncio.Event) -> None:
    timing = Timing(notice_seconds=NOTICE_SECONDS, finish_seconds=FINISH_SECONDS)
    async with running_bot(settings, Secrets.from_environment(), timing) as bot:
        started.set()
        print_text(f"memalign runs; it takes traces at {bot.url}/traces. Ctrl-C stops it.")
        await stop.wait()
        log.info("stopping: no new work is taken, and what is in hand comes to its end")


def end_in_time(seconds: float) -> None:
    """End the process after that time, whatever still holds it up.

    A thread cannot be cancelled, and may hang in a lookup of a name or in a disk. What was acknowledged is stored.
    """

    def end() -> None:
        log.error("stopped before all work had ended: it did not end in time, and goes on at the next start")
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def stop_signal() -> asyncio.Event:
    """An event that is set by SIGTERM and by Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
