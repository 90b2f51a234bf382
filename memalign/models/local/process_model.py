"""A local model's one copy in a process."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from memalign.event_loop import call_in_forked_child

ModelT = TypeVar("ModelT")


class ProcessModel(Generic[ModelT]):
    """A model that is loaded when it is first used, once in a process. Made once, at the top of a module.

    Args:
        load: Loads the model, in the thread that uses it first; others wait. Where it fails, the next use tries again.
    """

    def __init__(self, load: Callable[[], ModelT]) -> None:
        self._load = load
        self._loaded: list[ModelT] = []
        self._lock = threading.Lock()
        call_in_forked_child(self._replace_lock)

    def get(self) -> ModelT:
        """Load the model unless it is loaded.

        Returns:
            The model.
        """
        with self._lock:
            if not self._loaded:
                self._loaded.append(self._load())
            return self._loaded[0]

    def _replace_lock(self) -> None:
        """Replace the lock in a forked child: the thread that held it may be the parent's alone."""
        self._lock = threading.Lock()
