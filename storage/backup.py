"""Restoring a store from a backup."""

import asyncio
from pathlib import Path

from storage import engines


async def restore(file: Path, location: engines.Location) -> None:
    """Bring a backup back to where no store is yet. Raises `StorageError`; a store that is there stays."""
    await asyncio.to_thread(engines.restore, file, location)
