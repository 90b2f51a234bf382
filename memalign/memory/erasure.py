"""Episodes and guidelines of earlier versions without what is forgotten. Pure.

What an earlier version shows after a forget is made by the functions that make the memory itself forget.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace

from memalign.memory.guideline_merge import merged_into, opinions_of, without_opinions, without_person
from memalign.records import Episode, ForgetTarget, Guideline, GuidelineForm, PersonTarget, TraceTarget
from memalign.votes import tally_opinions


def episode_without(episode: Episode, target: ForgetTarget) -> Episode | None:
    """Take what is forgotten out of a case.

    Args:
        episode: The case.
        target: The trace or the person.

    Returns:
        The case with the label of those who are left; None where nobody is, or where it is the trace's own.
    """
    if isinstance(target, TraceTarget):
        return None if episode.trace_id == target.trace_id else episode
    opinions = (*episode.opinions, *episode.minority)
    left = [opinion for opinion in opinions if opinion.person != target.person]
    if len(left) == len(opinions):
        return episode
    votes = tally_opinions(sorted(left, key=lambda opinion: opinion.time_ms))
    if votes is None:
        return None
    return replace(episode, label=votes.label, opinions=votes.opinions, minority=votes.minority)


def guideline_without(rule: Guideline, target: ForgetTarget, texts: Collection[str]) -> tuple[Guideline, ...]:
    """Take what is forgotten out of a guideline.

    Args:
        rule: The guideline.
        target: The trace or the person.
        texts: The words that are forgotten, see `words_of`: a guideline in a person's words loses them if it holds
            any of these.

    Returns:
        The guideline, or what is left of it and of those it stood for; nothing where all it rests on is forgotten.
    """
    if isinstance(target, TraceTarget):
        lost = {key for key in opinions_of(rule) if key[0] == target.trace_id}
        return without_opinions(rule, lost, texts)
    return tuple(
        part
        for remaining in without_person(rule, target.person)
        for part in without_opinions(
            remaining, {key for key in opinions_of(remaining) if key[1] == target.person}, texts
        )
    )


def words_of(episode: Episode, target: ForgetTarget) -> Iterator[str]:
    """Find the words of a case that are forgotten.

    Args:
        episode: The case.
        target: The trace or the person.

    Yields:
        Of a trace the texts of its own case; of a person their reasons.
    """
    if isinstance(target, PersonTarget):
        for opinion in (*episode.opinions, *episode.minority):
            if opinion.person == target.person:
                yield opinion.rationale
    elif episode.trace_id == target.trace_id:
        yield from episode.case_text


def people_in_episode(episode: Episode) -> set[str]:
    """Find the people whose opinions a case holds.

    Args:
        episode: The case.

    Returns:
        Their ids.
    """
    return {opinion.person for opinion in (*episode.opinions, *episode.minority)}


def people_in_guideline(rule: Guideline) -> set[str]:
    """Find everybody whose name or words a guideline holds.

    Args:
        rule: The guideline, with those it stands for.

    Returns:
        Their ids.
    """
    people = {person for _, person in opinions_of(rule)}
    for each in (rule, *merged_into(rule)):
        people |= _deciders_of(each.form) | {person for _, person in each.own_sources}
        if each.added_by:
            people.add(each.added_by.person)
        if each.previous:
            people |= _deciders_of(each.previous)
    return people


def traces_in_guideline(rule: Guideline) -> set[str]:
    """Find the traces that a guideline rests on, or that are against it.

    Args:
        rule: The guideline, with those it stands for.

    Returns:
        Their ids.
    """
    return {trace_id for trace_id, _ in opinions_of(rule)}


def _deciders_of(form: GuidelineForm) -> set[str]:
    decisions = (form.edited_by, form.retired_by, form.pinned_by)
    return {each.person for each in decisions if each} | ({form.approved_by} if form.approved_by else set())
