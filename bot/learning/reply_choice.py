"""The choice of what a card's thread is told after a round of learning. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.feedback import Feedback
from memalign.memory.guideline_merge import merged_into
from memalign.records import Episode, Guideline, Label, RefusedRule
from memalign.rule_refusal import Refusal
from storage.records import ThreadPost


@dataclass(frozen=True, slots=True, kw_only=True)
class TellGuidelines:
    """New guidelines were learned from this trace."""

    rules: tuple[Guideline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellMerged:
    """Feedback on this trace led to known guidelines being merged."""

    rules: tuple[Guideline, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellRefused:
    """The reasons given here are no rules on answers."""

    reason: Refusal
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskValue:
    """Somebody says that the verdict is wrong; the right value is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhy:
    """The case was learned; nobody gave a reason."""

    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class TellCase:
    """The case was learned; its reasons gave no new guideline."""

    label: Label
    people: tuple[str, ...]
    """Those who gave a reason."""


ThreadReply = TellGuidelines | TellMerged | TellRefused | AskValue | AskWhy | TellCase


def choose_reply(
    *,
    rules: Sequence[Guideline],
    posts: Sequence[ThreadPost],
    feedback: Sequence[Feedback],
    episode: Episode | None,
    is_pending: bool,
    refused: Sequence[RefusedRule] = (),
) -> ThreadReply | None:
    """Choose the reply for a verdict's thread.

    Args:
        rules: guidelines in use that rest on the verdict's trace.
        posts: what stands in the thread already.
        feedback: what each person says of the verdict.
        episode: the case that the memory holds of the trace, if any.
        is_pending: whether the memory still waits to learn from the trace in full.
        refused: sentences of the last round that are no rules, with their sources on this trace.

    Returns:
        The reply, None when there is nothing new to say.
    """
    known = {rule_id for post in posts for rule_id in post.guideline_ids}
    if new := tuple(rule for rule in rules if known.isdisjoint(ids_of(rule))):
        return TellGuidelines(rules=new)
    if any(each.vote == "down" and each.value is None for each in feedback):
        return AskValue()
    if rules or is_pending or episode is None:
        return None
    if refused:
        people = dict.fromkeys(source.person for each in refused for source in each.sources)
        return TellRefused(reason=refused[0].reason, people=tuple(people))
    if reasons := [each for each in feedback if each.value is not None and each.rationale]:
        return TellCase(label=episode.label, people=tuple(each.person for each in reasons))
    return AskWhy(label=episode.label) if any(each.vote == "down" for each in feedback) else None


def ids_of(rule: Guideline) -> frozenset[str]:
    """Return the ids of a guideline and of those it stands for."""
    return frozenset({rule.id, *(each.id for each in merged_into(rule))})
