"""Gathers one judge's week for its digest, in Slack and at the terminal."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, timedelta

from bot.blocks.trace_line import question_line
from bot.config import JudgeSettings, Settings
from bot.digest_words import headline_bounds
from bot.feedback import Feedback
from bot.records import Digest
from bot.reports.answered_weeks import AnsweredVerdict
from bot.reports.blind_weeks import with_blind_of_weeks
from bot.reports.digest import AnsweredWeek, read_answered_week, read_digest
from bot.reports.reported_rules import learned_rules, reported_rule, retired_rules
from bot.reports.share_difference import change_of
from bot.reports.verdict_label import UNNAMED, label_verdict, person_labels
from bot.runtime.clock import from_ms, now_ms, week_bounds, week_of
from bot.vote_marks import votes_of
from bot.weekly_report import CurvePoint, ReportedRule, ReportedVerdict, WeeklyReport
from memalign.records import Guideline
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.records import StoredVerdict

NamesOf = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
"""Returns people's names by id."""
LinksTo = Callable[[Sequence[StoredVerdict]], Awaitable[Mapping[str, str]]]
"""Returns addresses of cards by verdict id, as far as they are known."""

WEEKS_OF_CURVE = 12
UNANSWERED_DAYS = timedelta(days=3)
"""Age up to which a card that nobody has answered is told of: an older one is never chased."""


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
        before = await self._figures(judge, value_type, _weeks_before(week, 1)[0])
        changes = answered.changes
        people, unnamed = await self._people(answered)
        return WeeklyReport(
            judge=judge.name,
            title=judge.title,
            figures=figures,
            before=before,
            change=change_of(answered.figures, before),
            curve=await self._curve(judge, value_type, answered.figures, before),
            verdicts=await self._verdicts(answered.verdicts, value_type),
            learned=await self._told(learned_rules(changes, rules)),
            retired=await self._told(retired_rules(changes, rules)),
            doubtful=await self._told([rule for rule in rules if rule.stands and rule.doubtful]),
            unanswered=await self.count_unanswered(judge),
            people=people,
            unnamed_people=unnamed,
            is_running=week == week_of(from_ms(now_ms(), self._zone).date()),
        )

    async def count_unanswered(self, judge: JudgeSettings) -> int:
        """Return how many cards of the last days nobody has answered."""
        now = now_ms()
        start = now - int(UNANSWERED_DAYS.total_seconds() * 1000)
        cards = await self._database.verdicts.cards_between(judge.name, start, now)
        return sum([await self._is_unanswered(card) for card in cards if card.channel == judge.channel])

    async def _is_unanswered(self, card: StoredVerdict) -> bool:
        feedback = await self._database.feedback.of(card.verdict_id)
        return not any(votes_of(card, each) for each in feedback.values())

    async def _figures(self, judge: JudgeSettings, value_type: ValueType, week: str) -> Digest:
        return await read_digest(self._database, judge.name, value_type, week, self._zone)

    async def _curve(
        self, judge: JudgeSettings, value_type: ValueType, last: Digest, before: Digest
    ) -> tuple[CurvePoint, ...]:
        earlier = _weeks_before(before.week, WEEKS_OF_CURVE - 2)
        weeks = [*[await self._figures(judge, value_type, week) for week in earlier], before, last]
        return tuple(_curve_point(each) for each in weeks if each.n)

    async def _verdicts(
        self, answered: Sequence[AnsweredVerdict], value_type: ValueType
    ) -> tuple[ReportedVerdict, ...]:
        in_order = sorted(answered, key=lambda each: (each[0].judged_ms, each[0].verdict_id))
        links = await self._links_to([stored for stored, _ in in_order])
        return tuple(
            [
                _reported(stored, votes, value_type, await self._question(stored), links)
                for stored, votes in in_order
            ]
        )

    async def _question(self, stored: StoredVerdict) -> str:
        trace = await self._database.traces.get(stored.verdict.trace_id)
        return stored.verdict.trace_id if trace is None else question_line(trace)

    async def _told(self, rules: Iterable[Guideline]) -> tuple[ReportedRule, ...]:
        told = []
        for rule in sorted(rules, key=lambda rule: not (rule.stands and rule.doubtful)):
            names = await self._names_of(rule.people) if self._show_votes else {}
            told.append(reported_rule(rule, tuple(names.values())))
        return tuple(told)

    async def _people(self, answered: AnsweredWeek) -> tuple[tuple[str, ...], int]:
        """Return the names of the people who may be named, and how many others there are."""
        people = {entry.person for _, votes in answered.verdicts for entry in votes}
        if not self._show_votes:
            return (), len(people)
        named = [each for each in people if not await self._database.preferences.is_muted(each)]
        names = (await self._names_of(named)).values()
        return tuple(sorted(names, key=str.casefold)), len(people) - len(named)


def _curve_point(week: Digest) -> CurvePoint:
    bounds = headline_bounds(week)
    return CurvePoint(
        week=week.week, n=week.n, agreed=week.agreed, share=None if bounds is None else bounds[0]
    )


def _weeks_before(week: str, number: int) -> list[str]:
    """Return so many weeks before a week, the oldest first."""
    monday = from_ms(week_bounds(week, UTC)[0], UTC).date()
    return [week_of(monday - timedelta(weeks=each)) for each in range(number, 0, -1)]


def _reported(
    stored: StoredVerdict,
    votes: Sequence[Feedback],
    value_type: ValueType,
    question: str,
    links: Mapping[str, str],
) -> ReportedVerdict:
    labels, case = person_labels(votes, value_type), label_verdict(stored, votes, value_type)
    label = None if case is None else case.people_label
    return ReportedVerdict(
        verdict_id=stored.verdict_id,
        trace_id=stored.verdict.trace_id,
        question=question,
        value=stored.verdict.value,
        people_value=None if label is UNNAMED else label,
        agreed=None if case is None else case.agreed,
        majority=0 if label is None else labels.count(label),
        labels=len(labels),
        unsure=sum(entry.vote == "unsure" for entry in votes),
        link=links.get(stored.verdict_id, ""),
    )
