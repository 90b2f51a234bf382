"""`local:/cases`: judges by a small statistical model fitted to the labelled cases; no key, no network."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from memalign.models.features import Features, measure
from memalign.ports import Decision, Question
from memalign.records import Episode, Label, Usage

NAME = "local:/cases"
PLACEHOLDERS: Mapping[str, Label] = {"bool": True, "int": 0, "float": 0.0, "str": "unknown"}


class CasesDecider:
    """Decides by what people said of similar cases; says in every rationale that it is no language model."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Episode, Features]] = {}

    @property
    def name(self) -> str:
        """`local:/cases`."""
        return NAME

    async def decide(self, question: Question) -> Decision:
        """Give the value and the reason; works off the event loop."""
        return await asyncio.to_thread(self._decide, question)

    def _decide(self, question: Question) -> Decision:
        episodes = list(question.episodes)
        if not episodes:
            return Decision(
                value=_placeholder(question.value_type), rationale="No language model; no case yet."
            )
        features = measure(question.fields)
        vectors = np.stack([self._features(episode).vector for episode in episodes])
        nearest = [episodes[place] for place in np.argsort(-(vectors @ features.vector), kind="stable")[:5]]
        return Decision(
            value=_majority(nearest),
            rationale=f"No language model: a small model fitted to {len(episodes)} labelled cases.",
            usage=Usage(calls=1, embedding_tokens=features.tokens),
            retrieved_trace_ids=tuple(episode.trace_id for episode in nearest),
        )

    def _features(self, episode: Episode) -> Features:
        known = self._seen.get(episode.trace_id)
        if known is None or known[0] != episode:
            known = (episode, measure(episode.fields))
            self._seen[episode.trace_id] = known
        return known[1]


def _majority(episodes: Sequence[Episode]) -> Label:
    return Counter(episode.label for episode in episodes).most_common(1)[0][0]


def _placeholder(value_type: str) -> Label:
    if value_type in PLACEHOLDERS:
        return PLACEHOLDERS[value_type]
    first: Label = json.loads(value_type)[0]
    return first
