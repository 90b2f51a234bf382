"""Refusal in a round of learning: of reasons before a model reads them, and of drafts that a model makes of others."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from memalign.ports import Distillation, LabelledRationale
from memalign.records import RefusedRule
from memalign.rule_refusal import refusal_of, refusal_of_all


def without_refused(distillation: Distillation) -> Distillation:
    """Take drafts that are no rules out of a distillation.

    Args:
        distillation: What a distiller made.

    Returns:
        The distillation, with these drafts among its refused rules.
    """
    reasons = {draft.text: refusal_of(draft.text) for draft in distillation.drafts}
    refused = [
        RefusedRule(text=draft.text, reason=reason, sources=draft.sources)
        for draft in distillation.drafts
        if (reason := reasons[draft.text])
    ]
    return replace(
        distillation,
        drafts=tuple(draft for draft in distillation.drafts if not reasons[draft.text]),
        refused=(*distillation.refused, *refused),
    )


def refused_rationales(rationales: Sequence[LabelledRationale]) -> tuple[RefusedRule, ...]:
    """Find the rationales of which nothing can become a rule.

    Args:
        rationales: To be distilled.

    Returns:
        A refusal for each, in the person's words.
    """
    return tuple(
        RefusedRule(text=each.source.quote, reason=reason, sources=(each.source,))
        for each in rationales
        if (reason := refusal_of_all(each.source.quote))
    )


def others_of(
    rationales: Sequence[LabelledRationale], refused: Collection[RefusedRule]
) -> list[LabelledRationale]:
    """Leave out refused rationales.

    Args:
        rationales: To be distilled.
        refused: Those that are refused.

    Returns:
        The others, in order.
    """
    sources = {source for each in refused for source in each.sources}
    return [each for each in rationales if each.source not in sources]
