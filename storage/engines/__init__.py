"""The engines under the documents: bytes on a disk, transactions and order. One so far.

The seam a further engine has to fill is what `storage.documents` and `storage.database` call on `SqliteEngine`:

- `transaction` and `snapshot`: all or nothing for writes, one unchanging state for reads;
- rows by key: `read`, `insert`, `replace`, `delete`, `items`, `count`, `clear`, each with a position that grows
  in order of adding;
- rows by declared index: `add_entry` and `remove_entry`, and `range` over keys or over an index's entries;
- a queue to take leases from: `storage.queue` reads the head of the index `ready` inside a transaction; an engine
  that several processes write to locks the rows it reads there (`FOR UPDATE SKIP LOCKED`);
- `vacuum`, `copy` and `close`, and opening by what the settings name.

Keys are text in order of code points (NUL and lone surrogates included), bodies are bytes.
"""
