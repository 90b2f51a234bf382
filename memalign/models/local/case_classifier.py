"""`local:/cases`: judges by a small statistical model fitted to the labelled cases; no key, no network."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from memalign.models.local import explanations
from memalign.models.local.features import Features, extract_features
from memalign.models.local.linear_model import MIN_CASES_TO_FIT, Case, LinearModel, fit
from memalign.models.local.sentence_vectors import SentenceVectors
from memalign.models.local.worker_thread import WorkerThread
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Episode, Json, Label, Usage
from memalign.value_types import Kind, ValueType

NAME = "local:/cases"
_PLACEHOLDERS: Mapping[Kind, Label] = {"bool": True, "int": 0, "float": 0.0, "str": "unknown"}
_MAX_MODELS_PER_JUDGE = 4
"""The model fitted to all cases, and a few without the case of a trace that is judged again."""

_ModelKey = tuple[int, ValueType, tuple[tuple[str, Label], ...]]


class CaseClassifier:
    """Learns what tells labelled cases apart: how their outputs relate to their inputs, and their wording.

    It reads neither instructions nor guidelines, and every rationale says that it is no language model.
    It fits again whenever the cases change. It may be used from several event loops and threads at once.

    Args:
        sentence_vectors: A sentence model's vectors, for features that compare meanings. None: without these.
    """

    def __init__(self, sentence_vectors: SentenceVectors | None = None) -> None:
        self._sentence_vectors = sentence_vectors
        # a thread of its own: a first fit to many cases must not hold up the shared threads, nor run twice
        self._worker = WorkerThread("memalign-cases")
        self._features: dict[str, dict[str, tuple[Mapping[str, Json], Features]]] = {}
        self._models: dict[str, dict[_ModelKey, LinearModel]] = {}

    @property
    def name(self) -> str:
        """`local:/cases`."""
        return NAME

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        """See `memalign.ports.JudgeModel.decide`. Raises `ModelRefusedError` if a package lacks its weights."""
        return await self._worker.run(self._decide, request)

    def _decide(self, request: JudgeRequest) -> JudgeResponse:
        episodes = tuple(request.episodes)
        if not episodes:
            value = _placeholder(request.value_type)
            return JudgeResponse(
                value=value, rationale=explanations.explain_placeholder(value), retrieved_trace_ids=()
            )
        features = extract_features(request.fields, self._sentence_vectors)
        cases = self._cases(request, episodes)
        if _can_fit(cases, numeric=request.value_type.numeric):
            return _predicted(self._model(request, cases), features)
        return _by_majority(cases, features)

    def _cases(self, request: JudgeRequest, episodes: Sequence[Episode]) -> tuple[Case, ...]:
        known = self._features.get(request.judge, {})
        kept = {
            episode.trace_id: self._measured(episode, known.get(episode.trace_id)) for episode in episodes
        }
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

    def _measured(
        self, episode: Episode, known: tuple[Mapping[str, Json], Features] | None
    ) -> tuple[Mapping[str, Json], Features]:
        if known and known[0] == episode.fields:
            return known
        return episode.fields, extract_features(episode.fields, self._sentence_vectors)

    def _model(self, request: JudgeRequest, cases: Sequence[Case]) -> LinearModel:
        labels = tuple((case.trace_id, case.label) for case in cases)
        key = (request.version, request.value_type, labels)
        models = self._models.get(request.judge, {})
        model = models.pop(key, None) or fit(cases, numeric=request.value_type.numeric)
        current = [(known, other) for known, other in models.items() if known[0] == request.version]
        self._models[request.judge] = dict([*current[1 - _MAX_MODELS_PER_JUDGE :], (key, model)])
        return model


def _agreement(episode: Episode) -> float:
    """Square the share of those who hold the label: a case that people dispute teaches less."""
    agreed, outvoted = len(episode.opinions), len(episode.minority)
    return (agreed / (agreed + outvoted)) ** 2 if agreed else 1.0


def _can_fit(cases: Collection[Case], *, numeric: bool) -> bool:
    labels = len({case.label for case in cases})
    return len(cases) >= MIN_CASES_TO_FIT and labels > 1 and (numeric or labels <= len(cases) / 2)


def _predicted(model: LinearModel, features: Features) -> JudgeResponse:
    prediction = model.predict(features)
    return JudgeResponse(
        value=prediction.value,
        rationale=explanations.explain_prediction(prediction, features, len(model.cases)),
        usage=Usage(calls=1),
        cited_trace_ids=prediction.trace_ids,
        retrieved_trace_ids=prediction.trace_ids,
    )


def _by_majority(cases: Sequence[Case], features: Features) -> JudgeResponse:
    """Decide without a model: by the majority, or by the most similar case where there is none."""
    cosines = np.stack([case.features.vector for case in cases]) @ features.vector
    nearest = [cases[place] for place in np.argsort(-cosines, kind="stable")]
    labels = Counter(case.label for case in nearest)
    # counted from the nearest on, so that the nearest decides a tie
    value = labels.most_common(1)[0][0]
    ids = tuple(case.trace_id for case in nearest if case.label == value)[:3]
    if len(cases) < MIN_CASES_TO_FIT:
        rationale = explanations.explain_too_few(value, labels[value], len(cases))
    elif len(labels) == 1:
        rationale = explanations.explain_all_alike(value, len(cases))
    else:
        value, ids = nearest[0].label, (nearest[0].trace_id,)
        rationale = explanations.explain_all_different(value, len(cases))
    return JudgeResponse(
        value=value,
        rationale=rationale,
        usage=Usage(calls=1),
        cited_trace_ids=ids,
        retrieved_trace_ids=ids,
    )


def _placeholder(value_type: ValueType) -> Label:
    if value_type.value_range:
        low = value_type.value_range[0]
        return int(low) if value_type.kind == "int" else float(low)
    return value_type.categories[0] if value_type.categories else _PLACEHOLDERS[value_type.kind]
