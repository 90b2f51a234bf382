"""People's decisions on the guidelines of one judge: each is stored before it counts."""

import asyncio
import time
from collections.abc import Callable

from memalign.errors import StaleMemoryError
from memalign.memory.guideline_handling import (
    added,
    approved,
    edited,
    pinned,
    restored,
    retired,
    undone,
    unpinned,
)
from memalign.memory.state import MemoryState
from memalign.memory.stored_state import StoredState
from memalign.ports import ChangeCause, GuidelineAction, GuidelineDecision
from memalign.records import Guideline, Handling

Decide = Callable[[Guideline, MemoryState, Handling], Guideline | None]
"""Returns the guideline as it is decided to be; None where it goes."""


class GuidelineEditor:
    """Changes guidelines as people decide. Asks no model and waits for no round of learning.

    Args:
        memory: The judge's memory.
        lock: Held by whoever puts a new state in place.
    """

    def __init__(self, memory: StoredState, lock: asyncio.Lock) -> None:
        self._memory = memory
        self._lock = lock

    async def add(self, text: str, person: str, *, approved_by: str = "") -> Guideline:
        """Add a guideline by hand. It rests on the person, and goes when that person is forgotten.

        Args:
            text: The rule in the person's words.
            person: The person who adds it.
            approved_by: The person who approves it at once; by default it waits where guidelines need approval.

        Returns:
            The guideline.

        Raises:
            InputError: If the text is no rule on answers, or known already.
            StorageError: If the store fails; nothing has changed then.
        """
        decision = Handling(person=person, time_ms=_now_ms())
        async with self._lock:
            while True:
                state = self._memory.current
                rule = added(state.id_namespace, text, decision, state.semantic.guidelines)
                after = state.with_addition(rule, approved_by)
                if await self._adopt(after, "add", rule.id, person):
                    return self._memory.current.guideline(rule.id)

    async def edit(self, guideline_id: str, text: str, person: str) -> Guideline:
        """Put a guideline into a person's words. It keeps its sources, and these words when they grow.

        Args:
            guideline_id: Its id.
            text: The words.
            person: The person who edits it.

        Returns:
            The guideline.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If the text is no rule on answers, or known already, or if the guideline is retired.
            StorageError: If the store fails; nothing has changed then.
        """

        def decide(rule: Guideline, state: MemoryState, decision: Handling) -> Guideline:
            return edited(rule, text, decision, state.semantic.guidelines)

        return await self._decide("edit", guideline_id, person, decide)

    async def retire(self, guideline_id: str, person: str) -> Guideline:
        """Take a guideline out of use. It never comes back by itself, in whatever words it is said again.

        Args:
            guideline_id: Its id.
            person: The person who retires it.

        Returns:
            The guideline.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If it is retired already.
            StorageError: If the store fails; nothing has changed then.
        """
        return await self._decide(
            "retire", guideline_id, person, lambda rule, _, decision: retired(rule, decision)
        )

    async def restore(self, guideline_id: str, person: str) -> Guideline:
        """Take a retired guideline back into use.

        Args:
            guideline_id: Its id.
            person: The person who restores it.

        Returns:
            The guideline; one whose words are gone waits to be distilled again.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If it is not retired, or if its words are gone with all that it rested on.
            StorageError: If the store fails; nothing has changed then.
        """
        return await self._decide(
            "restore", guideline_id, person, lambda rule, _, decision: restored(rule, decision)
        )

    async def pin(self, guideline_id: str, person: str) -> Guideline:
        """Pin a guideline: it comes first, and is never left out for room.

        Args:
            guideline_id: Its id.
            person: The person who pins it.

        Returns:
            The guideline.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If it is pinned already, or retired.
            StorageError: If the store fails; nothing has changed then.
        """
        return await self._decide(
            "pin", guideline_id, person, lambda rule, _, decision: pinned(rule, decision)
        )

    async def unpin(self, guideline_id: str, person: str) -> Guideline:
        """Unpin a guideline.

        Args:
            guideline_id: Its id.
            person: The person who unpins it.

        Returns:
            The guideline.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If it is not pinned.
            StorageError: If the store fails; nothing has changed then.
        """
        return await self._decide("unpin", guideline_id, person, lambda rule, *_: unpinned(rule))

    async def approve(self, guideline_id: str, person: str) -> Guideline:
        """Approve a guideline. It is used from now on, unless it needs more people.

        The record of one in doubt starts anew.

        Args:
            guideline_id: Its id.
            person: The person who approves it.

        Returns:
            The guideline.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If it is retired.
            StorageError: If the store fails; nothing has changed then.
        """
        return await self._decide(
            "approve", guideline_id, person, lambda rule, _, decision: approved(rule, decision)
        )

    async def undo(self, guideline_id: str, person: str, *, mark: str = "") -> Guideline | None:
        """Undo the last decision on a guideline.

        Args:
            guideline_id: Its id.
            person: The person who undoes it.
            mark: The mark of the form that is to be undone, see `form_mark`; by default whatever form it has.

        Returns:
            The guideline in the form before it; None where the decision was to add it, which takes it away.

        Raises:
            UnknownGuidelineError: If there is no such guideline.
            InputError: If there is nothing to undo, or if the guideline has another form by now.
            StorageError: If the store fails; nothing has changed then.
        """
        async with self._lock:
            return await self._changed("undo", guideline_id, person, lambda rule, *_: undone(rule, mark))

    async def _decide(
        self, action: GuidelineAction, guideline_id: str, person: str, decide: Decide
    ) -> Guideline:
        async with self._lock:
            await self._changed(action, guideline_id, person, decide)
            return self._memory.current.guideline(guideline_id)

    async def _changed(
        self, action: GuidelineAction, guideline_id: str, person: str, decide: Decide
    ) -> Guideline | None:
        """Adopt a decision, made anew where another writer was faster. Under the lock."""
        decision = Handling(person=person, time_ms=_now_ms())
        while True:
            state = self._memory.current
            rule = decide(state.guideline(guideline_id), state, decision)
            after = state.without_guideline(guideline_id) if rule is None else state.with_guideline(rule)
            if await self._adopt(after, action, guideline_id, person):
                return None if rule is None else self._memory.current.guideline(guideline_id)

    async def _adopt(
        self, after: MemoryState, action: GuidelineAction, guideline_id: str, person: str
    ) -> bool:
        decision = GuidelineDecision(action=action, guideline_id=guideline_id, person=person)
        try:
            await self._memory.adopt(
                after, cause=ChangeCause(kind="edit", people=(person,), decision=decision)
            )
        except StaleMemoryError:
            await self._memory.load()
            return False
        return True


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
