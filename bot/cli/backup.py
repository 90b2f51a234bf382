"""`memalign backup` and `memalign restore`: carrying a store away, also while the bot runs, and bringing it back."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

from bot.config import load_environment, load_settings
from memalign.errors import StorageError
from storage.backup import restore as restore_into
from storage.database import Database

SHOWN_EVERY = 0.2


async def backup(options: Namespace) -> None:
    """Write a copy of the store to a file that is not there yet."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    file: Path = options.file
    _check_place(file)
    async with await Database.open(settings.data, read_only=True) as database:
        await _shown(asyncio.ensure_future(database.backup(file)), file)
    print(
        f"The store in {settings.data} is copied to {file} ({_size(file)}); it holds people's words: keep it safe."
    )


async def restore(options: Namespace) -> None:
    """Bring a backup back into the settings' data folder, which must hold no store."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    await _shown(asyncio.ensure_future(restore_into(options.file, settings.data)), settings.data)
    print(f"The backup {options.file} is restored into {settings.data}; start the bot with memalign run.")


def _check_place(file: Path) -> None:
    if file.exists():
        raise StorageError(f"There is a file {file} already: name another one, or move that one away.")
    if not file.parent.is_dir():
        raise StorageError(f"There is no folder {file.parent}: make it, or name another place.")


async def _shown(work: "asyncio.Future[None]", place: Path) -> None:
    """Wait for the copy; on a terminal, show how it grows."""
    while not work.done() and sys.stderr.isatty():
        await asyncio.wait([work], timeout=SHOWN_EVERY)
        sys.stderr.write(f"\r{_size(place)} \033[K")
        sys.stderr.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    await work


def _size(place: Path) -> str:
    """How much a file and what stands beside it under its name, or a folder, holds so far."""
    files = place.iterdir() if place.is_dir() else place.parent.glob(f"{place.name}*")
    return f"{sum(file.stat().st_size for file in files if file.is_file()) / 1_000_000:.1f} MB"
