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


@dataclass(frozen=True, slots=True, kw_only=True)
class TellReading:
    """The case is remembered; its reasons are still to be read by the reflection model."""

    label: Label
    people: tuple[str, ...]
    """Those who gave a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellNothingNew:
    """The reasons of people who were thanked before gave no new guideline."""

    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TellDeclined:
    """The case is remembered; the reflection model refuses to read its reasons."""

    label: Label
    people: tuple[str, ...]


ThreadReply = (
    TellGuidelines
    | TellMerged
    | TellRefused
    | TellReading
    | TellNothingNew
    | TellDeclined
    | AskValue
    | AskWhy
    | TellCase
)
THANKS = "thanks"
"""Begins the ids of posts that tell `TellReading`."""


def choose_reply(
    *,
    rules: Sequence[Guideline],
    posts: Sequence[ThreadPost],
    feedback: Sequence[Feedback],
    episode: Episode | None,
    is_pending: bool,
    is_declined: bool = False,
    refused: Sequence[RefusedRule] = (),
) -> ThreadReply | None:
    """Choose the reply for a verdict's thread.

    Args:
        rules: guidelines in use that rest on the verdict's trace.
        posts: what stands in the thread already.
        feedback: what each person says of the verdict.
        episode: the case that the memory holds of the trace, if any.
        is_pending: whether the memory still waits to learn from the trace in full.
        is_declined: whether the reflection model refuses to read reasons on the trace.
        refused: sentences of the last round that are no rules, with their sources on this trace.

    Returns:
        The reply, None when there is nothing new to say.
    """
    known = {rule_id for post in posts for rule_id in post.guideline_ids}
    if new := tuple(rule for rule in rules if known.isdisjoint(ids_of(rule))):
        return TellGuidelines(rules=new)
    if any(each.vote == "down" and each.value is None for each in feedback):
        return AskValue()
    if episode is None:
        return None
    reasons = tuple(each.person for each in feedback if each.value is not None and each.rationale)
    if is_pending:
        return TellReading(label=episode.label, people=reasons) if reasons else None
    if rules:
        return None
    if refused:
        people = dict.fromkeys(source.person for each in refused for source in each.sources)
        return TellRefused(reason=refused[0].reason, people=tuple(people))
    if reasons:
        return _told_of_reasons(episode.label, reasons, posts, is_declined=is_declined)
    return AskWhy(label=episode.label) if any(each.vote == "down" for each in feedback) else None


def _told_of_reasons(
    label: Label, people: tuple[str, ...], posts: Sequence[ThreadPost], *, is_declined: bool
) -> ThreadReply:
    if is_declined:
        return TellDeclined(label=label, people=people)
    if any(post.post_id.startswith(THANKS) for post in posts):
        return TellNothingNew(people=people)
    return TellCase(label=label, people=people)


def ids_of(rule: Guideline) -> frozenset[str]:
    """Return the ids of a guideline and of those it stands for."""
    return frozenset({rule.id, *(each.id for each in merged_into(rule))})
