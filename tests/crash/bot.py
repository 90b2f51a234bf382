"""`memalign run` with shorter pauses: the process that the crash test kills."""

import asyncio
import logging
import sys
from pathlib import Path

from bot.app import Timing, running_bot
from bot.cli.run import stop_signal
from bot.config import Secrets, load_settings

HURRY = Timing(post_seconds=0.0, settle_seconds=0.5, quiet_seconds=0.1, card_seconds=0.0)


async def main(config: Path) -> None:
    """Run until SIGTERM; say when it runs."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = stop_signal()
    async with running_bot(load_settings(config), Secrets.from_environment(), HURRY):
        print("runs", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
