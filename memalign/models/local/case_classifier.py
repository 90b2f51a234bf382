"""`local:/cases`: judges by a small statistical model fitted to the labelled cases; no key, no network."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from memalign.models.local import explanations as phrases
from memalign.models.local.features import Features, measure
from memalign.models.local.linear_model import FEWEST, Case, Fit, fit
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Episode, Json, Label, Usage
from memalign.value_types import Kind, ValueType

NAME = "local:/cases"
_PLACEHOLDERS: Mapping[Kind, Label] = {"bool": True, "int": 0, "float": 0.0, "str": "unknown"}
_FITS_KEPT = 4
"""For each judge: the fit to all cases, and a few without the case of a trace that is judged again."""

_Content = tuple[int, ValueType, tuple[tuple[str, Label], ...]]


class CaseClassifier:
    """Learns what tells labelled cases apart: how their outputs relate to their inputs, and their wording.

    It reads neither instructions nor guidelines, and every rationale says that it is no language model.
    It fits again whenever the cases change. Safe to use from several event loops and threads at once.
    """

    def __init__(self) -> None:
        # One thread of its own: a first fit to many cases must not hold up the others' threads, nor run twice.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="memalign-cases")
        self._features: dict[str, dict[str, tuple[Mapping[str, Json], Features]]] = {}
        self._fits: dict[str, dict[_Content, Fit]] = {}

    @property
    def name(self) -> str:
        """`local:/cases`."""
        return NAME

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        """Give the value and the reason. Raises `ModelRefusedError` where wordllama's weights are missing."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._decide, request)

    def _decide(self, request: JudgeRequest) -> JudgeResponse:
        episodes = tuple(request.episodes)
        if not episodes:
            value = _placeholder(request.value_type)
            return JudgeResponse(value=value, rationale=phrases.placeholder(value), retrieved_trace_ids=())
        features = measure(request.fields)
        cases = self._cases(request, episodes)
        if _fittable(cases, numeric=request.value_type.numeric):
            return _weighed(self._fit(request, cases), features)
        return _counted(cases, features)

    def _cases(self, request: JudgeRequest, episodes: Sequence[Episode]) -> tuple[Case, ...]:
        known = self._features.get(request.judge, {})
        kept = {episode.trace_id: _measured(episode, known.get(episode.trace_id)) for episode in episodes}
        if request.trace_id in known and request.trace_id not in kept:
            # The trace's own case is left out of this request only; the next one will want it again.
            kept[request.trace_id] = known[request.trace_id]
        self._features[request.judge] = kept
        return tuple(
            Case(
                trace_id=episode.trace_id,
                label=episode.label,
                weight=_agreement(episode),
                features=kept[episode.trace_id][1],
            )
            for episode in episodes
        )

    def _fit(self, request: JudgeRequest, cases: Sequence[Case]) -> Fit:
        labels = tuple((case.trace_id, case.label) for case in cases)
        content = (request.version, request.value_type, labels)
        fits = self._fits.get(request.judge, {})
        found = fits.pop(content, None) or fit(cases, numeric=request.value_type.numeric)
        current = [(key, old) for key, old in fits.items() if key[0] == request.version]
        self._fits[request.judge] = dict([*current[1 - _FITS_KEPT :], (content, found)])
        return found


def _measured(
    episode: Episode, known: tuple[Mapping[str, Json], Features] | None
) -> tuple[Mapping[str, Json], Features]:
    return known if known and known[0] == episode.fields else (episode.fields, measure(episode.fields))


def _agreement(episode: Episode) -> float:
    """Square the share of those who hold the label: a case that people dispute teaches less."""
    agreed, outvoted = len(episode.opinions), len(episode.minority)
    return (agreed / (agreed + outvoted)) ** 2 if agreed else 1.0


def _fittable(cases: Collection[Case], *, numeric: bool) -> bool:
    labels = len({case.label for case in cases})
    return len(cases) >= FEWEST and labels > 1 and (numeric or labels <= len(cases) / 2)


def _weighed(model: Fit, features: Features) -> JudgeResponse:
    answer = model.answer(features)
    return JudgeResponse(
        value=answer.value,
        rationale=phrases.fitted(answer, features, len(model.cases)),
        usage=Usage(calls=1),
        retrieved_trace_ids=answer.trace_ids,
    )


def _counted(cases: Sequence[Case], features: Features) -> JudgeResponse:
    """Decide without a fit: by the majority, or by the most similar case where there is none."""
    closeness = np.stack([case.features.vector for case in cases]) @ features.vector
    nearest = [cases[place] for place in np.argsort(-closeness, kind="stable")]
    labels = Counter(case.label for case in nearest)
    # Counted from the nearest on, so that the nearest decides a tie.
    value = labels.most_common(1)[0][0]
    ids = tuple(case.trace_id for case in nearest if case.label == value)[:3]
    if len(cases) < FEWEST:
        rationale = phrases.too_few(value, len(cases), ids)
    elif len(labels) == 1:
        rationale = phrases.all_alike(value, len(cases), ids)
    else:
        value, ids = nearest[0].label, (nearest[0].trace_id,)
        rationale = phrases.all_different(len(cases), ids)
    return JudgeResponse(value=value, rationale=rationale, usage=Usage(calls=1), retrieved_trace_ids=ids)


def _placeholder(value_type: ValueType) -> Label:
    return value_type.categories[0] if value_type.categories else _PLACEHOLDERS[value_type.kind]
