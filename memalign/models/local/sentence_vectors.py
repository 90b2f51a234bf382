"""Vectors of texts by the sentence model, each made once in a process."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from memalign.event_loop import call_in_forked_child
from memalign.models.local import minilm
from memalign.ports import Embeddings, Matrix, Vector

MAX_VECTORS = 16_384
"""25 MB at 384 dimensions, and enough for the texts of some 1,500 traces; what was used longest ago goes first."""
_lock = threading.Lock()


class SentenceVectors:
    """Looks vectors up by the digest of a text, so that no text is kept, and embeds each missing one once.

    Args:
        embed: Makes the vectors of texts, of length 1, in the calling thread.
    """

    def __init__(self, embed: Callable[[Sequence[str]], Embeddings]) -> None:
        self._embed = embed
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()

    def look_up(self, texts: Sequence[str]) -> Matrix:
        """Look the vectors of texts up; blocks for some milliseconds a sentence that is new.

        Args:
            texts: At least one.

        Returns:
            Vectors of length 1, rows in the order of the texts.

        Raises:
            ModelRefusedError: If the sentence model cannot be loaded.
        """
        digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        with _lock:
            missing = {
                digest: text
                for digest, text in zip(digests, texts, strict=True)
                if digest not in self._vectors
            }
            if missing:
                self._vectors.update(zip(missing, self._embed([*missing.values()]).vectors, strict=True))
            rows: Matrix = np.stack([self._vectors[digest] for digest in digests])
            for digest in digests:
                self._vectors.move_to_end(digest)
            while len(self._vectors) > MAX_VECTORS:
                self._vectors.popitem(last=False)
        return rows


@cache
def installed_sentence_vectors() -> SentenceVectors | None:
    """Return the one of this process, which its judges share; None where the extra `minilm` is not installed.

    Returns:
        Vectors by `local:/minilm`. The model itself is loaded with the first text.
    """
    return SentenceVectors(minilm.embed) if minilm.is_installed() else None


def _replace_lock() -> None:
    """Replace the lock in a forked child: the thread that held it may be the parent's alone."""
    global _lock  # noqa: PLW0603 - judges of one process share the vectors
    _lock = threading.Lock()


call_in_forked_child(_replace_lock)
