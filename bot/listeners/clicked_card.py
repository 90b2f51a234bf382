"""The card a person clicked on, and what they hold of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.runtime.metrics import Metrics
from bot.vote_marks import Vote, vote_of_event, votes_of
from memalign.records import Json, Label
from storage.database import Database
from storage.records import FeedbackEvent, PersonFeedback, StoredVerdict

Body = dict[str, Json]
NO_FEEDBACK = PersonFeedback()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickedCard:
    """A card that a person clicked on, or in whose thread they did."""

    verdict: StoredVerdict
    channel: str
    ts: str
    """The card's own ts; a click may come before the store knows it."""
    person: str


class ClickedCards:
    """Finds cards that were clicked, and stores what the click says."""

    def __init__(
        self,
        database: Database,
        redact: Callable[[FeedbackEvent], FeedbackEvent],
        metrics: Metrics,
        wake_learning: Callable[[], None],
    ) -> None:
        self._database = database
        self._redact = redact
        self._metrics = metrics
        self._wake_learning = wake_learning

    async def of_click(self, body: Body, verdict_id: str = "") -> ClickedCard | None:
        """Return the card that was clicked, or in whose thread; None if it shows no verdict, or no more.

        Args:
            body: the click.
            verdict_id: the verdict, where the button's value is another one.
        """
        container, message = body.get("container") or {}, body.get("message") or {}
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id"))
        person, container_ts = body["user"]["id"], container.get("message_ts")
        timestamps = [ts for ts in (message.get("thread_ts"), message.get("ts"), container_ts) if ts]
        # a button knows its verdict, also while Slack's answer to the card's posting is on its way
        verdict_id = verdict_id or str((body.get("actions") or [{}])[0].get("value") or "")
        verdict = await self._database.verdicts.clicked(channel, timestamps, verdict_id)
        ts = None if verdict is None else verdict.message_ts or container_ts
        if verdict is None or not ts:
            return None
        return ClickedCard(verdict=verdict, channel=channel, ts=ts, person=person)

    async def of_home(self, body: Body) -> ClickedCard | None:
        """Return the card that a button on the Home tab is about; None if its trace was forgotten meanwhile."""
        verdict = await self._database.verdicts.get(str(body["actions"][0].get("value") or ""))
        if verdict is None or verdict.message_ts is None:
            return None
        person = body["user"]["id"]
        return ClickedCard(verdict=verdict, channel=verdict.channel, ts=verdict.message_ts, person=person)

    async def of_modal(self, body: Body, verdict_id: str, card_ts: str) -> ClickedCard | None:
        """Return the card that a modal was opened for; None if its trace was forgotten meanwhile."""
        verdict = await self._database.verdicts.get(verdict_id)
        if verdict is None:
            return None
        return ClickedCard(verdict=verdict, channel=verdict.channel, ts=card_ts, person=body["user"]["id"])

    async def of_verdict(self, body: Body, verdict_id: str) -> ClickedCard | None:
        """Return the card of a verdict that a button in a private message names; None if it was forgotten meanwhile."""
        verdict = await self._database.verdicts.get(verdict_id)
        if verdict is None or verdict.message_ts is None:
            return None
        person = str(body["user"]["id"])
        return ClickedCard(verdict=verdict, channel=verdict.channel, ts=verdict.message_ts, person=person)

    async def feedback_on(self, card: ClickedCard) -> PersonFeedback:
        """Return what the person did on the card up to now."""
        return await self._database.feedback.by(card.verdict.verdict_id, card.person) or NO_FEEDBACK

    async def set_vote(self, card: ClickedCard, vote: Vote | None, at: str) -> None:
        """Store the vote of the card's buttons; None takes it back."""
        await self._note(card, FeedbackEvent(person=card.person, kind="button", value=vote, at=at))

    async def keep_vote(self, card: ClickedCard, vote: Vote, at: str) -> None:
        """Store which of several votes the person keeps; it overrules the others."""
        await self._note(card, FeedbackEvent(person=card.person, kind="kept_vote", value=vote, at=at))

    async def set_value(self, card: ClickedCard, value: Label, at: str) -> bool:
        """Store the right value, which also says whether the judge was right; see `hold` for the result.

        While the verdict is hidden it is what the person says, whatever they did before.
        """
        if card.verdict.is_hidden:
            await self._note(card, FeedbackEvent(person=card.person, kind="answer", value=value, at=at))
            return False
        await self._note(card, FeedbackEvent(person=card.person, kind="correction", value=value, at=at))
        return await self.hold(card, "up" if value == card.verdict.verdict.value else "down", at)

    async def hold(self, card: ClickedCard, vote: Vote, at: str) -> bool:
        """Let the person hold this vote.

        Returns:
            True if a reaction of theirs says something else, so that no vote counts.
        """
        if votes_of(card.verdict, await self.feedback_on(card)) != {vote}:
            await self.set_vote(card, vote, at)
        return len(votes_of(card.verdict, await self.feedback_on(card))) > 1

    async def set_reason(self, card: ClickedCard, reason: str, at: str) -> None:
        """Store a reason given in the modal, under the card's own ts, which no reply has."""
        await self._note(
            card, FeedbackEvent(person=card.person, kind="reply", name=card.ts, value=reason, at=at)
        )

    async def set_supports(self, card: ClickedCard, guideline_ids: Sequence[str], at: str) -> None:
        """Store which guidelines cover the case in the person's opinion; an empty list takes that back."""
        value = list(guideline_ids)
        await self._note(card, FeedbackEvent(person=card.person, kind="supports", value=value, at=at))

    async def _note(self, card: ClickedCard, event: FeedbackEvent) -> None:
        await self._database.feedback.note(card.channel, card.ts, self._redact(event))
        if vote := vote_of_event(card.verdict, event):
            self._metrics.count_vote(vote, "button")
        self._wake_learning()
