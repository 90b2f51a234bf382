"""One guideline in the place of two that say the same, and the two again once the reason for it is gone."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from memalign.records import Guideline, MergedGuideline, OpinionKey, Source

WAITING_TEXT = "(To be distilled again from the feedback that remains.)"
"""Stands for the text of a guideline that lost a source of it: that text may hold the lost source's words."""


def merge(guideline: Guideline, other: Guideline, prompted_by: Sequence[OpinionKey]) -> Guideline:
    """Let a guideline stand for another one.

    Args:
        guideline: The one that stays; its text stays as it is.
        other: The one that it stands for from now on.
        prompted_by: The opinions in front of the model that took the two for one.

    Returns:
        The guideline with the sources of both.
    """
    return replace(
        guideline,
        sources=union(guideline.sources, other.sources),
        own_sources=_own_sources(guideline),
        merged=(*guideline.merged, MergedGuideline(guideline=other, prompted_by=tuple(prompted_by))),
    )


def with_support(guideline: Guideline, sources: Sequence[Source]) -> Guideline:
    """Add sources that support a guideline; its text stays as it is.

    Args:
        guideline: The guideline.
        sources: Those it has already count once.

    Returns:
        The guideline with all of them.
    """
    new = tuple(source.key for source in sources)
    own = tuple(dict.fromkeys((*guideline.own_sources, *new))) if guideline.merged else ()
    worded_by = guideline.worded_by or tuple(source.key for source in guideline.sources)
    return replace(guideline, sources=union(guideline.sources, sources), own_sources=own, worded_by=worded_by)


def with_merged_support(guideline: Guideline, merged_id: str, sources: Sequence[Source]) -> Guideline:
    """Add sources that support a merged guideline, in its own words.

    Args:
        guideline: The one that stands for it.
        merged_id: Id of the merged guideline, at any depth; an unknown one changes nothing.
        sources: Those it has already count once.

    Returns:
        The guideline with all of them.
    """
    merged = tuple(
        replace(
            each,
            guideline=with_support(each.guideline, sources)
            if each.guideline.id == merged_id
            else with_merged_support(each.guideline, merged_id, sources),
        )
        for each in guideline.merged
    )
    for each in merged:
        guideline = replace(guideline, sources=union(guideline.sources, each.guideline.sources))
    return replace(guideline, merged=merged)


def merged_into(guideline: Guideline) -> Iterator[Guideline]:
    """Find the guidelines that another one stands for.

    Args:
        guideline: The one that stands for them.

    Yields:
        The merged guidelines, those merged into them included.
    """
    for each in guideline.merged:
        yield each.guideline
        yield from merged_into(each.guideline)


def without_opinions(guideline: Guideline, lost: Collection[OpinionKey]) -> tuple[Guideline, ...]:
    """Take opinions away from a guideline.

    Args:
        guideline: The guideline.
        lost: The opinions that no longer stand.

    Returns:
        What is left: nothing where all its sources are lost. A guideline whose text was distilled from a lost source
        waits to be distilled again. Merged guidelines are restored where an opinion is lost that led to the merge, or
        the text that stood for them.
    """
    if not any(key in lost for key in opinions_of(guideline)):
        return (guideline,)
    own_keys = set(_own_sources(guideline))
    own = tuple(source for source in guideline.sources if source.key in own_keys and source.key not in lost)
    loses_text = any(key in lost for key in guideline.worded_by or own_keys)
    kept, restored = _split(guideline.merged, lost, is_restored=loses_text)
    alone = replace(
        guideline,
        sources=own,
        contradicted=tuple(source for source in guideline.contradicted if source.key not in lost),
        own_sources=tuple(source.key for source in own) if kept else (),
        merged=tuple(kept),
    )
    if loses_text:
        alone = replace(alone, text=WAITING_TEXT, waiting=True, worded_by=())
    for each in kept:
        alone = replace(alone, sources=union(alone.sources, each.guideline.sources))
    return (alone, *restored) if own or alone.added_by else tuple(restored)


def opinions_of(guideline: Guideline) -> Iterator[OpinionKey]:
    """Find the opinions that a guideline holds.

    Args:
        guideline: The guideline.

    Yields:
        Its sources, for it and against it, those of merged guidelines, and those that led to the merges.
    """
    for source in (*guideline.sources, *guideline.contradicted):
        yield source.key
    for each in guideline.merged:
        yield from each.prompted_by
        yield from opinions_of(each.guideline)


def contradictions_of(guideline: Guideline) -> tuple[Source, ...]:
    """Find the rationales against a guideline or one of those it stands for.

    Args:
        guideline: The guideline.

    Returns:
        The rationales.
    """
    contradicted = guideline.contradicted
    for each in guideline.merged:
        contradicted = union(contradicted, contradictions_of(each.guideline))
    return contradicted


def union(sources: Sequence[Source], more: Sequence[Source]) -> tuple[Source, ...]:
    """Unite sources; of one opinion the first stays.

    Args:
        sources: Sources.
        more: Further ones.

    Returns:
        All of them, each opinion once.
    """
    united = {source.key: source for source in sources}
    for source in more:
        united.setdefault(source.key, source)
    return tuple(united.values())


def _own_sources(guideline: Guideline) -> tuple[OpinionKey, ...]:
    return guideline.own_sources if guideline.merged else tuple(source.key for source in guideline.sources)


def _split(
    merged: Sequence[MergedGuideline], lost: Collection[OpinionKey], *, is_restored: bool
) -> tuple[list[MergedGuideline], list[Guideline]]:
    """Part the merged guidelines that stay so from those that are guidelines of their own again."""
    kept: list[MergedGuideline] = []
    restored: list[Guideline] = []
    for each in merged:
        parts = without_opinions(each.guideline, lost)
        changed = [part.text for part in parts] != [each.guideline.text]
        if is_restored or changed or any(key in lost for key in each.prompted_by):
            restored += parts
        else:
            kept.append(replace(each, guideline=parts[0]))
    return kept, restored
