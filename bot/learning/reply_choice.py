"""The choice of what a card's thread is told after a round of learning. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.feedback import Feedback
from memalign.records import Episode, Guideline, Label
from storage.records import ThreadPost


@dataclass(frozen=True, slots=True, kw_only=True)
class TellGuidelines:
    """New guidelines were learned from this trace."""

    rules: tuple[Guideline, ...]


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


ThreadReply = TellGuidelines | AskValue | AskWhy | TellCase


def choose_reply(
    *,
    rules: Sequence[Guideline],
    posts: Sequence[ThreadPost],
    feedback: Sequence[Feedback],
    episode: Episode | None,
    is_pending: bool,
) -> ThreadReply | None:
    """Choose the reply for a verdict's thread.

    Args:
        rules: guidelines in use that rest on the verdict's trace.
        posts: what stands in the thread already.
        feedback: what each person says of the verdict.
        episode: the case that the memory holds of the trace, if any.
        is_pending: whether the memory still waits to learn from the trace in full.

    Returns:
        The reply, None when there is nothing new to say.
    """
    known = {rule_id for post in posts for rule_id in post.guideline_ids}
    if new := tuple(rule for rule in rules if rule.id not in known):
        return TellGuidelines(rules=new)
    if any(each.vote == "down" and each.value is None for each in feedback):
        return AskValue()
    if rules or is_pending or episode is None:
        return None
    if reasons := [each for each in feedback if each.value is not None and each.rationale]:
        return TellCase(label=episode.label, people=tuple(each.person for each in reasons))
    return AskWhy(label=episode.label) if any(each.vote == "down" for each in feedback) else None
