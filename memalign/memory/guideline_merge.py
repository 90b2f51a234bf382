"""One guideline in the place of two that say the same, and the two again once the reason for it is gone."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from memalign.memory.text_features import shares_words
from memalign.records import (
    FORGOTTEN_PERSON,
    WAITING_TEXT,
    Guideline,
    GuidelineForm,
    Handling,
    MergedGuideline,
    OpinionKey,
    Source,
)


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
        merged=(
            *guideline.merged,
            MergedGuideline(guideline=replace(other, compared=()), prompted_by=tuple(prompted_by)),
        ),
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


def without_opinions(
    guideline: Guideline, lost: Collection[OpinionKey], forgotten_texts: Collection[str] | None = None
) -> tuple[Guideline, ...]:
    """Take opinions away from a guideline.

    Args:
        guideline: The guideline.
        lost: The opinions that no longer stand.
        forgotten_texts: Texts of the cases, where opinions and cases are forgotten; None: they are taken back.

    Returns:
        What is left: nothing where all it rests on is lost, but for one retired or edited of which that is only taken
        back: said again, it stays retired, or comes back in the person's words.
        A guideline whose text was distilled from a lost source waits to be distilled again; one in a person's words
        keeps them, unless they hold words of what is forgotten. Merged guidelines are restored where an opinion is
        lost that led to the merge, or the text that stood for them; those of a retired one are retired.
    """
    if not any(key in lost for key in opinions_of(guideline)):
        return (guideline,)
    own_keys = set(_own_sources(guideline))
    own = tuple(source for source in guideline.sources if source.key in own_keys and source.key not in lost)
    loses_text = _loses_text(guideline, lost, forgotten_texts)
    kept, restored = _split(guideline, lost, forgotten_texts, is_restored=loses_text)
    alone = replace(
        guideline,
        sources=own,
        contradicted=tuple(source for source in guideline.contradicted if source.key not in lost),
        own_sources=tuple(source.key for source in own) if kept else (),
        merged=tuple(kept),
        previous=None,
    )
    if forgotten_texts is not None:
        alone = replace(alone, worded_by=tuple(key for key in alone.worded_by if key not in lost))
    if loses_text:
        alone = replace(alone, text=WAITING_TEXT, waiting=True, edited_by=None, worded_by=())
    for each in kept:
        alone = replace(alone, sources=union(alone.sources, each.guideline.sources))
    # a decided guideline that people take back keeps the names of their opinions, so that these can be forgotten
    taken_back = _outlives_sources(alone) and forgotten_texts is None
    if taken_back:
        alone = replace(alone, worded_by=guideline.worded_by or tuple(sorted(own_keys)))
    rests_on_something = bool(
        own or alone.added_by or taken_back or (_outlives_sources(alone) and alone.worded_by)
    )
    return (alone, *restored) if rests_on_something else tuple(restored)


def _loses_text(
    guideline: Guideline, lost: Collection[OpinionKey], forgotten_texts: Collection[str] | None
) -> bool:
    if forgotten_texts is None and (guideline.retired or guideline.is_worded_by_hand):
        return False
    if guideline.is_worded_by_hand:
        quotes = [source.quote for source in guideline.sources if source.key in lost]
        return any(shares_words(guideline.text, text) for text in (*quotes, *(forgotten_texts or ())))
    return any(key in lost for key in guideline.worded_by or _own_sources(guideline))


def without_person(guideline: Guideline, person: str) -> tuple[Guideline, ...]:
    """Forget what a person decided on a guideline, and the words they gave it.

    Args:
        guideline: The guideline.
        person: The person.

    Returns:
        The guideline, in the words of whoever added it or waiting to be distilled again where its words were theirs;
        nothing where it rests on them alone.
    """
    merged = tuple(
        replace(each, guideline=part)
        for each in guideline.merged
        for part in without_person(each.guideline, person)
    )
    rule = replace(guideline, merged=merged) if merged != guideline.merged else guideline
    deciders = (rule.added_by, rule.edited_by, rule.retired_by, rule.pinned_by)
    if rule.approved_by != person and not any(each and each.person == person for each in deciders):
        earlier = rule.previous
        had_part = earlier is not None and person in _deciders_of(earlier)
        return (replace(rule, previous=None),) if had_part else (rule,)
    is_theirs = bool(rule.edited_by and rule.edited_by.person == person)
    added_by = None if rule.added_by and rule.added_by.person == person else rule.added_by
    if added_by is not rule.added_by and rule.added_by is not None:
        is_theirs = is_theirs or rule.edited_by is None or shares_words(rule.text, rule.added_by.text)
    rule = replace(
        rule,
        added_by=added_by,
        edited_by=None if is_theirs else rule.edited_by,
        retired_by=_anonymous(rule.retired_by, person),
        pinned_by=_anonymous(rule.pinned_by, person),
        approved_by=FORGOTTEN_PERSON if rule.approved_by == person else rule.approved_by,
        previous=None,
    )
    if is_theirs:
        words = added_by.text if added_by else ""
        rule = replace(rule, text=words or WAITING_TEXT, waiting=not words)
    return (rule,) if rule.people or (_outlives_sources(rule) and rule.worded_by) else ()


def _outlives_sources(guideline: Guideline) -> bool:
    """Tell whether a guideline stays, out of use, while nobody supports it: people decided what becomes of it."""
    return guideline.retired or guideline.edited_by is not None


def _deciders_of(form: GuidelineForm) -> set[str]:
    decisions = (form.edited_by, form.retired_by, form.pinned_by)
    return {each.person for each in decisions if each} | {form.approved_by}


def people_of(guideline: Guideline) -> tuple[str, ...]:
    """Find the people who taught a guideline or decided on it.

    Args:
        guideline: The guideline.

    Returns:
        The people, those it rests on first; one who was forgotten is `FORGOTTEN_PERSON`.
    """
    deciders = [
        each.person for each in (guideline.edited_by, guideline.pinned_by, guideline.retired_by) if each
    ]
    return tuple(
        dict.fromkeys(person for person in (*guideline.people, *deciders, guideline.approved_by) if person)
    )


def _anonymous(decision: Handling | None, person: str) -> Handling | None:
    if decision is None or decision.person != person:
        return decision
    return replace(decision, person=FORGOTTEN_PERSON)


def opinions_of(guideline: Guideline) -> Iterator[OpinionKey]:
    """Find the opinions that a guideline holds.

    Args:
        guideline: The guideline.

    Yields:
        Its sources, for it and against it, those of its text, those of merged guidelines and of the merges.
    """
    for source in (*guideline.sources, *guideline.contradicted):
        yield source.key
    yield from guideline.worded_by
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
    guideline: Guideline,
    lost: Collection[OpinionKey],
    forgotten_texts: Collection[str] | None,
    *,
    is_restored: bool,
) -> tuple[list[MergedGuideline], list[Guideline]]:
    """Part the merged guidelines that stay so from those that are guidelines of their own again."""
    kept: list[MergedGuideline] = []
    restored: list[Guideline] = []
    for each in guideline.merged:
        parts = without_opinions(each.guideline, lost, forgotten_texts)
        changed = [part.text for part in parts] != [each.guideline.text]
        if is_restored or changed or any(key in lost for key in each.prompted_by):
            restored += [replace(part, retired_by=part.retired_by or guideline.retired_by) for part in parts]
        else:
            kept.append(replace(each, guideline=parts[0]))
    return kept, restored
