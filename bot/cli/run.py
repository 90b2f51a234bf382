"""`memalign run`: the bot against Slack, until it is told to stop."""

import asyncio
import signal
from argparse import Namespace
from contextlib import suppress

from bot.app import Timing, running_bot
from bot.cli.logs import configure_logging
from bot.cli.terminal import print_text
from bot.config import Secrets, Settings, load_environment, load_settings


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
    stopping.cancel()
    if not started.is_set():  # there is nothing to bring to an end yet
        serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _serve(settings: Settings, stop: asyncio.Event, started: asyncio.Event) -> None:
    async with running_bot(settings, Secrets.from_environment(), Timing()) as bot:
        started.set()
        print_text(f"memalign runs; it takes traces at {bot.url}/traces. Ctrl-C stops it.")
        await stop.wait()


def stop_signal() -> asyncio.Event:
    """An event that is set by SIGTERM and by Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
