"""The engines under the documents: bytes on a disk, transactions and order. One so far, SQLite in a folder.

This package is the seam: the rest of storage imports from here, and never a module or a library of an engine.
Another engine is chosen here, by what the settings name under `[storage]`, and brings:

- a class with the methods of `Engine`: `transaction` and `snapshot` (all or nothing for writes, one unchanging
  state for reads); rows by key, each with a position that grows in order of adding; rows by declared index;
  `version`, `changes`, `check_files`, `vacuum`, `copy` and `close`; `translate_errors`, for its own errors;
- `open_engine`, which also takes the store for the one process that writes, and `restore`;
- what can be asked of a store that is not open: `is_in_use`, `state_of`, `size_of`, `copy_size`, `refuse_inside`.

`storage.queue.Queue.take` reads the head of an index inside a transaction: an engine that several processes write
to locks the rows it reads there (`FOR UPDATE SKIP LOCKED`). Keys are text in order of code points (NUL and lone
surrogates included), bodies are bytes.
"""

from pathlib import Path

from storage.engines.sqlite import Order
from storage.engines.sqlite import SqliteEngine as Engine
from storage.engines.sqlite_file import SCHEMA_VERSION
from storage.engines.sqlite_opening import (
    copy_size,
    is_in_use,
    open_engine,
    refuse_inside,
    size_of,
    state_of,
)
from storage.engines.sqlite_restore import restore

Location = Path
"""Location from `[storage]` in the settings: a folder; a URL would take its place for an engine behind a network."""

__all__ = [
    "SCHEMA_VERSION",
    "Engine",
    "Location",
    "Order",
    "copy_size",
    "is_in_use",
    "open_engine",
    "refuse_inside",
    "restore",
    "size_of",
    "state_of",
]
