"""A store on a disk whose fsync fails: `python -m tests.storage.fsync FOLDER SWITCH`, with `LIBRARY` loaded before.

While the file SWITCH exists, nothing can be brought to the disk for good. Prints what each of three writes said.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

from memalign.errors import StorageError
from storage.database import Database
from tests.storage.records import trace

ROOT = Path(__file__).parents[2]
COMPILER = shutil.which("cc")
LIBRARY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int failing(void) { return access(getenv("FSYNC_SWITCH"), F_OK) == 0; }

#define SYNC(name) \\
    int name(int file) { \\
        int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name); \\
        if (failing()) { errno = EIO; return -1; } \\
        return real(file); \\
    }

SYNC(fsync)
SYNC(fdatasync)
"""


def told_on_a_failing_disk(workshop: Path, folder: Path) -> list[str]:
    """Run this module with the library in place; what it printed."""
    assert COMPILER is not None
    source, library, switch = workshop / "fsync.c", workshop / "fsync.so", workshop / "switch"
    source.write_text(LIBRARY, encoding="utf-8")
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.storage.fsync", folder, switch],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(library), "FSYNC_SWITCH": str(switch)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()


async def write(folder: Path, switch: Path) -> None:
    """Write before, while and after the disk fails."""
    async with await Database.open(folder) as db:
        print(await db.traces.add([(trace("before"), [])], 1, 10))
        await asyncio.to_thread(switch.touch)
        try:
            print(await db.traces.add([(trace("while"), [])], 1, 10))
        except StorageError as error:
            print(error)
        await asyncio.to_thread(switch.unlink)
        print(await db.traces.get("while"))
        print(await db.traces.add([(trace("after"), [])], 1, 10))


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), Path(sys.argv[2])))
