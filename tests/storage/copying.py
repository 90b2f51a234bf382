"""A backup or a restore to be killed: `python -m tests.storage.copying backup|restore FOLDER FILE`."""

import asyncio
import random
import sys
import time
from pathlib import Path
from subprocess import Popen

from storage.backup import restore
from storage.database import Database

ROOT = Path(__file__).parents[2]


async def copy(kind: str, folder: Path, file: Path) -> None:
    if kind == "restore":
        await restore(file, folder)
        return
    async with await Database.open(folder, read_only=True) as db:
        await db.backup(file)


def kill_copying(kind: str, folder: Path, file: Path, chance: random.Random) -> None:
    """Kill it at some instant after it began to write, or let it come to its end."""
    target = file if kind == "backup" else folder / "memalign.db"
    partial = target.with_name(target.name + ".partial")
    with Popen(
        [sys.executable, "-m", "tests.storage.copying", kind, str(folder), str(file)], cwd=ROOT
    ) as copying:
        while copying.poll() is None and not partial.exists():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.15))
        copying.kill()


if __name__ == "__main__":
    asyncio.run(copy(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
