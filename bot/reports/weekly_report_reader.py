"""Gathers one judge's week for its digest, in Slack and at the terminal."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

from bot.blocks.trace_line import question_line
from bot.config import JudgeSettings, Settings
from bot.records import Digest
from bot.reports.answered_weeks import AnsweredVerdict
from bot.reports.blind_weeks import with_blind_of_weeks
from bot.reports.digest import read_answered_week, read_digest
from bot.reports.learning_curve import read_learning_curve
from bot.reports.open_card import is_split, is_unanswered, read_open_cards
from bot.reports.reported_rules import learned_rules, reported_rule, retired_rules
from bot.reports.reported_verdicts import reported_verdict
from bot.reports.share_difference import change_of
from bot.runtime.clock import from_ms, last_weeks, now_ms
from bot.weekly_report import ReportedRule, ReportedVerdict, WeeklyReport
from memalign.records import Guideline
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.records import StoredVerdict

NamesOf = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
"""Returns people's names by id."""
LinksTo = Callable[[Sequence[StoredVerdict]], Awaitable[Mapping[str, str]]]
"""Returns addresses of cards by verdict id, as far as they are known."""

WEEKS_OF_CURVE = 12


class WeeklyReportReader:
    """Reads weeks of judges from the store."""

    def __init__(self, settings: Settings, database: Database, names_of: NamesOf, links_to: LinksTo) -> None:
        self._database = database
        self._names_of = names_of
        self._links_to = links_to
        self._settings = settings
        self._zone = settings.digest.zone
        self._show_votes = settings.access.show_votes

    async def read(self, judge: JudgeSettings, week: str, rules: Sequence[Guideline]) -> WeeklyReport:
        """Return a judge's week.

        Args:
            judge: the judge.
            week: the ISO week, such as `2026-W47`.
            rules: all guidelines of its memory as they are now.

        Raises:
            StorageError: the store cannot be read.
        """
        value_type = value_type_of(judge.feedback_value_type, judge.range)
        answered = await read_answered_week(self._database, judge.name, value_type, week, self._zone)
        figures = await with_blind_of_weeks(self._database, answered.figures, value_type, self._settings)
        before = await self._figures(judge, value_type, last_weeks(week, 2)[0])
        changes = answered.changes
        person_ids = {entry.person for _, votes in answered.verdicts for entry in votes}
        people = await self._names(person_ids)
        waiting = await self._open_cards(judge, value_type)
        return WeeklyReport(
            judge=judge.name,
            title=judge.title,
            figures=figures,
            before=before,
            change=change_of(answered.figures, before),
            curve=await read_learning_curve(
                self._database, judge.name, value_type, self._zone, week, WEEKS_OF_CURVE
            ),
            verdicts=await self._verdicts(answered.verdicts, value_type),
            learned=await self._told(learned_rules(changes, rules)),
            retired=await self._told(retired_rules(changes, rules)),
            doubtful=await self._told([rule for rule in rules if rule.stands and rule.doubtful]),
            in_use=sum(rule.in_use for rule in rules),
            from_one_person=sum(rule.in_use and len(rule.people) == 1 for rule in rules),
            pending=sum(rule.state == "pending" and not rule.doubtful for rule in rules),
            unanswered=waiting["unanswered"],
            open_splits=waiting["split"],
            people=people,
            unnamed_people=len(person_ids) - len(people),
            person_ids=tuple(sorted(person_ids)),
            today=from_ms(now_ms(), self._zone).date(),
        )

    async def _open_cards(self, judge: JudgeSettings, value_type: ValueType) -> Counter[str]:
        """Count the cards of the last days that nobody has answered, and those on which people tie."""
        counts = Counter[str]()
        for card in await read_open_cards(self._database, judge):
            people = await self._database.feedback.of(card.verdict_id)
            counts["unanswered"] += is_unanswered(card, people, value_type)
            counts["split"] += is_split(card, people, value_type)
        return counts

    async def _figures(self, judge: JudgeSettings, value_type: ValueType, week: str) -> Digest:
        return await read_digest(self._database, judge.name, value_type, week, self._zone)

    async def _verdicts(
        self, answered: Sequence[AnsweredVerdict], value_type: ValueType
    ) -> tuple[ReportedVerdict, ...]:
        in_order = sorted(answered, key=lambda each: (each[0].judged_ms, each[0].verdict_id))
        links = await self._links_to([stored for stored, _ in in_order])
        return tuple(
            [
                reported_verdict(
                    stored,
                    votes,
                    value_type,
                    question=await self._question(stored),
                    link=links.get(stored.verdict_id, ""),
                )
                for stored, votes in in_order
            ]
        )

    async def _question(self, stored: StoredVerdict) -> str:
        trace = await self._database.traces.get(stored.verdict.trace_id)
        return stored.verdict.trace_id if trace is None else question_line(trace)

    async def _told(self, rules: Iterable[Guideline]) -> tuple[ReportedRule, ...]:
        told = []
        for rule in sorted(rules, key=lambda rule: not (rule.stands and rule.doubtful)):
            names = await self._known_names(rule.people) if self._show_votes else ()
            told.append(reported_rule(rule, names))
        return tuple(told)

    async def _names(self, people: Collection[str]) -> tuple[str, ...]:
        """Return the names of those who may be named, in alphabetical order."""
        if not self._show_votes:
            return ()
        named = [each for each in people if not await self._database.preferences.is_muted(each)]
        return tuple(sorted(await self._known_names(named), key=str.casefold))

    async def _known_names(self, people: Collection[str]) -> tuple[str, ...]:
        """Return the names of people; somebody whom Slack does not name just now has an id only, and is left out."""
        names = await self._names_of(people)
        return tuple(name for person, name in names.items() if name != person)
