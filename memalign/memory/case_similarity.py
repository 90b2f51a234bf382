"""Similarity of cases in one memory, and the floor below which a case is no precedent, found from the memory itself.

The similarity of two cases is the cosine of their vectors plus the overlap of their words. Embedding models differ:
texts with nothing in common have cosines near 0 by one model and near 0.8 by another. The cases of a memory tell what
two of them have in common anyway: of pairs of stored cases, 95 of 100 are below the floor. There are two, one of the
cosine and one of the similarity, and a case that reaches either is a precedent: where many stored cases share phrases,
no case is as similar to a record that says the same in other words.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from memalign.memory.word_overlap import WordLists, Words, WordWeights
from memalign.ports import Vector
from memalign.records import CaseText, Episode

FLOOR_PERCENTILE = 95.0
"""Share of pairs below the floor, in percent. On five sets of traces embedded by local:/wordllama it keeps a fifth of
what is nearest in memories of 20 cases, and nearly all in memories of 400."""
MIN_CASES_FOR_FLOOR = 20
"""Below it there are fewer than 190 pairs, too few for a percentile at the edge. Set by hand."""
DEFAULT_MIN_SIMILARITY = 0.15
"""The least cosine in smaller memories. Set by hand, low on purpose."""
NEAR_COPY_COSINE = 0.98
"""Pairs above it are one case twice, and say nothing of how similar different ones are."""
MAX_SAMPLE = 200
"""Cases from which the floor and the weights of words are found."""
MAX_SAMPLE_QUERIES = 25
"""Those of them that are compared with all of the sample: some 5,000 pairs, in 20 ms."""
SAMPLE_SEED = 7
"""Fixed, so that the same memory has the same floor."""

Scores = NDArray[np.float64]


class CaseSimilarity:
    """Similarities in one memory and its later versions; found anew when the number of cases has doubled or halved."""

    def __init__(self) -> None:
        self._cases = 0
        self._floors: tuple[float, float] | None = None
        """Of the cosine and of the similarity; None where there are too few different cases."""
        self._weights = WordWeights()
        self._lists = WordLists()

    def fit(self, episodes: Mapping[str, Episode], vectors: Mapping[str, Vector]) -> None:
        """Find the weights of words, and the floors, for a version where the last ones were found for another size.

        Args:
            episodes: By trace id.
            vectors: By trace id, each of shape (dimension,) and length 1; of a part of the episodes.
        """
        cases = len(vectors)
        passes_minimum = self._cases < MIN_CASES_FOR_FLOOR <= cases
        if self._cases / 2 < cases < 2 * self._cases and not passes_minimum:
            return
        names = sorted(vectors)
        sample = [
            names[place] for place in np.random.default_rng(SAMPLE_SEED).permutation(cases)[:MAX_SAMPLE]
        ]
        words = [self._lists.words(episodes[name].case_text) for name in sample]
        self._cases = cases
        self._weights = WordWeights(words)
        self._floors = self._find_floors(words, [vectors[name] for name in sample])

    @property
    def least_cosine(self) -> float:
        """The cosine that two cases with nothing special in common reach: 95 of 100 pairs are below it."""
        return DEFAULT_MIN_SIMILARITY if self._floors is None else self._floors[0]

    def scores(self, text: CaseText, others: Sequence[CaseText], cosines: Scores) -> Scores:
        """Compute similarities.

        Args:
            text: Text of a case.
            others: The texts that it is compared with.
            cosines: Of the vectors, of shape (len(others),).

        Returns:
            Of shape (len(others),), -1 to 2.
        """
        words = self._lists.words(text)
        return cosines + self._weights.overlaps(words, [self._lists.words(other) for other in others])

    def are_precedents(
        self, scores: Scores, cosines: Scores, min_similarity: float | None
    ) -> NDArray[np.bool_]:
        """Tell which cases are similar enough.

        Args:
            scores: As `scores` computes them.
            cosines: Of the same cases.
            min_similarity: Least cosine; None: the floors found from the memory, or 0.15 where that is too small.

        Returns:
            Of the shape of `scores`.
        """
        if min_similarity is None and self._floors is not None:
            least_cosine, least_score = self._floors
            return (cosines >= least_cosine) | (scores >= least_score)
        return cosines >= (DEFAULT_MIN_SIMILARITY if min_similarity is None else min_similarity)

    def _find_floors(self, words: Sequence[Words], vectors: Sequence[Vector]) -> tuple[float, float] | None:
        if len(words) < MIN_CASES_FOR_FLOOR:
            return None
        rows = np.stack(vectors)
        cosines = (rows[:MAX_SAMPLE_QUERIES] @ rows.T).astype(np.float64)
        scores = cosines + [self._weights.overlaps(each, words) for each in words[:MAX_SAMPLE_QUERIES]]
        places = np.arange(len(words))
        others = places[: len(cosines), np.newaxis] != places
        different = others & (cosines <= NEAR_COPY_COSINE)
        copies = 1 - different.sum() / others.sum()
        if _effective_cases(self._cases, float(copies)) < MIN_CASES_FOR_FLOOR:
            return None
        least_cosine, least_score = (
            float(np.percentile(each[different], FLOOR_PERCENTILE)) for each in (cosines, scores)
        )
        return least_cosine, least_score


def _effective_cases(cases: int, copies: float) -> float:
    """Return the number of different cases: the inverse of the chance that two draws give the same one.

    Args:
        cases: Number of cases.
        copies: Share of near-copies among pairs of them.
    """
    return 1 / (copies + (1 - copies) / cases)
