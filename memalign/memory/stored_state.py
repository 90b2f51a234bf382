"""The current state of a judge's memory together with its copy in a store."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from memalign.errors import StaleMemoryError, UnknownVersionError
from memalign.memory.case_vectors import CaseVectors, row_of, with_current_text
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.rollback import changed_texts, rolled_back_state
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.ports import LEARNING, ChangeCause, MemoryChange, MemoryStore
from memalign.records import Episode


class StoredState:
    """The state as it stands. What is adopted is stored first. One writer at a time may change it.

    Args:
        state: The state to begin with.
        vectors: Embeds the texts of cases, and keeps vectors in the store.
        store: Keeps the memory; None: it is kept in this process only.
    """

    def __init__(self, state: MemoryState, vectors: CaseVectors, store: MemoryStore | None = None) -> None:
        self.current = state
        self.vectors = vectors
        self._store = store
        self._stored_version = 0
        self.on_foreign_forget: Callable[[Collection[str]], None] = lambda _: None
        """Called with the ids of cases that are gone when what is loaded was forgotten by another process."""

    @property
    def durable(self) -> bool:
        """True if there is a store."""
        return self._store is not None

    @property
    def stored_version(self) -> int:
        """The version in the store that the state was read or written as; 0 without a store."""
        return self._stored_version

    async def load(self) -> None:
        """Read the state from the store, if there is one, with the vectors that the model in use has made before.

        Raises:
            StorageError: If the store cannot be read.
        """
        if self._store is None:
            return
        snapshot = await self._store.load(self.current.judge)
        rules = [rule for rule in snapshot.guidelines if not rule.waiting]
        rows = await self.vectors.parts.known(rule.text for rule in rules)
        loaded = (
            replace(self.current, first_name=snapshot.first_name)
            .next(
                await self._episodic(snapshot.episodes),
                SemanticMemory().with_guidelines(
                    snapshot.guidelines, {rule.id: rows[rule.text] for rule in rules if rule.text in rows}
                ),
                snapshot.undistilled,
            )
            .with_rolled_back(snapshot.rolled_back)
        )
        await build_graph_if_needed(loaded)
        before, known = self.current, self._stored_version
        self.current, self._stored_version = replace(loaded, number=snapshot.number), snapshot.version
        if snapshot.forget_version > known:
            self.on_foreign_forget(before.episodes.keys() - loaded.episodes.keys())

    async def _episodic(self, stored: Mapping[str, Episode]) -> EpisodicMemory:
        """Return the episodes with their rows; a vector of the whole text serves until a row is made."""
        episodes = {name: with_current_text(episode) for name, episode in stored.items()}
        known = await self.vectors.known(episode.case_text for episode in episodes.values())
        rows = {name: known[each.case_text] for name, each in episodes.items() if each.case_text in known}
        earlier = {name: stored[name].text for name in episodes.keys() - rows.keys()}
        vectors = await self.vectors.parts.known(earlier.values())
        outdated = {name: vectors[text] for name, text in earlier.items() if text in vectors}
        rows.update({name: row_of(vector, vector) for name, vector in outdated.items()})
        return EpisodicMemory(episodes, rows, outdated=outdated)

    async def rolled_back(self, number: int) -> MemoryState:
        """Make the state that goes back to a version in the store. Nothing is changed.

        Args:
            number: The version, from 0.

        Returns:
            The state, to be adopted.

        Raises:
            UnknownVersionError: If there is no such version, as in a memory without a store.
            StorageError: If the store cannot be read.
        """
        if self._store is None:
            raise UnknownVersionError("A memory without a store has no earlier versions.")
        stored = await self._store.load_version(self.current.judge, number)
        episodes = {name: with_current_text(episode) for name, episode in stored.episodes.items()}
        target = replace(stored, episodes=episodes)
        rows = await self.vectors.known(changed_texts(self.current, target))
        rule_rows = await self.vectors.parts.known(
            rule.text for rule in target.guidelines if not rule.waiting
        )
        return rolled_back_state(self.current, target, rows, rule_rows)

    async def adopt(
        self,
        after: MemoryState,
        forgotten: Collection[str] = (),
        cause: ChangeCause = LEARNING,
    ) -> None:
        """Store the change, then put the new state in place.

        Args:
            after: A state made from the current one.
            forgotten: Ids of the traces that are forgotten with it; nothing of theirs stays anywhere.
            cause: The cause, for the log of versions and the audit; by default feedback was learned.

        Raises:
            StaleMemoryError: If another writer has changed the stored memory; `load`, and make the state anew.
            StorageError: If the store cannot be written; the state stays as it is.
        """
        before = self.current
        change = after.change_from(before)
        await self._drop_vectors(before, after, forgotten)
        await self._keep_vectors(before, after, change)
        is_changed = change != MemoryChange(undistilled=before.undistilled)
        # what is forgotten may be in a version that only the store knows: saving finds that out
        if self._store is not None and (is_changed or forgotten or cause.forgets):
            now_ms = time.time_ns() // 1_000_000
            change = replace(change, from_version=self._stored_version, at_ms=now_ms, cause=cause)
            after = replace(after, number=await self._store.save(after.judge, change))
            self._stored_version += 1
        after.episodic.note_stored()
        self.current = after

    async def change(
        self,
        make: Callable[[MemoryState], MemoryState],
        forgotten: Collection[str] = (),
        cause: ChangeCause = LEARNING,
    ) -> MemoryState:
        """Adopt a state made from the current one; it is made anew where another writer was faster.

        Args:
            make: Makes the next state; the same where nothing is to be changed.
            forgotten: As for `adopt`.
            cause: As for `adopt`.

        Returns:
            The state that was changed, as it was before.

        Raises:
            StorageError: If the store fails; nothing has changed then.
        """
        while True:
            before = self.current
            after = make(before)
            # what is to be forgotten may be in a version that only the store knows
            if after is before and not cause.forgets:
                return before
            try:
                await self.adopt(after, forgotten, cause)
            except StaleMemoryError:
                await self.load()
            else:
                return before

    async def _drop_vectors(
        self, before: MemoryState, after: MemoryState, forgotten: Collection[str]
    ) -> None:
        texts = [
            part for name in forgotten if name in before.episodes for part in before.episodes[name].case_text
        ]
        stale = before.semantic.vectors.keys() - after.semantic.vectors.keys()
        await self.vectors.parts.drop({*forgotten, *stale}, texts)

    async def _keep_vectors(self, before: MemoryState, after: MemoryState, change: MemoryChange) -> None:
        for name in after.episodic.changed_ids(before.episodic):
            row = after.episodic.vectors.get(name)
            if row is not None and before.episodic.vectors.get(name) is not row:
                await self.vectors.keep(name, after.episodes[name].case_text, row)
        for rule in change.put_guidelines:
            if rule.id in after.semantic.vectors and rule.id not in before.semantic.vectors:
                await self.vectors.parts.keep(rule.id, {rule.text: after.semantic.vectors[rule.id]})


async def build_graph_if_needed(state: MemoryState) -> None:
    """Build the search graph of a large memory in a thread; searches go on without it meanwhile.

    Args:
        state: The state whose episodes are searched.
    """
    if state.episodic.needs_graph:
        await asyncio.to_thread(state.episodic.build_graph)
