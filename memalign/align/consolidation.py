"""Consolidation: guidelines that say the same become one, and those close together are distilled from their records.

Vectors propose and a model answers. No text is ever made of texts of guidelines: one of two that say the same stays as
it is, and a joint one is distilled from records.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from memalign.align.joint_distillation import JointDistillation, distil_jointly, with_joint_rules
from memalign.errors import ModelError, StaleMemoryError
from memalign.judge import Judge
from memalign.memory.rule_groups import MIN_GROUP_RULES, close_groups
from memalign.memory.rule_pairs import MAX_PAIRS, RulePair, is_open_pair, near_pairs
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.models.pair_comparison import PairComparer
from memalign.ports import Distillation, Distiller, Vector
from memalign.records import Guideline, RuleRelation, Usage

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

    async def run(self, distillation: Distillation) -> Usage:
        """Consolidate the guidelines, where a lesson gives reason to.

        Pairs are compared after a lesson of several batches, after every 25 new guidelines, and where the distiller
        takes two for the same. Records are distilled jointly once, where at least three guidelines of one record each
        lie close together. Where a model fails, it is asked again after the next lesson.

        Args:
            distillation: What was learned.

        Returns:
            The cost.

        Raises:
            StorageError: If the store fails; nothing has changed then.
        """
        state = self._memory.current
        is_due = _is_due(state, distillation.batches)
        claimed = _claimed_pairs(state, distillation.same)
        vectors, usage = await self._embed(state, is_due=is_due)
        if is_due or claimed:
            usage += await self._compare(state, vectors, claimed, is_due=is_due)
        if vectors:
            usage += await self._join()
        return usage

    async def _embed(self, state: MemoryState, *, is_due: bool) -> tuple[Mapping[str, Vector], Usage]:
        """Embed the guidelines that have no vector yet, where there are enough of them; store the vectors."""
        known = state.semantic.vectors
        missing = [rule for rule in state.semantic.standing if rule.id not in known]
        if not missing or (len(missing) < MIN_GROUP_RULES and not is_due):
            return {}, Usage()
        lookup = await self._memory.vectors.parts.find(list(dict.fromkeys(rule.text for rule in missing)))
        if lookup.failed:
            _log.warning("Judge %s: %s", self._judge.name, next(iter(lookup.failed.values())))
        rows = {rule.id: lookup.vectors[rule.text] for rule in missing if rule.text in lookup.vectors}
        texts = {rule.id: rule.text for rule in missing}
        await self._adopt(lambda current: current.with_guideline_vectors(rows, texts))
        return rows, lookup.usage

    async def _compare(
        self, state: MemoryState, vectors: Mapping[str, Vector], claimed: Sequence[RulePair], *, is_due: bool
    ) -> Usage:
        """Ask about pairs, and unite the guidelines that say the same."""
        rows = {**state.semantic.vectors, **vectors}
        standing = state.semantic.standing
        near = await asyncio.to_thread(near_pairs, standing, rows, binary=state.binary) if is_due else ()
        pairs = list({pair.key: pair for pair in (*claimed, *near)}.values())[:MAX_PAIRS]
        relations: tuple[RuleRelation, ...] = ()
        usage = Usage()
        if pairs:
            try:
                answers = await self._comparer.compare(self._judge.instructions, pairs)
            except ModelError as error:
                _log.warning("Judge %s: guidelines are not compared yet: %s", self._judge.name, error)
                return Usage()
            relations, usage = answers.relations, answers.usage
        compared = [rule.id for rule in standing if is_due and rule.id in rows]
        comparisons = list(zip(pairs, relations, strict=False))
        await self._adopt(lambda current: current.with_comparisons(comparisons, compared))
        return usage

    async def _join(self) -> Usage:
        """Distil the records of close guidelines jointly."""
        state = self._memory.current
        groups = await asyncio.to_thread(
            close_groups,
            state.semantic.standing,
            state.semantic.vectors,
            binary=state.binary,
            limit=MAX_GROUPS,
        )
        joint = await asyncio.gather(*(self._distil(state, group) for group in groups))
        now_ms = time.time_ns() // 1_000_000
        for each in joint:
            await self._adopt(lambda current, each=each: with_joint_rules(current, each, now_ms))  # type: ignore[misc]
        return sum((each.usage for each in joint), Usage())

    async def _distil(self, state: MemoryState, group: Sequence[Guideline]) -> JointDistillation:
        return await distil_jointly(
            state, group, self._judge.instructions, self._distiller, self._memory.vectors.parts
        )

    async def _adopt(self, change: Callable[[MemoryState], MemoryState]) -> None:
        async with self._lock:
            while True:
                after = change(self._memory.current)
                if after is self._memory.current:
                    return
                try:
                    await self._memory.adopt(after)
                except StaleMemoryError:
                    await self._memory.load()
                else:
                    return


def _is_due(state: MemoryState, batches: int) -> bool:
    new = sum(not rule.has_been_compared for rule in state.semantic.standing)
    return new >= MIN_NEW_GUIDELINES or (bool(new) and batches > 1)


def _claimed_pairs(state: MemoryState, groups: Sequence[Sequence[str]]) -> list[RulePair]:
    """Return the pairs that the distiller takes for the same, and code could not tell to be near."""
    standing = {rule.id: rule for rule in state.semantic.standing}
    pairs = []
    for group in groups:
        rules = [standing[rule_id] for rule_id in dict.fromkeys(group) if rule_id in standing]
        pairs += [RulePair.of(rules[0], other) for other in rules[1:]]
    return [pair for pair in pairs if is_open_pair(pair, binary=state.binary)]
