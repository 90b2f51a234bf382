"""Overlap of the words of two cases: the rarer a shared word is in the memory, the more it counts.

Vectors of whole texts tell what these are about by and large; the one word on which a verdict turns hardly moves them.
So cases are compared by their words, too: by the cosine of their sets of words, each word weighted by its inverse
document frequency as in BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009,
section 3.1). What most cases have in common, such as a long text that all were given, counts next to nothing.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memalign.records import CaseText

MAX_PART_CHARACTERS = 4_000
"""Of each part of a case, about 650 words; the rest is not compared, so that long cases hold nothing up."""
MAX_KNOWN_TEXTS = 4_096
"""Texts whose words are remembered; of cases of 200 different words they take some 7 MB."""
_BUCKETS = 2**17
"""Words are told apart by a hash. Of 10,000 words 7 in 100 share their bucket with another one, and seem a little
less rare."""
_WORD = re.compile("[\u3040-\u30ff\u3400-\u9fff]|[^\\W_\u3040-\u30ff\u3400-\u9fff]+")
"""A run of letters and digits; of Chinese and Japanese, which are written without spaces, each character."""

Words = NDArray[np.int64]
"""The different words of a case, each as the number of its bucket; of those that were given only, `_BUCKETS` more."""


class WordLists:
    """Splits texts of cases into words, and remembers those of the texts it has seen lately."""

    def __init__(self) -> None:
        self._words: dict[int, Words] = {}
        """By hash of the text: no text is kept here, so that nothing forgotten is."""

    def words(self, text: CaseText) -> Words:
        """Split a text.

        Args:
            text: The text of a case.

        Returns:
            Its words, of shape (different words,).
        """
        key = hash(text)
        known = self._words.pop(key, None)
        words = self._words[key] = _split(text) if known is None else known
        if len(self._words) > MAX_KNOWN_TEXTS:
            del self._words[next(iter(self._words))]
        return words


class WordWeights:
    """Weights of words by how rare they are.

    Args:
        sample: The words of some cases. Without any, all words weigh the same.
    """

    def __init__(self, sample: Sequence[Words] = ()) -> None:
        counts = np.zeros(_BUCKETS, dtype=np.int64)
        for words in sample:
            counts[words % _BUCKETS] += 1
        self._idf = np.log1p((len(sample) - counts + 0.5) / (counts + 0.5)).astype(np.float32)

    def overlaps(self, words: Words, others: Sequence[Words]) -> NDArray[np.float64]:
        """Compare the words of a case with those of others.

        Words that it was given only weigh together at most as much as those that it made, however many they are.

        Args:
            words: The words to compare.
            others: Those that are compared with them.

        Returns:
            Cosines of shape (len(others),), 0 to 1.
        """
        if not others:
            return np.zeros(0)
        weight_of_given = self._weight_of_given(words)
        own = np.zeros(_BUCKETS, dtype=np.float32)
        own[words % _BUCKETS] = self._weights(words, weight_of_given)
        together = np.concatenate(others)
        places = np.repeat(np.arange(len(others)), [len(each) for each in others])
        weights = self._weights(together, weight_of_given)
        products = np.bincount(places, weights * own[together % _BUCKETS], minlength=len(others))
        lengths = np.bincount(places, np.square(weights), minlength=len(others)) * np.square(own).sum()
        cosines: NDArray[np.float64] = products / np.sqrt(np.where(lengths > 0, lengths, 1))
        return cosines

    def _weights(self, words: Words, weight_of_given: float) -> NDArray[np.float32]:
        weights: NDArray[np.float32] = self._idf[words % _BUCKETS]
        weights[words >= _BUCKETS] *= weight_of_given
        return weights

    def _weight_of_given(self, words: Words) -> float:
        squared, is_given = np.square(self._idf[words % _BUCKETS]), words >= _BUCKETS
        made, given = squared[~is_given].sum(), squared[is_given].sum()
        return float(np.sqrt(made / given)) if 0 < made < given else 1.0


def _split(text: CaseText) -> Words:
    made = _buckets(text.made)
    given = _buckets(text.given) - made
    return np.fromiter((*made, *(_BUCKETS + bucket for bucket in given)), np.int64)


def _buckets(text: str) -> set[int]:
    words = set(_WORD.findall(text[:MAX_PART_CHARACTERS].casefold()))
    return {zlib.crc32(word.encode("utf-8", "surrogatepass")) % _BUCKETS for word in words}
