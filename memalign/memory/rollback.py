"""Going back to an earlier version of a memory, such that people's earlier feedback does not bring it forward again.

A case that a roll-back changes differs from the feedback that people gave on it. What they say is remembered as hashes:
while they say just that, nothing is learned from the case; as soon as they say anything else, it is learned from.
"""

import hashlib
import json
from collections.abc import Mapping

from memalign.memory.episodic import EpisodicMemory
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import MemorySnapshot, Vector
from memalign.records import CaseText, Episode, PersonLabel, RolledBackCase

OpinionMarks = frozenset[tuple[str, str]]
"""Person and a hash of what they say, of everybody who has a say on a case."""


def opinion_marks(episode: Episode | None) -> OpinionMarks:
    """Name what people say of a case, without their words.

    Args:
        episode: The case; None where nobody's feedback stands.

    Returns:
        Each person with a hash of value, reason and supported guidelines.
    """
    if episode is None:
        return frozenset()
    return frozenset((each.person, _mark(each)) for each in (*episode.opinions, *episode.minority))


def is_rolled_back(state: MemoryState, trace_id: str, episode: Episode | None) -> bool:
    """Tell whether a case was rolled back, and people say just what they said then.

    Args:
        state: The state of the memory.
        trace_id: The case's trace.
        episode: The case as people's feedback makes it now; None where nobody's stands.

    Returns:
        True if nothing is to be learned from it.
    """
    known = state.rolled_back.get(trace_id)
    return known is not None and frozenset(known.opinions) == opinion_marks(episode)


def differs_from_feedback(state: MemoryState, trace_id: str) -> bool:
    """Tell whether the memory holds something else of a case than people said of it, since they went back.

    Args:
        state: The state of the memory.
        trace_id: The case's trace.

    Returns:
        True until people change their feedback on the case.
    """
    known = state.rolled_back.get(trace_id)
    return known is not None and frozenset(known.opinions) != opinion_marks(state.episodes.get(trace_id))


def changed_texts(head: MemoryState, target: MemorySnapshot) -> list[CaseText]:
    """Find the texts of cases whose vectors the present state does not have.

    Args:
        head: The present state.
        target: The version to go back to.

    Returns:
        The texts.
    """
    return [
        each.case_text
        for name, each in target.episodes.items()
        if name not in head.episodes or head.episodes[name].case_text != each.case_text
    ]


def rolled_back_state(
    head: MemoryState,
    target: MemorySnapshot,
    case_vectors: Mapping[CaseText, Vector],
    rule_vectors: Mapping[str, Vector],
) -> MemoryState:
    """Make the state that goes back to a version.

    Args:
        head: The present state.
        target: The version.
        case_vectors: Rows of `changed_texts`, as far as they are known.
        rule_vectors: Vectors of the version's guidelines by text, as far as they are known.

    Returns:
        The state. Nothing that was distilled once is distilled again because of it.
    """
    known = head.episodic
    # those that stay are not saved again, which would give them another place in the order of learning
    episodes = {
        name: head.episodes[name] if head.episodes.get(name) == each else each
        for name, each in target.episodes.items()
    }
    rows = {
        name: row
        for name, each in episodes.items()
        if (row := _row(known, name, each, case_vectors)) is not None
    }
    outdated = [name for name in known.outdated if name in rows and rows[name] is known.vectors[name]]
    vectors = {
        rule.id: rule_vectors[rule.text]
        for rule in target.guidelines
        if not rule.waiting and rule.text in rule_vectors
    }
    untouched = {name for name in head.undistilled if head.episodes.get(name) == episodes.get(name)}
    after = head.next(
        EpisodicMemory(episodes, rows, outdated=outdated),
        SemanticMemory().with_guidelines(target.guidelines, vectors),
        untouched,
    )
    return after.with_rolled_back(_rolled_back_cases(head, episodes))


def _row(
    known: EpisodicMemory, name: str, episode: Episode, rows: Mapping[CaseText, Vector]
) -> Vector | None:
    before = known.episodes.get(name)
    if before is not None and before.case_text == episode.case_text:
        return known.vectors.get(name)
    return rows.get(episode.case_text)


def _rolled_back_cases(head: MemoryState, episodes: Mapping[str, Episode]) -> dict[str, RolledBackCase]:
    """Return the cases of which nothing is to be learned but from other feedback than the present one."""
    cases = dict(head.rolled_back)
    for name in dict.fromkeys((*head.episodes, *episodes)):
        before = head.episodes.get(name)
        if name not in cases and before != episodes.get(name):
            cases[name] = RolledBackCase(trace_id=name, opinions=tuple(sorted(opinion_marks(before))))
    return cases


def _mark(opinion: PersonLabel) -> str:
    words = json.dumps([opinion.value, opinion.rationale, list(opinion.supports)])
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
