"""People's feedback on verdicts, from which vote, label and lesson follow elsewhere, and what threads were told."""

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from memalign.records import Json
from memalign.serialization import from_document, to_document
from storage.arrivals import Arrivals
from storage.codec import feedback_body, feedback_of
from storage.document_forms import fields_form, form_of
from storage.documents import Document
from storage.feedback_events import apply, meaning, moments, times
from storage.keys import LAST, below, digest, event_ms, key, parts_of, stamp
from storage.open_modals import OpenModals
from storage.outbound_queue import OutboundQueue, current_ms
from storage.posts import PostQueue
from storage.queue import Queue
from storage.records import (
    FeedbackEvent,
    OutboundChange,
    PendingFeedback,
    PersonFeedback,
    StoredVerdict,
    ThreadPost,
)
from storage.reply_receipts import ReplyReceipts, UnreadReplies
from storage.repository import Repository, Store, reads, writes
from storage.verdicts import Verdicts

IS_MEMBER = "is_channel_member"
"""Field of a person's feedback: whether they were in the channel when they said what it holds now. None where nobody
has looked yet; feedback of an earlier version lacks it, and counts."""
DAY_MS = 24 * 60 * 60 * 1000
_CHECK_FEEDBACK_FIELDS = fields_form(verdict_id=str, judge=str, person=str, feedback=Mapping[str, Json])


class FeedbackEvents(Repository):
    """Feedback, pending feedback and thread posts. A method to be awaited raises `StorageError`."""

    def __init__(
        self,
        store: Store,
        verdicts: Verdicts,
        posts: PostQueue,
        replies: ReplyReceipts,
        outbound: OutboundQueue,
        modals: OpenModals,
    ) -> None:
        super().__init__(store)
        self._replies = replies
        self._outbound = outbound
        self._modals = modals
        documents = store.documents
        self._verdicts = verdicts
        self._posts = posts
        self._arrivals = Arrivals()
        """By verdict, of its feedback."""
        self._feedback = documents.declare(
            "feedback", {"person": _by_person, "day": _by_day}, form=_check_feedback
        )
        self._thread_posts = documents.declare("thread_posts", form=form_of(ThreadPost))
        self._forgotten = documents.declare("forgotten_people", form=fields_form(at_ms=int))
        self._excluded = documents.declare("excluded_people")
        self._pending = Queue(
            documents,
            "pending_feedback",
            order=lambda body: key(stamp(body["since_ms"]), body["verdict_id"]),
            group="judge",
            form=form_of(PendingFeedback),
        )

    def take_in(self, channel: str, ts: str, event: FeedbackEvent) -> str | None:
        """Take in one thing a person did about a message.

        While a post to that channel is on its way the message may yet turn out to be a card: the event is then
        kept, and applied or dropped as soon as that is known. Events with a later time win, whatever the order
        they come in; of two with the same time the last that came. An event from before the person's words were
        forgotten changes nothing.

        Args:
            channel: the channel.
            ts: the message's.
            event: the reaction, button, correction or reply.

        Returns:
            The id of the verdict that the message shows; None when it is no card, or not yet.
        """
        verdict = self._verdicts.find_by_card(channel, ts)
        if verdict is None:
            if self._posts.is_posting(channel):
                self._posts.keep_early_event(channel, ts, event)
            elif event.kind == "reply" and event.value and self._is_news(event):
                self._replies.note_under_forgotten_card(channel, ts, event.person)
            return None
        if self._is_news(event):
            self._apply(verdict, event)
        return verdict.verdict_id

    note = writes(take_in)

    @writes
    def note_on_verdict(self, verdict_id: str, event: FeedbackEvent) -> None:
        """Take in one thing that a person did about a verdict elsewhere than on its card, as `take_in` does."""
        verdict = self._verdicts.find(verdict_id)
        if verdict is not None and self._is_news(event):
            self._apply(verdict, event)

    def _is_news(self, event: FeedbackEvent) -> bool:
        """Return whether an event is from after the person's words were forgotten, if they ever were."""
        return event_ms(event.at) > self.find_forgotten_ms(event.person)

    def find_all_of(self, verdict_id: str) -> Mapping[str, PersonFeedback]:
        """Return all feedback on a verdict, by person, that of excluded people as well."""
        return {
            body["person"]: feedback_of(body["feedback"]) for body in self._feedback.range(*below(verdict_id))
        }

    all_of = reads(find_all_of)

    @reads
    def by(self, verdict_id: str, person: str) -> PersonFeedback | None:
        """Return one person's feedback on a verdict, counted or not; None for none."""
        body = self._feedback.get(doc_id=key(verdict_id, person))
        return None if body is None else feedback_of(body["feedback"])

    def find_of(self, verdict_id: str) -> Mapping[str, PersonFeedback]:
        """Return the feedback on a verdict that counts, by person."""
        return {
            body["person"]: feedback_of(body["feedback"])
            for body in self._feedback.range(*below(verdict_id))
            if body.get(IS_MEMBER) is not False and not self._excluded.contains(doc_id=body["person"])
        }

    of = reads(find_of)

    @reads
    def unconfirmed(self, verdict_id: str) -> set[str]:
        """Return people who were not in the channel when they gave feedback, or of whom nobody has noted it yet."""
        return {
            body["person"]
            for body in self._feedback.range(*below(verdict_id))
            if not body.get(IS_MEMBER, True)
        }

    @writes
    def note_members(self, verdict_id: str, members: Mapping[str, bool]) -> None:
        """Note who was in the channel when they gave feedback on the verdict; that of others does not count."""
        for person, is_member in members.items():
            body = self._feedback.get(doc_id=key(verdict_id, person))
            if body is not None:
                self._feedback.upsert(Document({**body, IS_MEMBER: is_member}, body.doc_id))
        self._verdicts.mark_remote(verdict_id)
        if (verdict := self._verdicts.find(verdict_id)) is not None:
            self._announce(verdict, members)

    @writes
    def exclude(self, person: str, now_ms: int) -> bool:
        """Keep the person's feedback, from now on and up to now, without counting it.

        Returns:
            True if it counted before; then all verdicts concerned wait to be learned again.
        """
        if self._excluded.contains(doc_id=person):
            return False
        self._excluded.insert(Document({}, person))
        self._revise_of_person(person, now_ms)
        return True

    @writes
    def include(self, person: str, now_ms: int) -> bool:
        """Count the person's feedback again.

        Returns:
            True if it did not count before; then all verdicts concerned wait to be learned again.
        """
        if not self._excluded.remove(doc_ids=[person]):
            return False
        self._revise_of_person(person, now_ms)
        return True

    @reads
    def people(self, after: str, limit: int) -> list[str]:
        """Return people with feedback on any verdict, in the order of their ids, from the first behind `after`."""
        people: list[str] = []
        start = below(after)[1] if after else ""
        while len(people) < limit and (bodies := self._feedback.range(start, LAST, index="person", limit=1)):
            people.append(bodies[0]["person"])
            start = below(people[-1])[1]
        return people

    @writes
    def reveal(self, verdict_id: str, at: str, revision: int) -> StoredVerdict | None:
        """Note that a blind card shows its verdict; what people do from then on may be said of that verdict.

        Args:
            verdict_id: the verdict.
            at: when the card began to show it, by Slack's clock; later if anything that people did before is.
            revision: of the feedback that the card tells.

        Returns:
            The verdict, which waits to be learned again; None where it is gone, or was shown before.
        """
        verdict = self._verdicts.find(verdict_id)
        if verdict is None or not verdict.is_hidden:
            return None
        moments = [
            at,
            *(each for feedback in self.find_all_of(verdict_id).values() for each in times(feedback)),
        ]
        shown = self._revise(replace(verdict, revealed_at=max(moments, key=Decimal)), event_ms(at))
        if verdict.revision == revision:
            shown = replace(shown, card_revision=shown.revision)
            self._verdicts.put(shown)
        self._verdicts.announce(shown, "verdict.created", event_ms(at))
        self._announce(shown, self.find_all_of(verdict_id))
        return shown

    def find_of_person(self, person: str) -> list[StoredVerdict]:
        """Return the verdicts about which a person did anything."""
        bodies = self._feedback.range(*below(person), index="person")
        verdicts = (self._verdicts.find(body["verdict_id"]) for body in bodies)
        return [verdict for verdict in verdicts if verdict is not None]

    of_person = reads(find_of_person)

    def find_forgotten_ms(self, person: str) -> int:
        """Return when the person's words were forgotten last, in milliseconds since 1970; 0: never."""
        place = digest(person)
        body = self._forgotten.get(doc_id=place)
        if body is not None:
            return int(body["at_ms"])
        # a damaged mark may not bring back what was forgotten
        return sys.maxsize if self._forgotten.contains(doc_id=place) else 0

    forgotten_ms = reads(find_forgotten_ms)

    @reads
    def is_forgotten_at(self, person: str, time_ms: int) -> bool:
        """Return whether what the person said at that time was forgotten; a time of 0 is not known."""
        forgotten_ms = self.find_forgotten_ms(person)
        return forgotten_ms > 0 and time_ms <= forgotten_ms

    @reads
    def voted_between(
        self, judge: str, start_ms: int, end_ms: int
    ) -> list[tuple[StoredVerdict, Mapping[str, PersonFeedback]]]:
        """Return verdicts with cards and feedback from `start_ms` up to, but without, `end_ms`, with all feedback."""
        low, high = (
            key(judge, stamp(start_ms // DAY_MS), ""),
            key(judge, stamp((end_ms - 1) // DAY_MS + 1), ""),
        )
        days = self._feedback.range(low, high, index="day")
        votes = []
        for verdict_id in dict.fromkeys(body["verdict_id"] for body in days):
            verdict, feedback = self._verdicts.find(verdict_id), self.find_of(verdict_id)
            known = (moment for each in feedback.values() for moment in moments(each))
            if (
                verdict is not None
                and verdict.has_card
                and any(start_ms <= moment < end_ms for moment in known)
            ):
                votes.append((verdict, feedback))
        return votes

    @reads
    def page_of_judge(
        self, judge: str, after: StoredVerdict | None = None, limit: int = 100
    ) -> list[tuple[StoredVerdict, Mapping[str, PersonFeedback]]]:
        """Return a judge's verdicts with the feedback that counts, oldest first: give the last one to go on."""
        page = self._verdicts.find_page_of_judge(judge, after, limit)
        return [(stored, self.find_of(stored.verdict_id)) for stored in page]

    @reads
    def answered_of_last(
        self, channel: str, judges: Collection[str], before_ms: int, limit: int
    ) -> tuple[int, int]:
        """Return of a channel's last cards how many there were, and how many of them somebody answered.

        Args:
            channel: the channel.
            judges: those that show cards there.
            before_ms: the cards were posted before then, in milliseconds since 1970.
            limit: how many cards at most, the last posted first.
        """
        cards = [
            stored
            for judge in judges
            for stored in self._verdicts.find_posted_before(judge, before_ms, limit)
            if stored.channel == channel
        ]
        last = sorted(cards, key=lambda stored: event_ms(stored.message_ts or "0"))[-limit:]
        return len(last), sum(self.has_any(stored.verdict_id) for stored in last)

    async def pending(self, now_ms: int, quiet_ms: int) -> list[PendingFeedback]:
        """Return verdicts whose feedback changed, last at least `quiet_ms` ago, and not put off; oldest first."""
        await self._release_due(self._pending, now_ms)
        return await self._at_rest(quiet_ms / 1000)

    @reads
    def _at_rest(self, seconds: float) -> list[PendingFeedback]:
        # Slack's clock and this machine's may differ, so that the arrival counts
        pending = [from_document(PendingFeedback, body) for body in self._pending.first()]
        resting = self._arrivals.at_rest(((each.verdict_id, each.revision) for each in pending), seconds)
        return [each for each in pending if each.verdict_id in resting]

    @reads
    def oldest(self) -> list[PendingFeedback]:
        """Return of each judge the feedback that has waited longest to be learned."""
        return [from_document(PendingFeedback, body) for body in self._pending.oldest()]

    @reads
    def pending_of(self, judge: str) -> list[PendingFeedback]:
        """Return the verdicts of a judge whose feedback is not learned yet, put off or not."""
        return [from_document(PendingFeedback, body) for body in self._pending.of_group(judge)]

    @reads
    def waiting(self) -> int:
        """Return how many verdicts have feedback that was not learned yet."""
        return len(self._pending)

    @writes
    def learned(self, verdict_id: str, revision: int) -> bool:
        """Note that the feedback of that revision is learned; False when it has changed since."""
        body = self._pending.table.get(doc_id=verdict_id)
        if body is None or body["revision"] != revision:
            return False
        self._pending.drop(verdict_id)
        self._arrivals.drop(verdict_id)
        return True

    def find_thread_posts(self, verdict_id: str) -> tuple[ThreadPost, ...]:
        """Return what stands in the verdict's thread, oldest message first."""
        return tuple(from_document(ThreadPost, body) for body in self._thread_posts.range(*below(verdict_id)))

    thread_posts = reads(find_thread_posts)

    def find_threads_with_posts(self) -> list[str]:
        """Return the verdicts whose threads an earlier version told something."""
        return list(dict.fromkeys(parts_of(post_id)[0] for post_id in self._thread_posts.ids()))

    # --- for use inside a transaction

    def has_any(self, verdict_id: str) -> bool:
        """Return whether anybody did anything about the verdict."""
        return bool(self._feedback.range(*below(verdict_id), limit=1))

    def delete_of_person(self, verdict: StoredVerdict, person: str, now_ms: int) -> StoredVerdict:
        """Remove all that the person did about the verdict, which is a new revision and waits to be learned."""
        self._feedback.remove(doc_ids=[key(verdict.verdict_id, person)])
        return self._revise(verdict, now_ms)

    def delete_damaged_of_person(self, person: str) -> None:
        """Remove what the person did about any verdict and cannot be read any more."""
        ids = self._feedback.ids(*below(person), index="person")
        self._feedback.remove(doc_ids=[each for each in ids if self._feedback.get(doc_id=each) is None])

    def delete_of_verdict(self, verdict_id: str) -> None:
        """Remove all that was done about the verdict, and what its thread was told."""
        for table in (self._feedback, self._thread_posts):
            table.remove(doc_ids=table.ids(*below(verdict_id)))
        self._replies.delete_of_verdict(verdict_id)
        self._modals.delete_of_verdict(verdict_id)
        self._pending.drop(verdict_id)

    def forget_person(self, person: str, now_ms: int) -> None:
        """Take in nothing any more that the person did up to now, or is known to have done; a hash is kept of them.

        `now_ms` is by Slack's clock as far as that is known: events tell their times by it.
        """
        place = digest(person)
        body = self._forgotten.get(doc_id=place)
        moments = [now_ms, *(() if body is None else (int(body["at_ms"]),))]
        for known in self._feedback.range(*below(person), index="person"):
            moments += map(event_ms, times(feedback_of(known["feedback"])))
        self._excluded.remove(doc_ids=[person])
        self._replies.delete_of_person(person)
        self._modals.delete_of_person(person)
        self._forgotten.upsert(Document({"at_ms": max(moments)}, place))

    def keep_thread_post(self, verdict_id: str, post: ThreadPost) -> None:
        """Remember what the verdict's thread was told."""
        self._thread_posts.upsert(Document(to_document(post), key(verdict_id, post.message_ts)))

    def delete_thread_posts(
        self, verdict_id: str, guideline_ids: Collection[str] | None = None
    ) -> tuple[ThreadPost, ...]:
        """Remove what the verdict's thread was told of these guidelines, or of all; returns what that was."""
        posts = tuple(
            post
            for post in self.find_thread_posts(verdict_id)
            if guideline_ids is None or not set(guideline_ids).isdisjoint(post.guideline_ids)
        )
        self._thread_posts.remove(doc_ids=[key(verdict_id, post.message_ts) for post in posts])
        return posts

    def _revise_of_person(self, person: str, now_ms: int) -> None:
        for verdict in self.find_of_person(person):
            self._announce(self._revise(verdict, now_ms), [person])

    def _announce(self, verdict: StoredVerdict, people: Iterable[str]) -> None:
        """Tell receivers outside of people's feedback on a verdict that everybody may see."""
        for person in () if verdict.is_hidden else people:
            self._outbound.add(
                OutboundChange(
                    type="vote.changed",
                    at_ms=current_ms(),
                    judge=verdict.verdict.judge,
                    trace_id=verdict.verdict.trace_id,
                    verdict_id=verdict.verdict_id,
                    person=person,
                )
            )

    def _apply(self, verdict: StoredVerdict, event: FeedbackEvent) -> None:
        place = key(verdict.verdict_id, event.person)
        body = self._feedback.get(doc_id=place)
        before = PersonFeedback() if body is None else feedback_of(body["feedback"])
        after = apply(before, event, verdict.revealed_at)
        if after == before:
            return
        changed = {
            "verdict_id": verdict.verdict_id,
            "judge": verdict.verdict.judge,
            "person": event.person,
            "feedback": feedback_body(after),
        }
        is_new = meaning(after) != meaning(before)
        self._feedback.upsert(Document({**changed, IS_MEMBER: None} if is_new else changed, place))
        if is_new:
            self._revise(verdict, event_ms(event.at))
            self._note_unread(verdict, event, after)

    def _note_unread(self, verdict: StoredVerdict, event: FeedbackEvent, feedback: PersonFeedback) -> None:
        """Let a person wait for an answer: to a reply, to earlier ones once there is a vote, to a doubtful thumb."""
        written = [ts for ts, reply in feedback.replies.items() if reply.text and ts != verdict.reason_ts]
        # while a number is hidden, a thumb says nothing of it
        may_need_word = event.kind == "reaction" and (verdict.is_hidden or _live_marks(feedback) > 1)
        if (
            (written or may_need_word)
            and event.value is not None
            and event.value is not False
            and event.name != verdict.reason_ts
        ):
            self._replies.note(
                UnreadReplies(
                    card=verdict.verdict_id,
                    channel=verdict.channel,
                    card_ts=verdict.message_ts or "",
                    person=event.person,
                )
            )

    def _revise(self, verdict: StoredVerdict, since_ms: int) -> StoredVerdict:
        """Give the verdict a new revision, which waits to be learned."""
        revised = replace(verdict, revision=verdict.revision + 1)
        self._verdicts.put(revised)
        waiting = self._pending.table.get(doc_id=verdict.verdict_id)
        pending = PendingFeedback(
            verdict_id=verdict.verdict_id,
            trace_id=verdict.verdict.trace_id,
            judge=verdict.verdict.judge,
            revision=revised.revision,
            since_ms=since_ms if waiting is None else max(since_ms, waiting["since_ms"]),
        )
        self._pending.put(verdict.verdict_id, to_document(pending))
        self._arrivals.note(verdict.verdict_id, revised.revision)
        return revised


def _live_marks(feedback: PersonFeedback) -> int:
    """Return the number of reactions there, and the button if it holds a vote: several may say different things."""
    live = sum(bool(mark.value) for mark in feedback.reactions.values())
    return live + bool(feedback.button and feedback.button.value)


def _check_feedback(body: Mapping[str, Json]) -> None:
    _CHECK_FEEDBACK_FIELDS(body)
    for ts, reply in feedback_of(body["feedback"]).replies.items():
        event_ms(ts)
        if not isinstance(reply.text, str | None):
            raise TypeError("the text of a reply is text")


def _by_person(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["person"], body["verdict_id"])]


def _by_day(body: Mapping[str, Json]) -> Iterable[str]:
    days = {moment // DAY_MS for moment in moments(feedback_of(body["feedback"]))}
    return [key(body["judge"], stamp(day), body["verdict_id"]) for day in days]
