"""The tables in whose files bytes of deleted rows may be, as far as one process writes them."""

from storage.engines.postgres_rewrite import note_stale
from storage.engines.postgres_session import Connection


class StaleTables:
    """Notes them in the transaction that deletes, once for each rewrite; also those of transactions rolled back."""

    def __init__(self, schema: str) -> None:
        self._schema = schema
        self._known: set[str] = set()
        self._unnoted: set[str] = set()
        self._rewrites = -1
        self.written: set[str] = set()
        """Tables and indexes written in the transaction under way."""
        self.emptied: set[str] = set()
        """Of these, the ones in which bytes of rows stay behind."""

    def note(self, connection: Connection, rewrites: int) -> None:
        """Note, at the end of a transaction, what no one has noted since the last rewrite.

        Args:
            connection: that of the transaction.
            rewrites: how often tables were rewritten, as the transaction saw it.
        """
        if rewrites != self._rewrites:
            self._rewrites = rewrites
            self._known.clear()
        stale = (self.emptied | self._unnoted) - self._known
        if stale:
            note_stale(connection, self._schema, sorted(stale), rewrites)
            self._known |= stale

    def roll_back(self) -> None:
        """Remember what a transaction that is undone has left, to be noted with the next."""
        # those of earlier ones are among the known, if this one was to note them
        self._unnoted |= self.written | self._known
        self._known.clear()

    def end_transaction(self) -> None:
        """Begin anew with the next transaction."""
        self._unnoted -= self._known
        self.written.clear()
        self.emptied.clear()
