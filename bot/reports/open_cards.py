"""The open cards of a judge that teach most: those that one person may answer now."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.config import JudgeSettings
from bot.feedback import has_answered
from bot.records import OpenCard
from bot.reports.open_card import is_split, is_unanswered, read_open_cards
from bot.reports.weekly_report_reader import LinksTo
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.records import StoredVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _RankedCard:
    """An open card without the person's vote."""

    stored: StoredVerdict
    is_split: bool
    is_unanswered: bool

    @property
    def rank(self) -> tuple[bool, bool, bool, float, int]:
        """The order: a tie that one more vote ends, no answer yet, picked to teach, a larger chance, newer."""
        choice = self.stored.selection
        is_picked = choice.reason not in ("all", "random")
        return self.is_split, self.is_unanswered, is_picked, choice.probability, self.stored.judged_ms


class OpenCardReader:
    """Finds the cards that a person may still answer."""

    def __init__(self, database: Database, links_to: LinksTo) -> None:
        self._database = database
        self._links_to = links_to

    async def read(self, judge: JudgeSettings, person: str, number: int) -> list[OpenCard]:
        """Return so many open cards of a judge without that person's vote, those that teach most first.

        Cards on which others agree are returned only where no card waits for an answer, or for a vote that ends a tie.

        Args:
            judge: the judge.
            person: the person who is to answer.
            number: the number of cards at most.

        Raises:
            StorageError: the store cannot be read.
        """
        value_type = value_type_of(judge.feedback_value_type, judge.range)
        candidates = [
            candidate
            for card in await read_open_cards(self._database, judge)
            if (candidate := await self._candidate(card, person, value_type)) is not None
        ]
        # as many as a digest says are waiting; of the others, a further vote teaches little
        waiting = [each for each in candidates if each.is_split or each.is_unanswered] or candidates
        best = sorted(waiting, key=lambda each: each.rank, reverse=True)[:number]
        links = await self._links_to([each.stored for each in best])
        found = [await self._open_card(each.stored, judge, value_type, links) for each in best]
        return [card for card in found if card is not None]

    async def _candidate(self, card: StoredVerdict, person: str, value_type: ValueType) -> _RankedCard | None:
        people = await self._database.feedback.of(card.verdict_id)
        if person in people and has_answered(card, person, people[person], value_type):
            return None
        return _RankedCard(
            stored=card,
            is_split=is_split(card, people, value_type),
            is_unanswered=is_unanswered(card, people, value_type),
        )

    async def _open_card(
        self,
        stored: StoredVerdict,
        judge: JudgeSettings,
        value_type: ValueType,
        links: Mapping[str, str],
    ) -> OpenCard | None:
        trace = await self._database.traces.get(stored.verdict.trace_id)
        link = links.get(stored.verdict_id)
        if trace is None or link is None:
            return None
        return OpenCard(stored=stored, title=judge.title, value_type=value_type, trace=trace, link=link)
