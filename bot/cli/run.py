"""`memalign run`: the bot against Slack, until it is told to stop."""

import asyncio
import logging
import signal
from argparse import Namespace

from bot.app import Pace, running_bot
from bot.config import Secrets, load_environment, load_settings


async def run(options: Namespace) -> None:
    """Run until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    load_environment(options.config.parent)
    settings = load_settings(options.config)
    stop = stop_signal()
    async with running_bot(settings, Secrets.from_environment(), Pace()) as bot:
        print(f"memalign runs; it takes traces at {bot.url}/traces. Ctrl-C stops it.", flush=True)
        await stop.wait()


def stop_signal() -> asyncio.Event:
    """An event that is set by SIGTERM and by Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
