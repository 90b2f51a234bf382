"""What wakes a worker: news, or that some time has passed."""

import asyncio


class WakeEvent:
    """Rung when there is something new; a ring that nobody waited for is not lost."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def set(self) -> None:
        """There is something new."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, so long at most; whether it rang."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True
