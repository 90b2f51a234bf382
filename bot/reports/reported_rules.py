"""The rules that a week brought and took, by their lessons, as a memory holds them now."""

from collections.abc import Iterable, Mapping, Sequence

from bot.reports.guideline_changes import GuidelineChanges
from bot.weekly_report import ReportedRule
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline


def learned_rules(changes: GuidelineChanges, rules: Sequence[Guideline]) -> list[Guideline]:
    """Return the rules that were learned and stand, each once; one that others absorbed is the one that it went into.

    Args:
        changes: the week's.
        rules: all guidelines of the memory.
    """
    holders = _by_id(rules)
    ids = (changes.current[first] for first in sorted(changes.learned))
    held = {rule.id: rule for each in ids if (rule := holders.get(each)) and rule.has_words}
    return [rule for rule in held.values() if rule.stands]


def retired_rules(changes: GuidelineChanges, rules: Iterable[Guideline]) -> list[Guideline]:
    """Return the rules that were retired and whose words the memory still holds."""
    return [rule for rule in rules if rule.id in changes.retired and rule.has_words and not rule.stands]


def reported_rule(rule: Guideline, authors: Sequence[str]) -> ReportedRule:
    """Return a rule as a digest tells it, with the names of its authors."""
    editor = () if rule.edited_by is None else (rule.edited_by.person,)
    return ReportedRule(
        guideline_id=rule.id,
        text=rule.text,
        authors=tuple(authors),
        cases=len(rule.source_trace_ids),
        trace_ids=rule.source_trace_ids,
        person_ids=(*rule.people, *editor),
        is_doubtful=rule.stands and rule.doubtful,
        is_pending=rule.pending,
    )


def _by_id(rules: Iterable[Guideline]) -> Mapping[str, Guideline]:
    """Return by id the rule that stands for each one, merged ones included."""
    return {each.id: rule for rule in rules for each in (*merged_into(rule), rule)}
