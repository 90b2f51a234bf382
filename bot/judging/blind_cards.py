"""The choice of the cards that ask before they show the verdict."""

from bot.config import JudgeSettings, Settings
from bot.judging.sampling import asks_first
from storage.database import Database


class BlindCards:
    """Decides, by chance alone, which cards ask first; a card that was kept stays as it is."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._share = settings.sampling.blind
        self._database = database

    async def includes(self, judge: JudgeSettings, trace_id: str) -> bool:
        """Return whether the card of a judge's verdict on a trace asks first. Raises `StorageError`.

        That of free text never does: its value can neither be pressed nor compared.
        """
        if not self._share or judge.feedback_value_type == "str":
            return False
        return asks_first(trace_id, judge.name, self._share, await self._database.traces.sampling_key())
