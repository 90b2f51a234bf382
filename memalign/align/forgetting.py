"""Reports of what forgetting a trace or a person takes out of one judge's memory."""

from collections.abc import Collection
from dataclasses import replace

from memalign.memory.state import MemoryState
from memalign.records import Episode, Forgotten, Guideline, Usage


def resting_on_traces(trace_ids: Collection[str], state: MemoryState) -> Forgotten:
    """Report what forgetting traces takes.

    Args:
        trace_ids: Ids of the traces; those unknown to the memory take nothing.
        state: The state of the memory.

    Returns:
        The report, a preview.
    """
    forgotten_ids = set(trace_ids)
    known = [trace_id for trace_id in dict.fromkeys(trace_ids) if trace_id in state.episodes]
    resting = state.semantic.resting_on(forgotten_ids)
    waiting = {rule.id for rule in state.semantic_without(forgotten_ids).waiting}
    people = (person for trace_id in known for person in people_of(state.episodes[trace_id]))
    return Forgotten(
        trace_ids=tuple(known),
        retired=tuple(rule for rule in resting if forgotten_ids.issuperset(rule.source_trace_ids)),
        waiting=tuple(rule for rule in resting if rule.id in waiting),
        people=tuple(dict.fromkeys(people)),
    )


def resting_on_person(person: str, state: MemoryState) -> Forgotten:
    """Report what forgetting a person takes: their part in episodes, and the guidelines they had a part in.

    Args:
        person: The person.
        state: The state of the memory.

    Returns:
        The report, a preview.
    """
    rules = [rule for rule in state.semantic.guidelines if _has_part_in(rule, person)]
    cases = [trace_id for trace_id, episode in state.episodes.items() if person in people_of(episode)]
    quoted = {source.trace_id for rule in rules for source in rule.sources if source.person == person}
    return Forgotten(
        trace_ids=tuple(dict.fromkeys((*cases, *sorted(quoted)))),
        retired=tuple(rule for rule in rules if set(rule.people) == {person}),
        waiting=tuple(rule for rule in rules if set(rule.people) != {person}),
        people=(person,) if cases or quoted else (),
    )


def distilled_again(forgotten: Forgotten, state: MemoryState, usage: Usage) -> Forgotten:
    """Add to a report what the remaining sources were distilled into, and what still waits.

    Args:
        forgotten: The report of forgetting.
        state: The state of the memory since.
        usage: The cost of distilling.

    Returns:
        The whole report.
    """
    sources = {source for rule in forgotten.waiting for source in rule.sources}
    waiting = {rule.id for rule in state.semantic.waiting}
    return replace(
        forgotten,
        distilled=tuple(rule for rule in state.semantic.in_use if not sources.isdisjoint(rule.sources)),
        left=tuple(rule for rule in forgotten.waiting if rule.id in waiting),
        usage=usage,
    )


def people_of(episode: Episode) -> tuple[str, ...]:
    """Find the people whose opinions an episode holds.

    Args:
        episode: The episode.

    Returns:
        The people, those outvoted included.
    """
    return tuple(opinion.person for opinion in (*episode.opinions, *episode.minority))


def _has_part_in(rule: Guideline, person: str) -> bool:
    return person in rule.people or any(source.person == person for source in rule.contradicted)
