"""Differences between two versions of a memory. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from memalign.records import Episode, Guideline, GuidelineChange, MemoryDiff


def diff_of(
    *,
    guidelines_before: Iterable[Guideline],
    guidelines_after: Iterable[Guideline],
    episodes_before: Mapping[str, Episode],
    episodes_after: Mapping[str, Episode],
) -> MemoryDiff:
    """Compare two versions, or the parts of them that may differ.

    Args:
        guidelines_before: Guidelines of the first version.
        guidelines_after: Guidelines of the second version.
        episodes_before: Cases of the first version, by trace id.
        episodes_after: Cases of the second version, by trace id.

    Returns:
        What came, what went, and what both have in different forms.
    """
    before = {rule.id: rule for rule in guidelines_before}
    after = {rule.id: rule for rule in guidelines_after}
    return MemoryDiff(
        came=tuple(rule for rule_id, rule in after.items() if rule_id not in before),
        went=tuple(rule for rule_id, rule in before.items() if rule_id not in after),
        changed=tuple(
            GuidelineChange(before=before[rule_id], after=rule)
            for rule_id, rule in after.items()
            if rule_id in before and without_bookkeeping(before[rule_id]) != without_bookkeeping(rule)
        ),
        cases_came=tuple(each for name, each in episodes_after.items() if name not in episodes_before),
        cases_went=tuple(each for name, each in episodes_before.items() if name not in episodes_after),
        cases_changed=tuple(
            each
            for name, each in episodes_after.items()
            if name in episodes_before and episodes_before[name] != each
        ),
    )


def without_bookkeeping(rule: Guideline) -> Guideline:
    """Leave out what a guideline holds for the work of models alone; nothing of that makes a version.

    Args:
        rule: The guideline.

    Returns:
        The guideline without notes on comparisons that were made.
    """
    return replace(rule, compared=(), has_been_compared=False, has_been_joined=False)
