"""Features of the offline judge that compare meanings, with a sentence model that knows three topics by heart."""

from collections.abc import Sequence

import numpy as np
import pytest

from memalign.models.local import sentence_vectors as module
from memalign.models.local.case_classifier import CaseClassifier
from memalign.models.local.features import extract_features
from memalign.models.local.sentence_vectors import SentenceVectors
from memalign.ports import Embeddings
from memalign.records import Episode, Json, Label, Usage
from tests.memalign.models.test_case_classifier import ask, case

TOPICS = (
    ("parcel", "shipment", "courier", "delivery"),
    ("visa", "embassy", "passport", "border"),
    ("cake", "sugar", "oven", "dough"),
)


class TopicModel:
    """Embeds a text as its share of three topics, and remembers what it was asked."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> Embeddings:
        self.texts += texts
        counts = [[sum(text.lower().count(word) for word in topic) for topic in TOPICS] for text in texts]
        rows = np.array(counts, dtype=np.float32) + 0.01
        return Embeddings(vectors=rows / np.linalg.norm(rows, axis=1, keepdims=True), usage=Usage(calls=1))


def answered(number: int, *, same_topic: bool) -> dict[str, Json]:
    """A question with an answer in other words: of its topic, or of the next one."""
    topic = number % 3
    other = topic if same_topic else (topic + 1 + number // 3 % 2) % 3
    asked, _, *_ = TOPICS[topic]
    _, first, second, third = TOPICS[other]
    words = (first, second, third)[number % 2 :][:2]
    return {
        "inputs": f"Please tell me about my {asked}.",
        "outputs": f"We know this of {' and '.join(words)}.",
    }


def labelled(count: int) -> list[Episode]:
    values: list[Label] = [number // 3 % 2 == 0 for number in range(count)]
    return [
        case(number, value, answered(number, same_topic=bool(value))) for number, value in enumerate(values)
    ]


async def test_the_judge_learns_meanings_and_says_which_model_saw_them() -> None:
    judge_model = CaseClassifier(SentenceVectors(TopicModel().embed))
    close = await judge_model.decide(ask(answered(60, same_topic=True), labelled(48)))
    far = await judge_model.decide(ask(answered(61, same_topic=False), labelled(48)))
    assert (close.value, far.value) == (True, False)
    assert "in meaning" in close.rationale
    for response in (close, far):
        assert response.rationale.endswith(
            ". A small sentence model helped to compare the texts. (No language model judged this.)"
        )


async def test_without_a_sentence_model_the_rationale_names_none() -> None:
    response = await CaseClassifier().decide(ask(answered(60, same_topic=True), labelled(48)))
    assert "sentence model" not in response.rationale


@pytest.mark.parametrize(
    "fields",
    [answered(1, same_topic=True), {"inputs": {"question": "cake?", "place": "oven"}, "outputs": ""}, {}],
)
def test_its_features_are_added_and_no_other_changes(fields: dict[str, Json]) -> None:
    without = extract_features(fields)
    with_model = extract_features(fields, SentenceVectors(TopicModel().embed))
    added = {feature: value for feature, value in with_model.values.items() if feature not in without.values}
    assert {feature.kind for feature in added} == ({"meaning", "nearest sentence"} if fields else set())
    assert with_model.values == {**without.values, **added}
    assert all(-1.001 < value < 1.001 for value in added.values())


def test_the_answer_is_compared_with_the_question_the_context_and_the_expectation() -> None:
    fields: dict[str, Json] = {
        "inputs": {"question": "Where is my parcel?", "context": "The cake is in the oven."},
        "expectations": "A courier brings the delivery.",
        "outputs": "The shipment is on its way. Bake the dough with sugar.",
    }
    values = extract_features(fields, SentenceVectors(TopicModel().embed)).values
    nearest = {
        feature.input_part: value for feature, value in values.items() if feature.kind == "nearest sentence"
    }
    assert set(nearest) == {"", "question", "context", "expectation"}
    assert min(nearest[part] for part in ("question", "context", "expectation")) > 0.99


async def test_no_text_is_embedded_twice_over_verdicts_versions_and_judges() -> None:
    model = TopicModel()
    shared = SentenceVectors(model.embed)
    first, second = CaseClassifier(shared), CaseClassifier(shared)
    for version in (1, 2):
        await first.decide(ask(answered(60, same_topic=True), labelled(24), version=version))
        await second.decide(ask(answered(60, same_topic=True), labelled(24), version=version, judge="other"))
    await first.decide(ask(answered(60, same_topic=True), labelled(12), version=3))
    assert len(model.texts) == len(set(model.texts))


def test_vectors_come_in_the_order_of_the_texts_and_repeats_cost_nothing() -> None:
    model = TopicModel()
    vectors = SentenceVectors(model.embed)
    vectors.look_up(["cake"])
    cake, visa, again, half = vectors.look_up(["cake", "visa", "cake", "\ud800"])
    assert (int(cake.argmax()), int(visa.argmax())) == (2, 1)
    assert np.array_equal(cake, again)
    assert np.isfinite(half).all()
    assert model.texts == ["cake", "visa", "\ud800"]


def test_the_vectors_used_longest_ago_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VECTORS", 2)
    model = TopicModel()
    vectors = SentenceVectors(model.embed)
    for text in ("cake", "visa", "cake", "parcel", "cake", "visa"):
        vectors.look_up([text])
    assert model.texts == ["cake", "visa", "parcel", "visa"]


def test_more_texts_than_are_kept_come_back_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VECTORS", 1)
    assert SentenceVectors(TopicModel().embed).look_up(["cake", "visa", "parcel"]).shape == (3, 3)
