"""`local:/extract`: distils by taking rule-like sentences from rationales, word for word; no key, no network."""

import re
from collections.abc import Sequence

from memalign.models.wordllama import WordLlamaEmbedder
from memalign.ports import Distilled, Draft, Embedder, Record
from memalign.records import Guideline

NAME = "local:/extract"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class ExtractDistiller:
    """Takes rule-like sentences from rationales, and unites those that say the same of the same label."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or WordLlamaEmbedder()

    @property
    def name(self) -> str:
        """`local:/extract`."""
        return NAME

    async def distil(
        self, instructions: str, records: Sequence[Record], known: Sequence[Guideline]
    ) -> Distilled:
        """Distil the records, given what is known already."""
        drafts = []
        for record in records:
            sentence = _SENTENCE_END.split(" ".join(record.source.quote.split()))[0]
            if len(sentence.split()) >= 4:
                drafts.append(Draft(text=sentence, sources=(record.source,), labels=(record.label,)))
        return Distilled(drafts=tuple(drafts))
