"""Tells whether one person alone teaches a judge: a rule of one is nobody else's word yet."""

from collections import Counter
from collections.abc import Iterable

from bot.plain_text import TERMINAL
from memalign.records import Guideline

NEWEST_RULES = 10
"""Rules that are looked at, and the fewest of a judge for which it is told: of fewer, most come from one person anyway.
Set by hand."""
MIN_SHARE_OF_ONE = 0.8
"""Share of them by one person alone from which on it is told. Set by hand: the issue's own case has 9 of 10, and where
five people teach alike, one has 8 or more of 10 once in some 12,000 times (binomial)."""


def one_teacher(judge: str, guidelines: Iterable[Guideline]) -> str:
    """Return the sentence on a person who alone taught most of a judge's newest rules; empty where nobody did.

    Args:
        judge: the judge's name.
        guidelines: all that its memory holds.
    """
    standing = [rule for rule in guidelines if rule.stands]
    if len(standing) < NEWEST_RULES:
        return ""
    newest = sorted(standing, key=lambda rule: rule.learned_ms)[-NEWEST_RULES:]
    alone = Counter(rule.people[0] for rule in newest if len(rule.people) == 1)
    alone.pop(TERMINAL, None)  # stands for several
    number = max(alone.values(), default=0)
    if number < MIN_SHARE_OF_ONE * NEWEST_RULES:
        return ""
    return f"{judge}: one person taught {number} of the {NEWEST_RULES} newest rules"
