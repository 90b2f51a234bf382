"""Traces that were read from tracing tools, and the assessments that stand there of ours; inside a transaction.

An assessment's row tells where it is written, and a hash of its content: never any words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.document_forms import fields_form, form_of
from storage.documents import Document, Documents
from storage.keys import below, exactly, key, stamp
from storage.queue import Queue
from storage.records import AssessmentRow, TraceOrigin


class RemoteAssessments:
    """The tables of origins, of verdicts whose assessments may differ from the tool's, and of assessments."""

    def __init__(self, documents: Documents) -> None:
        self._origins = documents.declare(
            "trace_origins", {"connector": _by_connector}, form=form_of(TraceOrigin)
        )
        self.marks = Queue(
            documents,
            "marked_verdicts",
            order=lambda body: key(body["connector"], stamp(body["mark"])),
            group="connector",
            form=fields_form(connector=str, mark=int),
        )
        self.rows = Queue(
            documents,
            "own_assessments",
            order=lambda body: key(body["connector"], stamp(body["number"])),
            group="connector",
            is_listed=lambda body: body["state"] != "done",
            indexes={
                "verdict": _by_verdict,
                "trace": _by_trace,
                "person": _by_person,
                "deleting": _by_deletion,
            },
            form=form_of(AssessmentRow),
        )

    # --- origins

    def note_origin(self, origin: TraceOrigin) -> None:
        """Remember which tool a trace was read from."""
        self._origins.upsert(Document(to_document(origin), origin.trace_id))

    def find_origin(self, trace_id: str) -> TraceOrigin | None:
        """Return which tool a trace was read from; None for one that came otherwise."""
        body = self._origins.get(doc_id=trace_id)
        return None if body is None else from_document(TraceOrigin, body)

    def recent_origins(
        self, connector: str, since_ms: int, before: str | None, limit: int
    ) -> list[tuple[str, TraceOrigin]]:
        """Return places and origins of traces that a connector read since a time, the newest first."""
        low, high = key(connector, stamp(since_ms), ""), before or below(connector)[1]
        bodies = self._origins.range(low, high, index="connector", limit=limit, order="down")
        return [
            (key(connector, stamp(body["read_ms"]), body.doc_id), from_document(TraceOrigin, body))
            for body in bodies
        ]

    def drop_origin(self, trace_id: str) -> None:
        """Forget which tool a trace was read from."""
        self._origins.remove(doc_ids=[trace_id])

    # --- marks

    def mark(self, verdict_id: str, trace_id: str) -> None:
        """Note that a verdict, or what people say of it, has changed; nothing happens if no tool has its trace."""
        origin = self.find_origin(trace_id)
        if origin is not None:
            known = self.marks.table.get(doc_id=verdict_id)
            mark = 1 if known is None else int(known["mark"]) + 1
            body = {"connector": origin.connector, "mark": mark, "not_before_ms": 0}
            self.marks.put(verdict_id, body)

    # --- rows

    def put(self, row: AssessmentRow) -> None:
        """Store an assessment's row, last in its connector's line if it is new."""
        known = self.rows.table.get(doc_id=row.own_id)
        if known is None:
            last = self.rows.table.range(order="newest", limit=1)
            number = last[0]["number"] + 1 if last else 0
        else:
            number = known["number"]
        self.rows.put(row.own_id, {**to_document(row), "number": number})

    def find(self, own_id: str) -> AssessmentRow | None:
        """Return an assessment's row."""
        body = self.rows.table.get(doc_id=own_id)
        return None if body is None else from_document(AssessmentRow, body)

    def remove(self, own_id: str) -> None:
        """Remove an assessment's row."""
        self.rows.drop(own_id)

    def of_verdict(self, verdict_id: str) -> list[AssessmentRow]:
        """Return the rows of a verdict's own assessment and of those of people."""
        return _rows(self.rows.table.range(*below(verdict_id), index="verdict"))

    def delete_of_trace(self, trace_id: str) -> None:
        """Let what stands in a tool about a trace be deleted there; its rows go once the tool has answered."""
        self.drop_origin(trace_id)
        self._delete(_rows(self.rows.table.range(*below(trace_id), index="trace")))

    def drop_of_trace(self, trace_id: str) -> None:
        """Remove all rows of a trace, and leave what stands in the tool."""
        self.drop_origin(trace_id)
        for own_id in self.rows.table.ids(*below(trace_id), index="trace"):
            self.rows.drop(own_id)

    def delete_of_person(self, person: str) -> None:
        """Let a person's assessments be deleted in the tools."""
        self._delete(_rows(self.rows.table.range(*below(person), index="person")))

    def drop_mark(self, verdict_id: str) -> None:
        """Remove the mark of a verdict that is gone."""
        self.marks.drop(verdict_id)

    def number_deleting(self, connector: str) -> int:
        """Return how many assessments wait to be deleted in a tool."""
        return len(self.rows.table.ids(*exactly(key(connector)), index="deleting"))

    def put_off_writings(self, connector: str) -> list[AssessmentRow]:
        """Return the assessments whose writing to a tool failed and is tried again later."""
        ids = self.rows.postponed_ids(
            lambda body: body["connector"] == connector and body["state"] == "due" and bool(body["reason"])
        )
        return [row for own_id in ids if (row := self.find(own_id)) is not None]

    def waiting_deletions(self) -> dict[str, int]:
        """Return by connector how many assessments wait to be deleted in its tool."""
        numbers: dict[str, int] = {}
        heads = self.rows.table.range(index="deleting", limit=1)
        while heads:
            connector = str(heads[0]["connector"])
            numbers[connector] = self.number_deleting(connector)
            heads = self.rows.table.range(exactly(key(connector))[1], index="deleting", limit=1)
        return numbers

    def _delete(self, rows: Iterable[AssessmentRow]) -> None:
        for row in rows:
            self.put(row.to_be_deleted())


def origin_under(trace_id: str, origin: TraceOrigin) -> TraceOrigin:
    """Return the origin of a trace that is kept here under a name of its own."""
    if trace_id == origin.trace_id:
        return origin
    return replace(origin, trace_id=trace_id, remote_trace_id=origin.trace_id)


def _by_connector(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["connector"], stamp(body["read_ms"]), body["trace_id"])]


def _rows(bodies: Iterable[Mapping[str, Json]]) -> list[AssessmentRow]:
    return [from_document(AssessmentRow, body) for body in bodies]


def _by_verdict(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["verdict_id"], body["own_id"])]


def _by_trace(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["trace_id"], body["own_id"])]


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["person"], body["own_id"])] if body["person"] else []


def _by_deletion(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["connector"])] if body["state"] == "deleting" else []
