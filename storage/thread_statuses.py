"""The state of the one message that tells a card's thread what is so: what it shows, and whether it is up to date.

A change of what a message may show marks it in the same transaction; it stays marked until Slack has the edit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.feedback import FeedbackEvents
from storage.keys import below, key, stamp
from storage.queue import LONGEST_WAIT_MS
from storage.records import (
    ShownOpinion,
    ShownRule,
    StoredThreadStatus,
    StoredVerdict,
    ThreadRefusal,
    ToldDoubt,
)
from storage.repository import Repository, Store, reads, writes
from storage.traces import Traces
from storage.verdicts import Verdicts

MAX_STATUSES_AT_A_TIME = 50
"""Messages that are offered for an edit by one look."""


def status_post_id_of(verdict_id: str) -> str:
    """Return the id of the post that brings the status message into a verdict's thread."""
    return f"status:{verdict_id}"


class ThreadStatuses(Repository):
    """Status messages by verdict. A method to be awaited raises `StorageError`."""

    def __init__(self, store: Store, traces: Traces, verdicts: Verdicts, feedback: FeedbackEvents) -> None:
        super().__init__(store)
        self._traces = traces
        self._verdicts = verdicts
        self._feedback = feedback
        self._statuses = store.documents.declare(
            "thread_statuses",
            {
                "due": _due,
                "guideline": _by_guideline,
                "trace": _by_trace,
                "person": _by_person,
                "judge": _by_judge,
            },
            form=form_of(StoredThreadStatus),
        )
        self._settings = store.documents.declare("thread_status_settings", form=fields_form(fingerprint=str))

    def find(self, verdict_id: str) -> StoredThreadStatus | None:
        """Return the status of a verdict's thread; None where there is none."""
        body = self._statuses.get(doc_id=verdict_id)
        return None if body is None else from_document(StoredThreadStatus, body)

    get = reads(find)

    @writes
    def tell(
        self,
        verdict: StoredVerdict,
        refusals: Sequence[ThreadRefusal],
        *,
        is_declined: bool,
        doubts: Sequence[ToldDoubt] = (),
    ) -> StoredThreadStatus:
        """Mark the status of a verdict's thread, made where there is none, for feedback that has come to rest.

        Args:
            verdict: the verdict, with the revision of that feedback.
            refusals: reasons in it that are no rules.
            is_declined: whether the reflection model refuses to read it.
            doubts: guidelines in doubt that led to the verdict; those told in another thread are left out.

        Returns:
            The status as it is stored now.
        """
        status = self.find(verdict.verdict_id) or StoredThreadStatus(
            verdict_id=verdict.verdict_id, judge=verdict.verdict.judge, trace_id=verdict.verdict.trace_id
        )
        new = (each for each in doubts if not self._is_told(status.judge, each))
        told = replace(
            status,
            feedback_revision=verdict.revision,
            refusals=tuple(refusals),
            doubts=(*status.doubts, *new),
            is_declined=is_declined,
        )
        return status if told == status else self._mark(told)

    @writes
    def note_rendering(
        self,
        status: StoredThreadStatus,
        rules: Sequence[ShownRule],
        content_hash: str | None = None,
        not_before_ms: int = 0,
    ) -> bool:
        """Store what a message is about to show, before it is sent.

        Args:
            status: the status that the message was made from.
            rules: the rules that it shows.
            content_hash: the hash of a message that is posted; None for an edit, which `edited` confirms.
            not_before_ms: time at which a posted message is to be made anew by itself; 0: with the next change.

        Returns:
            False and nothing changed where the status has changed since: the message is to be made anew.
        """
        current = self.find(status.verdict_id)
        if current is None or current.marks != status.marks:
            return False
        shown = tuple(self._without_forgotten_words(rule) for rule in rules)
        if shown != tuple(rules):
            self._store.vacuum.note_due()
        rendered = replace(current, rules=shown)
        if content_hash is not None:
            rendered = _confirmed(rendered, status.marks, content_hash, not_before_ms)
        if rendered != current:
            self._put(rendered)
        return shown == tuple(rules)

    @writes
    def edited(self, status: StoredThreadStatus, content_hash: str, not_before_ms: int = 0) -> None:
        """Note that Slack has the message made from this status; what changed since is still to be told.

        `not_before_ms` is the time at which it is to be made anew by itself; 0: not before the next change.
        """
        current = self.find(status.verdict_id)
        if current is None:
            return
        if current.marks == status.marks:
            self._put(_confirmed(current, status.marks, content_hash, not_before_ms))
        else:
            self._put(replace(current, content_hash=content_hash, attempts=0, reason=None))

    @writes
    def postpone(self, verdict_id: str, not_before_ms: int, reason: str) -> None:
        """Try the edit again later, after a failed attempt."""
        current = self.find(verdict_id)
        if current is not None:
            attempts = current.attempts + 1
            self._put(replace(current, attempts=attempts, not_before_ms=not_before_ms, reason=reason))

    @writes
    def wake(self, verdict_id: str) -> None:
        """Let a status be made anew now."""
        self.mark([verdict_id])

    @reads
    def due(self, now_ms: int, limit: int = MAX_STATUSES_AT_A_TIME) -> list[StoredThreadStatus]:
        """Return statuses whose messages are to be edited, the one that waits for longest first."""
        bodies = self._statuses.range(high=stamp(now_ms + 1), index="due", limit=limit)
        # what would wait longer than anything may: the clock was ahead when it was put off
        bodies += self._statuses.range(stamp(now_ms + LONGEST_WAIT_MS), index="due", limit=limit)
        return [from_document(StoredThreadStatus, body) for body in bodies]

    @reads
    def waiting(self, now_ms: int) -> int:
        """Return how many messages are to be edited by now, put off after a failure or not."""
        bodies = self._statuses.range(index="due")
        return sum(body["not_before_ms"] <= now_ms or body["reason"] is not None for body in bodies)

    @writes
    def note_settings(self, judge: str, fingerprint: str) -> None:
        """Mark all statuses of a judge if the settings that they show have changed since the last start."""
        body = self._settings.get(doc_id=judge)
        if body is not None and body["fingerprint"] == fingerprint:
            return
        self._settings.upsert(Document({"fingerprint": fingerprint}, judge))
        self.mark(self._statuses.ids(*below(judge), index="judge"))

    # --- for use inside a transaction

    def mark(self, verdict_ids: Iterable[str]) -> None:
        """Mark statuses as to be told anew; those that do not exist are passed over."""
        for verdict_id in verdict_ids:
            status = self.find(verdict_id)
            if status is not None:
                self._mark(status)

    def mark_changes(self, judge: str, guideline_ids: Iterable[str], trace_ids: Iterable[str]) -> None:
        """Mark the statuses that show one of these guidelines, in whatever thread, and those of these traces."""
        found = (self._verdicts.find_id(judge, trace_id) for trace_id in trace_ids)
        ids = {verdict_id for verdict_id in found if verdict_id is not None}
        for guideline_id in guideline_ids:
            ids.update(self._statuses.ids(*below(judge, guideline_id), index="guideline"))
        self.mark(sorted(ids))

    def arrived(self, verdict_id: str, message_ts: str) -> None:
        """Note which message in Slack shows a status."""
        status = self.find(verdict_id)
        if status is not None:
            self._put(replace(status, message_ts=message_ts))

    def take_over(self, verdict: StoredVerdict, message_ts: str, guideline_ids: Sequence[str]) -> str | None:
        """Let a message of an earlier version show the status of a verdict's thread.

        Returns:
            The ts of the message that showed it before, which nobody edits any more; None if there was none.
        """
        known = self.find(verdict.verdict_id)
        status = known or StoredThreadStatus(
            verdict_id=verdict.verdict_id,
            judge=verdict.verdict.judge,
            trace_id=verdict.verdict.trace_id,
            feedback_revision=verdict.revision,
        )
        ids = {rule_id for rule in status.rules for rule_id in rule.ids}
        new = tuple(ShownRule(ids=(each,)) for each in dict.fromkeys(guideline_ids) if each not in ids)
        self._mark(replace(status, message_ts=message_ts, rules=(*status.rules, *new), content_hash=""))
        return None if known is None else known.message_ts

    def _is_told(self, judge: str, doubt: ToldDoubt) -> bool:
        """Return whether any thread tells of a guideline in doubt."""
        verdict_ids = self._statuses.ids(*below(judge, doubt.guideline_id), index="guideline")
        return any((status := self.find(each)) and doubt in status.doubts for each in verdict_ids)

    def redact_trace(self, trace_id: str) -> None:
        """Take words that rest on a trace out of all statuses, and mark them."""
        self._redact("trace", trace_id, lambda opinion: opinion.trace_id == trace_id)

    def redact_person(self, person: str) -> None:
        """Take words that rest on a person out of all statuses, and mark them."""
        self._redact("person", person, lambda opinion: opinion.person == person)

    def delete(self, verdict_id: str) -> StoredThreadStatus | None:
        """Remove a status; returns it as it was."""
        status = self.find(verdict_id)
        self._statuses.remove(doc_ids=[verdict_id])
        return status

    def _redact(self, index: str, place: str, is_forgotten: Callable[[ShownOpinion], bool]) -> None:
        for body in self._statuses.range(*below(place), index=index):
            status = from_document(StoredThreadStatus, body)
            rules = tuple(
                _without_words(rule, is_forgotten) if any(map(is_forgotten, rule.opinions)) else rule
                for rule in status.rules
            )
            refusals = tuple(each for each in status.refusals if index != "person" or each.person != place)
            self._mark(replace(status, rules=rules, refusals=refusals))

    def _without_forgotten_words(self, rule: ShownRule) -> ShownRule:
        """Return a rule as it may be kept: one that was forgotten while its message was made keeps no words."""
        return (
            _without_words(rule, self._is_forgotten) if any(map(self._is_forgotten, rule.opinions)) else rule
        )

    def _is_forgotten(self, opinion: ShownOpinion) -> bool:
        forgotten_ms = self._feedback.find_forgotten_ms(opinion.person)
        return self._traces.has_forgotten(opinion.trace_id) or bool(
            forgotten_ms and opinion.time_ms <= forgotten_ms
        )

    def _mark(self, status: StoredThreadStatus) -> StoredThreadStatus:
        marked = replace(status, marks=status.marks + 1, not_before_ms=0)
        self._put(marked)
        return marked

    def _put(self, status: StoredThreadStatus) -> None:
        self._statuses.upsert(Document(to_document(status), status.verdict_id))


def _confirmed(
    status: StoredThreadStatus, marks: int, content_hash: str, not_before_ms: int
) -> StoredThreadStatus:
    """Return the status as shown; one that is to be made anew by itself stays due for that time."""
    return replace(
        status,
        content_hash=content_hash,
        shown_marks=marks - 1 if not_before_ms else marks,
        not_before_ms=not_before_ms,
        attempts=0,
        reason=None,
    )


def _without_words(rule: ShownRule, is_forgotten: Callable[[ShownOpinion], bool]) -> ShownRule:
    return replace(
        rule,
        text="",
        earlier_text="",
        opinions=tuple(opinion for opinion in rule.opinions if not is_forgotten(opinion)),
        authors=tuple(author for author in rule.authors if not is_forgotten(author)),
    )


def _due(body: Mapping[str, Json]) -> Iterable[str]:
    is_due = body["message_ts"] is not None and body["marks"] != body["shown_marks"]
    return [key(stamp(body["not_before_ms"]), body["verdict_id"])] if is_due else []


def _by_guideline(body: Mapping[str, Json]) -> Iterable[str]:
    ids = {rule_id for rule in body["rules"] for rule_id in rule["ids"]}
    ids |= {doubt["guideline_id"] for doubt in body.get("doubts", ())}
    return [key(body["judge"], rule_id, body["verdict_id"]) for rule_id in ids]


def _by_trace(body: Mapping[str, Json]) -> Iterable[str]:
    traces = {opinion["trace_id"] for rule in body["rules"] for opinion in rule["opinions"]}
    return [key(trace_id, body["verdict_id"]) for trace_id in traces]


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    people = {opinion["person"] for rule in body["rules"] for opinion in rule["opinions"]}
    people |= {refusal["person"] for refusal in body["refusals"]}
    return [key(person, body["verdict_id"]) for person in people]


def _by_judge(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["judge"], body["verdict_id"])]
