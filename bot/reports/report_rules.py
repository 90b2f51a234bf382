"""A judge's guidelines with their credit, for its report."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo

from bot.judge_report import ReportRule, RuleGroup
from bot.plain_text import LACKS, disagreement
from bot.reports.guideline_numbers import number_guidelines
from bot.reports.guideline_order import by_record
from bot.runtime.clock import from_ms
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline, Lack
from storage.guideline_uses import GuidelineUse

LACKS_IN_REPORT: Mapping[Lack, str] = {**LACKS, "trial": "it is to be tried on earlier cases"}


def report_rules(
    guidelines: Iterable[Guideline],
    uses: Mapping[str, GuidelineUse],
    names: Mapping[str, str],
    zone: tzinfo,
) -> list[ReportRule]:
    """Return a judge's guidelines in the order in which people read them.

    Args:
        guidelines: all that its memory holds, in order of learning.
        uses: the use of each, by id.
        names: people's names by id; nobody is named who is not in it.
        zone: the time zone of the times.
    """
    rules = list(guidelines)
    numbers = number_guidelines(rules)
    return [_report_rule(rule, numbers[rule.id], uses, names, zone) for rule in by_record(rules)]


def _report_rule(
    rule: Guideline,
    number: int,
    uses: Mapping[str, GuidelineUse],
    names: Mapping[str, str],
    zone: tzinfo,
) -> ReportRule:
    ids = (rule.id, *(each.id for each in merged_into(rule)))
    return ReportRule(
        number=number,
        text=rule.text if rule.has_words else "",
        group=_group(rule),
        note=_note(rule),
        up=rule.record.up,
        down=rule.record.down,
        cases=len(rule.source_trace_ids),
        people=len(rule.people),
        names=tuple(names[person] for person in rule.people if person in names),
        since=from_ms(rule.learned_ms, zone) if rule.learned_ms else None,
        led=sum(uses[each].led for each in ids if each in uses),
        trial=rule.trial,
    )


def _group(rule: Guideline) -> RuleGroup:
    if rule.retired or rule.overruled:
        return "retired"
    if rule.stands and rule.doubtful:
        return "doubtful"
    return "used" if rule.in_use else "waiting"


def _note(rule: Guideline) -> str:
    """Return why a guideline is not simply in use, for somebody who does not talk with the bot."""
    if rule.retired:
        return "Somebody retired it."
    if rule.overruled:
        return "Those who taught it have said the opposite since."
    if rule.waiting:
        return "It is to be learned again from what remains after a forgetting."
    if rule.doubtful:
        kept = " It is pinned, and so still used." if rule.pinned else ""
        return f"In doubt: {disagreement(rule)}.{kept}"
    if rule.is_held_back and rule.trial is not None:
        return f"Held back: its trial broke {rule.trial.broke} and fixed {rule.trial.fixed}."
    if rule.lacks:
        return f"Not used yet: {' and '.join(LACKS_IN_REPORT[lack] for lack in rule.lacks)}."
    if rule.conflicts_with:
        return "Another guideline says the opposite."
    return "Pinned: it comes first, and is never left out." if rule.pinned else ""
