"""One round of learning: the questions to the models, and the state that their answers lead to."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from memalign.align.attribution import attribute, attribute_alone
from memalign.align.distilling_context import with_context
from memalign.align.plan import LearningPlan, without_rolled_back
from memalign.align.refusal import others_of, refused_rationales, without_refused
from memalign.errors import ModelError
from memalign.memory.case_vectors import CaseLookup, CaseVectors
from memalign.memory.embedding_cache import VectorLookup
from memalign.memory.state import MemoryState, rationales_of
from memalign.ports import (
    Distillation,
    Distiller,
    Draft,
    LabelledRationale,
    Vector,
    combine,
    opinions_read,
)
from memalign.records import CaseText, Episode, Guideline, Source, Usage

MIN_DRAFTS_FOR_THREAD = 50
"""Drafts from which on they are merged in a thread, so that they do not hold up the event loop. Set by hand: as many as
a language model's batch has rationales."""

_NO_LOOKUP = VectorLookup(vectors={}, failed={}, usage=Usage())


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundResult:
    """The models' answers in one round."""

    texts: CaseLookup
    """Of episodes."""
    drafts: VectorLookup
    """Of drafts and of guidelines that the distiller takes for the same, or for opposites."""
    distillation: Distillation
    settled: frozenset[str]
    """Ids of the waiting guidelines that were distilled again."""
    asked: frozenset[str]
    """The traces whose rationales, if they have any, were distilled or failed."""

    @property
    def without_merges(self) -> "RoundResult":
        """The same without known rules that the distiller takes for one."""
        return replace(self, distillation=replace(self.distillation, same=()))

    @property
    def retry_after(self) -> float:
        """Seconds after which a model's service asks to be called again."""
        return max(self.texts.retry_after, self.drafts.retry_after, self.distillation.retry_after)

    @property
    def usage(self) -> Usage:
        """The cost of the round."""
        return self.texts.usage + self.drafts.usage + self.distillation.usage


async def run_models(
    plan: LearningPlan,
    state: MemoryState,
    instructions: str,
    vectors: CaseVectors,
    distiller: Distiller,
    declined: Collection[str] = (),
) -> RoundResult:
    """Embed and distil what is new, and again what is pending; both at once.

    Args:
        plan: What is new.
        state: What is known, and what is pending.
        instructions: The judge's instructions.
        vectors: Embeds texts.
        distiller: Distils rationales.
        declined: Traces whose rationales the distiller is not asked about again, unless they are new.

    Returns:
        What the models answered; their failures are in it.

    Raises:
        StorageError: If stored vectors cannot be read.
    """
    semantic = state.semantic.without_opinions(plan.lost)
    pending = (state.episodes[name] for name in state.episodic.to_embed if name not in plan.put)
    rationales = _rationales(plan, state, semantic.waiting, declined)
    rationales = await with_context(rationales, plan, state, vectors)
    lookup, distillation = await asyncio.gather(
        vectors.find(episode.case_text for episode in (*plan.put.values(), *pending)),
        distil(distiller, instructions, rationales, semantic.known),
    )
    compared = _compared_texts(distillation, semantic.known)
    drafts = await vectors.parts.find(compared) if compared else _NO_LOOKUP
    return RoundResult(
        texts=lookup,
        drafts=drafts,
        distillation=distillation,
        settled=_settled(semantic.waiting, distillation),
        asked=frozenset({*plan.put, *(state.undistilled - frozenset(declined))}),
    )


def remember(before: MemoryState, plan: LearningPlan, vectors: Mapping[CaseText, Vector]) -> MemoryState:
    """Put new cases into a state before any model is asked; their rationales wait to be distilled.

    Args:
        before: The state as it is now.
        plan: What is new.
        vectors: Vectors by text, as far as they are known.

    Returns:
        The state with the cases.
    """
    plan = without_rolled_back(plan, before)
    reasoned = {rationale.source.trace_id for rationale in plan.rationales}
    rows = {
        name: vectors[episode.case_text] for name, episode in plan.put.items() if episode.case_text in vectors
    }
    return before.with_episodes(
        put=list(plan.put.values()),
        retracted=plan.retracted,
        lost=plan.lost,
        vectors=rows,
        undistilled=before.undistilled | (reasoned & plan.put.keys()),
    ).with_supports(plan.put.values())


async def apply(before: MemoryState, plan: LearningPlan, result: RoundResult) -> MemoryState:
    """Apply the models' answers to a state.

    Args:
        before: The state as it is now, which may be a later one than the models were asked with.
        plan: What is new.
        result: What the models answered.

    Returns:
        The state after the round.
    """
    plan = without_rolled_back(plan, before)
    episodes = before.episodes.changed(plan.put.values(), ())
    embedded = {**plan.put, **{name: episodes[name] for name in before.episodic.to_embed}}
    rows = result.texts.vectors
    state = before.with_episodes(
        put=list(plan.put.values()),
        retracted=plan.retracted,
        lost=plan.lost,
        vectors={
            name: rows[episode.case_text] for name, episode in embedded.items() if episode.case_text in rows
        },
        undistilled=(before.undistilled - result.asked) | (result.distillation.failed.keys() & result.asked),
    ).with_supports(plan.put.values())
    distillation = with_standing_sources(result.distillation, episodes)
    arguments = (distillation, result.settled, result.drafts.vectors, time.time_ns() // 1_000_000)
    if len(distillation.drafts) < MIN_DRAFTS_FOR_THREAD:
        return state.with_distillation(*arguments)
    return await asyncio.to_thread(state.with_distillation, *arguments)


def with_standing_sources(distillation: Distillation, episodes: Mapping[str, Episode]) -> Distillation:
    """Leave out sources that were changed or taken back while the model was reading them.

    Args:
        distillation: What the distiller made.
        episodes: The cases as they are now, by trace id.

    Returns:
        The distillation, without drafts that have no other source.
    """

    def stands(source: Source) -> bool:
        episode = episodes.get(source.trace_id)
        opinions = () if episode is None else episode.opinions
        return any((each.person, each.rationale) == (source.person, source.quote) for each in opinions)

    def standing(claims: Mapping[str, tuple[Source, ...]]) -> dict[str, tuple[Source, ...]]:
        kept = {rule_id: tuple(filter(stands, sources)) for rule_id, sources in claims.items()}
        return {rule_id: sources for rule_id, sources in kept.items() if sources}

    drafts = (_standing_draft(draft, stands) for draft in distillation.drafts)
    return replace(
        distillation,
        drafts=tuple(draft for draft in drafts if draft.sources),
        supports=standing(distillation.supports),
        contradicts=standing(distillation.contradicts),
    )


def _standing_draft(draft: Draft, stands: Callable[[Source], bool]) -> Draft:
    kept = [
        (source, label) for source, label in zip(draft.sources, draft.labels, strict=True) if stands(source)
    ]
    return replace(
        draft, sources=tuple(source for source, _ in kept), labels=tuple(label for _, label in kept)
    )


def failure_reasons(plan: LearningPlan, state: MemoryState, result: RoundResult) -> dict[str, str]:
    """Gather the models' failures trace by trace.

    Args:
        plan: What is new.
        state: The state that the models were asked with.
        result: What they answered.

    Returns:
        Trace id -> what the model said when it failed.
    """
    failed = result.texts.failed
    episodes = {name: state.episodes[name] for name in state.episodic.to_embed} | plan.put
    not_embedded = {
        name: failed[episode.case_text] for name, episode in episodes.items() if episode.case_text in failed
    }
    return {**result.distillation.failed, **not_embedded}


def _rationales(
    plan: LearningPlan, state: MemoryState, waiting: Sequence[Guideline], declined: Collection[str]
) -> list[LabelledRationale]:
    """Return those that are new, that could not be distilled before, and that waiting guidelines rest on."""
    again = rationales_of(
        state.episodes.changed(plan.put.values(), ()), waiting, state.undistilled.difference(plan.retracted)
    )
    again = [each for each in again if each.source.trace_id not in declined]
    by_opinion = {(each.source.trace_id, each.source.person): each for each in (*plan.rationales, *again)}
    return list(by_opinion.values())


def _settled(waiting: Sequence[Guideline], distillation: Distillation) -> frozenset[str]:
    return frozenset(
        rule.id
        for rule in waiting
        if not any(trace_id in distillation.failed for trace_id in rule.source_trace_ids)
    )


def _compared_texts(distillation: Distillation, known: Sequence[Guideline]) -> list[str]:
    """Return the texts of rules said to be the same or opposites: they are so if their vectors lie close together."""
    texts = {rule.id: rule.text for rule in known}
    said_same = [texts[rule_id] for group in distillation.same for rule_id in group if rule_id in texts]
    opposed = [
        text
        for draft, rule_id in distillation.conflicts
        if rule_id in texts
        for text in (draft, texts[rule_id])
    ]
    return list(dict.fromkeys((*said_same, *opposed)))


async def distil(
    distiller: Distiller,
    instructions: str,
    rationales: Sequence[LabelledRationale],
    known: Sequence[Guideline],
) -> Distillation:
    """Distil rationales, so that everybody is a source of rules in their own sense only.

    Args:
        distiller: Is asked about all rationales at once, then person by person about those that are in doubt.
        instructions: The judge's.
        rationales: What to distil.
        known: The guidelines that the distiller is shown.

    Returns:
        The distillation, without what is no rule; failures of the distiller are in it.
    """
    refused = refused_rationales(rationales)
    rationales = others_of(rationales, refused)
    attribution = attribute(await _ask(distiller, instructions, rationales, known), rationales, known)

    async def ask_alone(person: str) -> Distillation:
        own = [each.without_context for each in attribution.doubtful if each.source.person == person]
        others = [each for each in rationales if each.source.person != person]
        answer = await _ask(distiller, instructions, own, known)
        if not others:
            return attribute(answer, own, known).distillation
        return attribute_alone(answer, own, known, others)

    people = dict.fromkeys(each.source.person for each in attribution.doubtful)
    parts = [attribution.distillation, *await asyncio.gather(*map(ask_alone, people))]
    return without_refused(replace(combine(parts), refused=refused))


async def _ask(
    distiller: Distiller,
    instructions: str,
    rationales: Sequence[LabelledRationale],
    known: Sequence[Guideline],
) -> Distillation:
    if not rationales:
        return Distillation()
    try:
        distillation = await distiller.distil(instructions, rationales, known)
    except ModelError as error:
        return Distillation(
            failed={each.source.trace_id: str(error) for each in rationales},
            retry_after=getattr(error, "retry_after", None) or 0.0,
        )
    everything = opinions_read(rationales)
    same = tuple(map(tuple, distillation.same))
    return replace(
        distillation,
        same=same,
        prompted_by={group: distillation.prompted_by.get(group, everything) for group in same},
    )
