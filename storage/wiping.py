"""Getting rid of the last bytes of what was erased; what could not be done at once is remembered."""

from storage import engine
from storage.documents import Documents


class Wiping:
    """The debt of a wipe, which lives in the store and so outlives a crash."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._debts = documents.shelf("debts")

    def owe(self) -> None:
        """Note, in the transaction that erases, that bytes stay behind."""
        self._debts.put("wipe", {})

    def settle(self) -> bool:
        """Wipe if that is owed; False while another process reads. Not for use inside a transaction."""
        if not self._debts.has("wipe"):
            return True
        if not engine.wipe(self._documents.store.connection):
            return False
        self._debts.discard("wipe")
        return True
