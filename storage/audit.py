"""The audit log, and when the bot first ran."""

from memalign.serialization import from_document, to_document
from storage.document_forms import fields_form
from storage.documents import Document
from storage.keys import below, key, stamp
from storage.records import AuditLine
from storage.repository import Repository, Store, reads, writes

# actions that earlier versions noted have other names
_LINE_FORM = fields_form(at_ms=int, what=str, judge=str, person=str | None, ids=list[str])


class Audit(Repository):
    """Audit lines. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._lines = store.documents.declare("audit", form=_LINE_FORM)
        self._moments = store.documents.declare("moments", form=fields_form(at_ms=int))

    def write(self, line: AuditLine) -> None:
        """Add a line."""
        last = self._lines.range(*below(stamp(line.at_ms)), limit=1, order="down")
        number = int(last[0].doc_id.rpartition("\x00")[2]) + 1 if last else 0
        self._lines.insert(Document(to_document(line), key(stamp(line.at_ms), stamp(number))))

    add = writes(write)

    @reads
    def between(self, start_ms: int, end_ms: int) -> list[AuditLine]:
        """Return lines from `start_ms` up to, but without, `end_ms`, oldest first."""
        return [from_document(AuditLine, body) for body in self._lines.range(stamp(start_ms), stamp(end_ms))]

    async def first_start_ms(self, now_ms: int) -> int:
        """Return when this store's bot first ran: `now_ms` if that is now, or the clock was ahead then."""
        known = await self._first_start()
        if known is not None and known <= now_ms:
            return known
        await self._put_first_start(now_ms)
        return now_ms

    @reads
    def _first_start(self) -> int | None:
        first_start = self._moments.get(doc_id="first_start")
        return None if first_start is None else int(first_start["at_ms"])

    @writes
    def _put_first_start(self, at_ms: int) -> None:
        self._moments.upsert(Document({"at_ms": at_ms}, "first_start"))
