"""Figures of one judge's week: verdicts, votes and the agreement between judge and people."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.feedback import Feedback
from bot.records import MIN_VERDICTS_FOR_KAPPA, Digest
from bot.reports.agreement import cohen_kappa, gwet_ac1, wilson_interval
from bot.reports.answered_weeks import AnsweredVerdict, read_touched
from bot.reports.blind_agreement import compare_blind, first_answers
from bot.reports.guideline_changes import GuidelineChanges, count_changes
from bot.reports.kappa_interval import kappa_interval
from bot.reports.memory_comparison import compare_memories
from bot.reports.score_agreement import (
    ScorePair,
    has_scores,
    mean_absolute_error,
    weighted_kappa,
    weighted_kappa_interval,
)
from bot.reports.single_votes import compare_single_votes
from bot.reports.verdict_label import (
    UNNAMED,
    LabelledVerdict,
    PeopleLabel,
    Unnamed,
    is_tied,
    label_verdict,
    person_labels,
)
from bot.reports.vote_week import has_late_vote, votes_in_week
from bot.reports.weighted_agreement import weighted_agreement
from bot.runtime.clock import week_bounds
from memalign.records import Label
from memalign.value_types import ValueType
from storage.database import Database
from storage.records import AuditLine


def compute_digest(
    judge: str,
    week: str,
    value_type: ValueType,
    verdicts: Sequence[AnsweredVerdict],
    audit: Sequence[AuditLine],
    shown: int = 0,
    late: int = 0,
) -> Digest:
    """Compute the figures of one judge's week.

    Args:
        judge: The judge's name.
        week: The ISO week, such as `2026-W47`.
        value_type: The type of the judge's values.
        verdicts: The verdicts that belong to the week, each with the feedback on it.
        audit: The week's audit lines, of all judges.
        shown: The cards posted in the week; 0 by default.
        late: The verdicts of earlier weeks that people voted on in this one; 0 by default.

    Returns:
        The digest; kappa and AC1 only from `MIN_VERDICTS_FOR_KAPPA` verdicts on, and of free texts never.
    """
    answered = [(stored, votes) for stored, feedback in verdicts if (votes := _votes(feedback))]
    cases = [case for each in answered if (case := label_verdict(*each, value_type))]
    weighted = weighted_agreement([case.weighted for case in cases])
    agreed = sum(case.agreed for case in cases)
    low, high = wilson_interval(agreed, len(cases)) if cases else (None, None)
    share = agreed / len(cases) if cases else None
    pairs = _comparable_pairs(cases, value_type) if len(cases) >= MIN_VERDICTS_FOR_KAPPA else []
    kappa_low, kappa_high = kappa_interval(pairs) or (None, None)
    scores = _score_pairs(cases, value_type)
    enough_scores = scores if len(scores) >= MIN_VERDICTS_FOR_KAPPA else []
    changes = count_changes(judge, audit)
    return Digest(
        judge=judge,
        week=week,
        n=len(cases),
        agreed=agreed,
        agreement=share,
        wilson_low=low,
        wilson_high=high,
        table=_table(cases) if value_type.kind == "bool" else None,
        kappa=cohen_kappa(pairs),
        ac1=gwet_ac1(pairs, _label_count(pairs, value_type)),
        people=len({entry.person for _, votes in answered for entry in votes}),
        guidelines_learned=len(changes.learned),
        guidelines_retired=len(changes.retired),
        forgotten=changes.forgotten,
        shown=shown,
        answered=len(answered),
        unsure=sum(all(entry.vote == "unsure" for entry in votes) for _, votes in answered),
        split=sum(is_tied(*each, value_type) for each in answered),
        unnamed=sum(_is_unnamed(votes) for _, votes in answered),
        kappa_low=kappa_low,
        kappa_high=kappa_high,
        weighted_agreement=weighted.share if weighted else None,
        weighted_low=weighted.low if weighted else None,
        weighted_high=weighted.high if weighted else None,
        weighted_kappa=weighted_kappa(enough_scores),
        mean_absolute_error=mean_absolute_error(scores),
        late=late,
        is_comparable=value_type.kind != "str",
        weighted_kappa_bounds=weighted_kappa_interval(enough_scores),
        has_scores=has_scores(value_type),
        single_votes=compare_single_votes(
            [(stored.verdict.value, person_labels(votes, value_type)) for stored, votes in answered]
        ),
        blind=compare_blind(first_answers(answered, value_type)),
        against_base=compare_memories(answered, value_type, "base"),
        against_last_week=compare_memories(answered, value_type, "last_week"),
    )


def _votes(feedback: Sequence[Feedback]) -> list[Feedback]:
    return [entry for entry in feedback if entry.vote is not None]


def _is_unnamed(votes: Sequence[Feedback]) -> bool:
    """Return whether somebody says that the judge is wrong, and nobody the right value."""
    down = [entry for entry in votes if entry.vote == "down"]
    return bool(down) and all(entry.value is None for entry in down)


def _comparable_pairs(
    cases: Sequence[LabelledVerdict], value_type: ValueType
) -> list[tuple[Label, PeopleLabel]]:
    """Return the labels of judge and people, an unnamed one as people's own; none of free texts."""
    return [] if value_type.kind == "str" else [(case.value, case.people_label) for case in cases]


def _label_count(pairs: Sequence[tuple[Label, PeopleLabel]], value_type: ValueType) -> int:
    """Return the number of labels that the judge may give, and of those beside them that were given."""
    given = {label for pair in pairs for label in pair}
    others = sum(isinstance(label, Unnamed) or not value_type.accepts(label) for label in given)
    return _declared_label_count(value_type) + others


def _declared_label_count(value_type: ValueType) -> int:
    """Return the number of labels that the judge may give; 0 where there is no end to them."""
    if value_type.kind == "bool":
        return 2
    if value_type.kind == "int" and value_type.value_range is not None:
        low, high = map(int, value_type.value_range)
        return high - low + 1
    return len(value_type.categories)


def _score_pairs(cases: Sequence[LabelledVerdict], value_type: ValueType) -> list[ScorePair]:
    if not has_scores(value_type):
        return []
    return [
        (float(case.value), UNNAMED if case.people_label is UNNAMED else float(case.people_label))
        for case in cases
    ]


def _table(cases: Sequence[LabelledVerdict]) -> dict[str, int]:
    counts = Counter((case.value, case.people_label) for case in cases)
    return {
        "judge_pass_people_pass": counts[True, True],
        "judge_pass_people_fail": counts[True, False],
        "judge_fail_people_pass": counts[False, True],
        "judge_fail_people_fail": counts[False, False],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredWeek:
    """One judge's week: the figures, and what they were computed from."""

    figures: Digest
    verdicts: Sequence[AnsweredVerdict]
    """Those that belong to the week, each with the feedback on it."""
    changes: GuidelineChanges
    """The week's, of the judge's guidelines."""


async def read_digest(
    database: Database, judge: str, value_type: ValueType, week: str, zone: ZoneInfo
) -> Digest:
    """Return the figures of one judge's ISO week, whose ends are those of the time zone."""
    return (await read_answered_week(database, judge, value_type, week, zone)).figures


async def read_answered_week(
    database: Database, judge: str, value_type: ValueType, week: str, zone: ZoneInfo
) -> AnsweredWeek:
    """Return one judge's ISO week, whose ends are those of the time zone.

    A verdict counts in the week of its first vote, with the votes as they stood at that week's end.
    """
    start, end = week_bounds(week, zone)
    touched = await read_touched(database, judge, start, end)
    shown = await database.verdicts.posted_between(judge, start, end)
    audit = await database.audit.between(start, end)

    def compute() -> AnsweredWeek:
        voted = [(each, votes_in_week(*each, value_type, week, zone)) for each in touched]
        verdicts = [(stored, votes) for (stored, _), votes in voted if votes]
        late = sum(has_late_vote(*each, value_type, week, zone) for each, votes in voted if not votes)
        figures = compute_digest(judge, week, value_type, verdicts, audit, shown, late)
        return AnsweredWeek(figures=figures, verdicts=verdicts, changes=count_changes(judge, audit))

    # a week of many replies takes a tenth of a second to read
    return await asyncio.to_thread(compute)
