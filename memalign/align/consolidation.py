"""Consolidation: guidelines that say the same become one, and those close together are distilled from their records.

Vectors propose and a model answers. No text is ever made of texts of guidelines: one of two that say the same stays as
it is, and a joint one is distilled from records.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial

from memalign.align.joint_distillation import JointDistillation, distil_jointly, with_joint_rules
from memalign.errors import ModelError
from memalign.judge import Judge
from memalign.memory.rule_groups import MIN_GROUP_RULES, close_groups
from memalign.memory.rule_pairs import MAX_PAIRS, RulePair, is_open_pair, near_pairs
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.models.pair_comparison import PairAnswers, PairComparer
from memalign.ports import ChangeCause, Distillation, Distiller
from memalign.records import Guideline, Usage

_log = logging.getLogger("memalign")

MIN_NEW_GUIDELINES = 25
"""New guidelines after which their nearest ones are compared. Set by hand: one call among 25 lessons."""
MAX_GROUPS = 2
"""Groups that are distilled jointly after one lesson. Set by hand: a lesson's cost stays bounded."""


class Consolidation:
    """Compares one judge's guidelines after lessons, and stores what came of it.

    Args:
        judge: The judge.
        memory: Its memory.
        lock: Held by whoever puts a new state in place.
        distiller: Distils records of close guidelines jointly.
        comparer: Compares guidelines.
    """

    def __init__(
        self,
        judge: Judge,
        memory: StoredState,
        lock: asyncio.Lock,
        distiller: Distiller,
        comparer: PairComparer,
    ) -> None:
        self._judge = judge
        self._memory = memory
        self._lock = lock
        self._distiller = distiller
        self._comparer = comparer

    async def run(self, distillation: Distillation, cause: ChangeCause) -> Usage:
        """Consolidate the guidelines, where a lesson gives reason to.

        Pairs are compared after a lesson of several batches, after every 25 new guidelines, and where the distiller
        takes two for the same. Records are distilled jointly once, where at least three guidelines of one record each
        lie close together. Where a model fails, it is asked again after the next lesson.

        Args:
            distillation: What was learned.
            cause: The round of learning, of which this is a part.

        Returns:
            The cost.

        Raises:
            StorageError: If the store fails; the next lesson goes on from what is stored.
        """
        is_due = _is_due(self._memory.current, distillation.batches)
        new, usage = await self._embed(1 if is_due else MIN_GROUP_RULES, cause)
        state = self._memory.current
        near = await asyncio.to_thread(_near_pairs, state) if is_due else ()
        nearest_known = state.semantic.vectors.keys() if is_due else ()
        usage += await self._compare([*_claimed_pairs(state, distillation.same), *near], nearest_known, cause)
        if new:
            usage += await self._join(new, cause)
        return usage

    async def _embed(self, least: int, cause: ChangeCause) -> tuple[Collection[str], Usage]:
        """Embed the guidelines that have no vector yet, where there are at least so many of them.

        Returns the ids of those that were embedded, and the cost.
        """
        semantic = self._memory.current.semantic
        texts = {rule.id: rule.text for rule in semantic.standing if rule.id not in semantic.vectors}
        if len(texts) < least:
            return (), Usage()
        lookup = await self._memory.vectors.parts.find(list(dict.fromkeys(texts.values())))
        if lookup.failed:
            _log.warning("Judge %s: %s", self._judge.name, next(iter(lookup.failed.values())))
        rows = {name: lookup.vectors[text] for name, text in texts.items() if text in lookup.vectors}
        await self._adopt(lambda current: current.with_guideline_vectors(rows, texts), cause)
        return rows.keys(), lookup.usage

    async def _compare(
        self, pairs: Sequence[RulePair], nearest_known: Collection[str], cause: ChangeCause
    ) -> Usage:
        """Ask about pairs, and unite the guidelines that say the same.

        `nearest_known` are the ids of the guidelines whose nearest ones are among the pairs.
        """
        asked = list({pair.key: pair for pair in pairs}.values())[:MAX_PAIRS]
        answers = PairAnswers(relations=(), usage=Usage())
        if asked:
            try:
                answers = await self._comparer.compare(self._judge.instructions, asked)
            except ModelError as error:
                _log.warning("Judge %s: guidelines are not compared yet: %s", self._judge.name, error)
                return Usage()
        comparisons = list(zip(asked, answers.relations, strict=False))
        if comparisons or nearest_known:
            await self._adopt(lambda current: current.with_comparisons(comparisons, nearest_known), cause)
        return answers.usage

    async def _join(self, new: Collection[str], cause: ChangeCause) -> Usage:
        """Distil the records of close guidelines jointly."""
        state = self._memory.current
        groups = await asyncio.to_thread(
            close_groups,
            state.semantic.standing,
            state.semantic.vectors,
            new,
            binary=state.binary,
            limit=MAX_GROUPS,
        )
        joint = await asyncio.gather(*(self._distil(state, group) for group in groups))
        now_ms = time.time_ns() // 1_000_000
        for each in joint:
            await self._adopt(partial(with_joint_rules, joint=each, now_ms=now_ms), cause)
        return sum((each.usage for each in joint), Usage())

    async def _distil(self, state: MemoryState, group: Sequence[Guideline]) -> JointDistillation:
        return await distil_jointly(
            state, group, self._judge.instructions, self._distiller, self._memory.vectors.parts
        )

    async def _adopt(self, change: Callable[[MemoryState], MemoryState], cause: ChangeCause) -> None:
        async with self._lock:
            await self._memory.change(change, cause=cause)


def _is_due(state: MemoryState, batches: int) -> bool:
    new = sum(not rule.has_been_compared for rule in state.semantic.standing)
    return new >= MIN_NEW_GUIDELINES or (bool(new) and batches > 1)


def _near_pairs(state: MemoryState) -> tuple[RulePair, ...]:
    return near_pairs(state.semantic.standing, state.semantic.vectors, binary=state.binary)


def _claimed_pairs(state: MemoryState, groups: Sequence[Sequence[str]]) -> list[RulePair]:
    """Return the pairs that the distiller takes for the same, and code could not tell to be near."""
    standing = {rule.id: rule for rule in state.semantic.standing}
    pairs = []
    for group in groups:
        rules = [standing[rule_id] for rule_id in dict.fromkeys(group) if rule_id in standing]
        pairs += [RulePair.of(rules[0], other) for other in rules[1:]]
    return [pair for pair in pairs if is_open_pair(pair, binary=state.binary)]
