"""Verdicts as a week's report tells them: the judge's value beside people's."""

from collections.abc import Sequence

from bot.feedback import Feedback
from bot.reports.verdict_label import UNNAMED, label_verdict, person_labels
from bot.weekly_report import ReportedVerdict
from memalign.value_types import ValueType
from storage.records import StoredVerdict


def reported_verdict(
    stored: StoredVerdict,
    votes: Sequence[Feedback],
    value_type: ValueType,
    *,
    question: str,
    link: str = "",
) -> ReportedVerdict:
    """Return a verdict with the label that most people gave to it.

    Args:
        stored: the verdict.
        votes: the votes that count in its week.
        value_type: its judge's.
        question: what its trace was asked.
        link: the address of its card; empty where it is not known.
    """
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
        link=link,
        is_hidden=stored.is_hidden,
    )
