"""The work of connectors: how far each has read, and what is to be written to, or deleted in, its tool."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from memalign.serialization import from_document, to_document
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.keys import below, digest, key
from storage.records import AssessmentRow, ReadingPosition, StoredVerdict, TraceOrigin
from storage.remote_assessments import origin_under
from storage.repository import Repository, Store, reads, writes
from storage.trace_names import all_names
from storage.traces import Traces
from storage.verdicts import Verdicts


def own_id_of(verdict_id: str, person: str) -> str:
    """Return the id that an assessment of ours is known by: of a verdict, and of a person's vote on it.

    A verdict's id names judge and trace, and stays when the judge is renamed. Empty person: the judge itself.
    """
    return digest(key(verdict_id, person))[:32]


class Connectors(Repository):
    """Positions, marks and rows. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traces: Traces, verdicts: Verdicts) -> None:
        super().__init__(store)
        self._traces = traces
        self._verdicts = verdicts
        self._remote = traces.remote
        self._names = store.documents.declare("connector_names", form=fields_form(name=str))
        self._positions = store.documents.declare("reading_positions", form=form_of(ReadingPosition))

    # --- reading

    @reads
    def position(self, connector: str) -> ReadingPosition | None:
        """Return how far a connector has read; None before its first start."""
        body = self._positions.get(doc_id=connector)
        return None if body is None else from_document(ReadingPosition, body)

    @writes
    def move(self, connector: str, position: ReadingPosition) -> None:
        """Note how far a connector has read."""
        self._positions.upsert(Document(to_document(position), connector))

    async def claim(self, origins: Mapping[str, TraceOrigin]) -> set[str]:
        """Note where traces were found, before they are taken in; returns those that are to be read.

        A trace that was forgotten, or of which only a hash is kept, is left alone. One that came otherwise, be it
        under another of its names, is known from then on to be in the tool as well, so that its verdicts are written
        there; one whose spans still arrive is left to the next look.

        Args:
            origins: by trace id, as the tool has it.
        """
        unread, unclaimed = await self._compare(origins)
        if unclaimed:
            await self._note_origins(unclaimed)
        return unread

    @reads
    def _compare(self, origins: Mapping[str, TraceOrigin]) -> tuple[set[str], list[TraceOrigin]]:
        """Return the traces that were never taken in, and the origins that are to be noted."""
        unread = {trace_id for trace_id in origins if self._is_new(trace_id)}
        named = {trace_id: self._traces.stored_name(trace_id) for trace_id in origins}
        found = [
            origin_under(named[trace_id] or trace_id, origin)
            for trace_id, origin in origins.items()
            if trace_id in unread or named[trace_id] is not None
        ]
        return unread, [each for each in found if self._remote.find_origin(each.trace_id) is None]

    def _is_new(self, trace_id: str) -> bool:
        arrives = any(self._traces.open_spans.find(name) is not None for name in all_names(trace_id))
        return not arrives and not self._traces.is_known(trace_id)

    @writes
    def _note_origins(self, origins: Collection[TraceOrigin]) -> None:
        for origin in origins:
            self._remote.note_origin(origin)
            for stored in self._verdicts.find_of_trace(origin.trace_id):
                self._remote.mark(stored.verdict_id, origin.trace_id)

    @writes
    def disclaim(self, trace_ids: Collection[str]) -> None:
        """Let go of traces that were not taken in after all."""
        for trace_id in trace_ids:
            if not self._traces.has(trace_id):
                self._remote.drop_origin(trace_id)

    @reads
    def recent(
        self, connector: str, since_ms: int, before: str | None, limit: int
    ) -> list[tuple[str, TraceOrigin]]:
        """Return traces that a connector read since a time, newest first, each with the place to go on before."""
        return self._remote.recent_origins(connector, since_ms, before, limit)

    @reads
    def verdicts_of(self, trace_id: str) -> list[StoredVerdict]:
        """Return all judges' verdicts on a trace."""
        return self._verdicts.find_of_trace(trace_id)

    @reads
    def origin(self, trace_id: str) -> TraceOrigin | None:
        """Return the tool that a trace was read from; None for one that came otherwise."""
        return self._remote.find_origin(trace_id)

    # --- writing

    @reads
    def marked(self, connector: str, limit: int) -> list[tuple[str, int]]:
        """Return verdicts whose assessments may differ from the tool's, each with its mark; oldest first."""
        bodies = self._remote.marks.first(*below(connector), limit=limit)
        return [(body.doc_id, int(body["mark"])) for body in bodies]

    @writes
    def settle(self, verdict_id: str, mark: int, wanted: Collection[AssessmentRow]) -> None:
        """Let the rows of a verdict be as they should, unless it was marked again meanwhile.

        Args:
            verdict_id: the verdict.
            mark: the mark that `wanted` was derived at.
            wanted: the assessments that should stand in the tool; the others of the verdict are deleted there.
        """
        body = self._remote.marks.table.get(doc_id=verdict_id)
        if body is None or body["mark"] != mark:
            return
        known = {row.own_id: row for row in self._remote.of_verdict(verdict_id)}
        for row in wanted:
            before = known.pop(row.own_id, None)
            if before is None or before.state == "deleting":
                self._remote.put(replace(row, remote_id=None if before is None else before.remote_id))
            elif before.content_hash != row.content_hash:
                self._remote.put(replace(row, remote_id=before.remote_id))
        for row in known.values():
            self._remote.put(row.to_be_deleted())
        self._remote.drop_mark(verdict_id)

    @writes
    def pass_over(self, verdict_id: str, mark: int) -> None:
        """Leave what was written of a verdict as it is, unless it was marked again meanwhile."""
        body = self._remote.marks.table.get(doc_id=verdict_id)
        if body is not None and body["mark"] == mark:
            self._remote.drop_mark(verdict_id)

    async def due(self, connector: str, now_ms: int, limit: int) -> list[AssessmentRow]:
        """Return assessments that are to be written or deleted and are not put off; oldest first."""
        await self._release_due(self._remote.rows, now_ms)
        return await self._first(connector, limit)

    @reads
    def _first(self, connector: str, limit: int) -> list[AssessmentRow]:
        bodies = self._remote.rows.first(*below(connector), limit=limit)
        return [from_document(AssessmentRow, body) for body in bodies]

    @writes
    def written(self, row: AssessmentRow, remote_id: str) -> None:
        """Note that an assessment stands in the tool; what was wanted of it since is still to be done."""
        current = self._remote.find(row.own_id)
        if current is not None:
            is_done = current.state == "due" and current.content_hash == row.content_hash
            state = "done" if is_done else current.state
            self._remote.put(replace(current, remote_id=remote_id, state=state, attempts=0, reason=None))

    @writes
    def deleted(self, row: AssessmentRow) -> None:
        """Note that the tool has deleted an assessment; its last bytes go with the next vacuum."""
        current = self._remote.find(row.own_id)
        if current is not None and current.state == "deleting":
            self._store.vacuum.note_due()
            self._remote.remove(row.own_id)
        elif current is not None:  # it is wanted again
            self._remote.put(replace(current, remote_id=None))

    @writes
    def give_up(self, row: AssessmentRow, reason: str) -> None:
        """Let an assessment be that the tool refuses, until its content changes; one to be deleted is gone for good."""
        current = self._remote.find(row.own_id)
        if current is not None and current.content_hash == row.content_hash and current.state == "due":
            self._remote.put(replace(current, state="done", content_hash="", reason=reason))

    @writes
    def postpone(self, row: AssessmentRow, not_before_ms: int, reason: str) -> None:
        """Try an assessment again later, after a failed attempt."""
        self._remote.rows.postpone(row.own_id, not_before_ms, reason)

    @writes
    def note_names(self, names: Mapping[str, str]) -> None:
        """Remember what people call connectors.

        Args:
            names: by connector.
        """
        for connector, name in names.items():
            self._names.upsert(Document({"name": name}, connector))

    @reads
    def waiting_deletions(self) -> Mapping[str, tuple[str, int]]:
        """Return by connector its name, and how many assessments wait to be deleted in its tool."""
        return {
            connector: (self._name(connector), number)
            for connector, number in self._remote.waiting_deletions().items()
        }

    def _name(self, connector: str) -> str:
        body = self._names.get(doc_id=connector)
        return connector.partition(":")[0] if body is None else str(body["name"])

    @reads
    def number_deleting(self, connector: str) -> int:
        """Return how many assessments wait to be deleted in a tool."""
        return self._remote.number_deleting(connector)

    @reads
    def put_off_writings(self, connector: str) -> list[AssessmentRow]:
        """Return the assessments whose writing to a tool failed and is tried again later."""
        return self._remote.put_off_writings(connector)
