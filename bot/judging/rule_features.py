"""The guidelines that led a judge to a verdict, as far as they tell on it: new, in doubt, or in conflict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.runtime.clock import DAY_MS
from memalign.memory.beta_posterior import probability_below_half
from memalign.records import NO_VOTES, Guideline

MAX_VOTES_ON_NEW_RULE = 4
"""A wrong guideline is in doubt after a median of five votes, see `memalign.memory.beta_posterior`."""
NEW_RULE_DAYS = 28
CHANCE_WITHOUT_VOTES = probability_below_half(NO_VOTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFeatures:
    """The part of `WrongFeatures` that tells on guidelines."""

    new: float
    doubtful: float
    conflicting: float


def rule_features(cited: Iterable[str], guidelines: Mapping[str, Guideline], now_ms: int) -> RuleFeatures:
    """Derive the features of a verdict's guidelines, the worst of each.

    Args:
        cited: ids of the guidelines that led the judge.
        guidelines: the memory's, by id.
        now_ms: the time, in milliseconds since 1970.
    """
    rules = [guidelines[each] for each in cited if each in guidelines]
    return RuleFeatures(
        new=max((float(_is_new(rule, now_ms)) for rule in rules), default=0.0),
        doubtful=max(map(_doubt, rules), default=0.0),
        conflicting=max((float(_has_conflict(rule, guidelines)) for rule in rules), default=0.0),
    )


def _is_new(rule: Guideline, now_ms: int) -> bool:
    votes = rule.record.up + rule.record.down
    added_ms = 0 if rule.added_by is None else rule.added_by.time_ms
    since_ms = max(rule.learned_ms, rule.record_since_ms, added_ms)
    return votes <= MAX_VOTES_ON_NEW_RULE and now_ms - since_ms < NEW_RULE_DAYS * DAY_MS


def _doubt(rule: Guideline) -> float:
    chance = probability_below_half(rule.record)
    return max(0.0, (chance - CHANCE_WITHOUT_VOTES) / (1 - CHANCE_WITHOUT_VOTES))


def _has_conflict(rule: Guideline, guidelines: Mapping[str, Guideline]) -> bool:
    return any(each in guidelines and guidelines[each].stands for each in rule.conflicts_with)
