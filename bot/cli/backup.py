"""`memalign backup` and `memalign restore`: copy the store to a file, also while the bot runs, and bring it back."""

import asyncio
from argparse import Namespace
from functools import partial
from pathlib import Path

from bot.cli.progress import wait_showing_size
from bot.cli.terminal import print_text
from bot.config import load_environment, load_settings
from memalign.errors import StorageError
from storage.backup import restore as restore_into
from storage.database import Database
from storage.engines import Location


async def backup(options: Namespace) -> None:
    """Write a copy of the store to a new file. Raises `StorageError` if the file exists or cannot be written."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    file: Path = options.file
    _refuse_unusable_place(file, settings.data)
    async with await Database.open(settings.data, read_only=True) as database:
        await wait_showing_size(
            asyncio.ensure_future(database.backup(file)), partial(Database.copy_size, file)
        )
    print_text(
        f"The store in {settings.data} is copied to {file} ({Database.copy_size(file) / 1_000_000:.1f} MB); "
        "it holds people's words: keep it safe."
    )


async def restore(options: Namespace) -> None:
    """Bring a backup back into the data folder of the settings, which must hold no store."""
    load_environment(options.config.parent)
    settings = load_settings(options.config, channels=False)
    restoring = asyncio.ensure_future(restore_into(options.file, settings.data))
    await wait_showing_size(restoring, partial(Database.size, settings.data))
    print_text(
        f"The backup {options.file} is restored into {settings.data}; start the bot with memalign run."
    )


def _refuse_unusable_place(file: Path, data: Location) -> None:
    if file.exists():
        raise StorageError(f"There is a file {file} already: name another one, or move that one away.")
    if not file.parent.is_dir():
        raise StorageError(f"There is no folder {file.parent}: make it, or name another place.")
    Database.refuse_copy_inside(data, file)
