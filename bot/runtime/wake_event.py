"""An event that wakes a worker early from its wait."""

import asyncio


class WakeEvent:
    """An event that stays set until the next `wait`, so that none gets lost."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the worker that waits, or the next one that would."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait until `set` is called, for at most `seconds`.

        Returns:
            True if it was set, False when the time ran out.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
