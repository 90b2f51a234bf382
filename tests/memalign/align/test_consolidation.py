"""Guidelines that say the same become one, and those close together are distilled from their records once."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memalign import make_judge
from memalign.alignment import AlignmentModels, AlignmentSettings
from memalign.errors import ModelUnavailableError
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_merge import merged_into
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.pair_comparison import PairComparer
from memalign.ports import Completion, Embeddings, Prompt
from memalign.records import Guideline, Json, Lesson, Trace, Usage
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeModel, FakeStore, section


class TopicEmbedder:
    """Puts texts with the same first word close together, all others apart."""

    name = "fake:/topics"
    dimension = 512

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.down = False
        self._places: dict[str, int] = {}

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        if self.down:
            raise ModelUnavailableError("The embedding model is down.")
        self.texts += texts
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word, weight in ((text.split()[0], 3), (text, 1)):
                vectors[row, self._places.setdefault(word, len(self._places)) % self.dimension] += weight
        return Embeddings(vectors=vectors, usage=Usage(calls=1, embedding_tokens=len(texts)))


class PairModel(FakeModel):
    """Distils as `simulated_answer`, takes each reason for a rule of its own; of pairs it says what it is told to."""

    def __init__(self, relation: str = "different", joint: str = "") -> None:
        super().__init__()
        self.relation = relation
        self.joint = joint
        """Text of the rule that it makes of several records of one topic; none if it is empty."""
        self.does_compare = True
        self.same: list[list[str]] = []
        """Groups of texts that it takes for the same while it distils."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        if "<pairs>" in prompt.changing and not self.does_compare:
            raise ModelUnavailableError("The model is down.")
        completion = await super().complete(prompt, schema)
        answer = dict(completion.answer)
        if "pairs" in answer:
            answer["pairs"] = [{**each, "relation": self.relation} for each in answer["pairs"]]
        if "guidelines" in answer:
            rules = {
                json.loads(line)["text"]: json.loads(line)["rule"] for line in section(prompt.stable, "rules")
            }
            answer["same"] = [
                {"rules": [rules[text] for text in texts]}
                for texts in self.same
                if rules.keys() >= set(texts)
            ]
            records = [json.loads(line) for line in section(prompt.changing, "records")]
            topics = {record["reason"].split()[0] for record in records}
            if self.joint and len(records) > 1 and len(topics) == 1:
                numbers = [record["record"] for record in records]
                answer["guidelines"] = [{"text": f"{topics.pop()} {self.joint}", "records": numbers}]
        return Completion(answer=answer, usage=completion.usage)

    @property
    def pairs(self) -> list[list[set[str]]]:
        """The texts of the pairs of each call about pairs."""
        return [
            [
                {json.loads(line)["first"], json.loads(line)["second"]}
                for line in section(prompt.changing, "pairs")
            ]
            for prompt in self.prompts
            if "<pairs>" in prompt.changing
        ]

    @property
    def read(self) -> list[list[str]]:
        """The reasons of each call that distils."""
        return [
            [json.loads(line)["reason"] for line in section(prompt.changing, "records")]
            for prompt in self.prompts
            if "<records>" in prompt.changing
        ]


async def memory_with(
    model: FakeModel, store: FakeStore | None = None, embedder: TopicEmbedder | None = None
) -> JudgeMemory:
    return await a_memory(
        distiller=LLMDistiller(model),
        comparer=PairComparer(model),
        embedder=embedder or TopicEmbedder(),
        store=store,
    )


def said(number: int, reason: str, value: bool = False, person: str = "ana") -> Trace:
    return a_trace(f"tr-{number}", a_vote(value, reason, person, ms=number + 1))


async def taught(memory: JudgeMemory, *reasons: str, first: int = 0) -> list[Lesson]:
    return [await memory.learn([said(first + place, reason)]) for place, reason in enumerate(reasons)]


def apart(count: int) -> list[str]:
    """Rules on so many things."""
    return [f"thing{number} is wanted." for number in range(count)]


def texts(memory: JudgeMemory) -> list[str]:
    return [rule.text for rule in memory.guidelines if rule.in_use]


async def test_after_25_new_rules_the_near_ones_are_compared_in_one_call_and_the_same_become_one() -> None:
    model = PairModel("same")
    memory = await memory_with(model)

    await taught(memory, "Quelle nennen.", "Quelle ist anzugeben.", *apart(22))
    assert model.pairs == []
    (lesson,) = await taught(memory, "last one.", first=30)

    assert model.pairs == [[{"Quelle nennen.", "Quelle ist anzugeben."}]]
    assert [(rule.text, [each.text for each in merged_into(rule)]) for rule in lesson.merged] == [
        ("Quelle nennen.", ["Quelle ist anzugeben."])
    ]
    assert (
        lesson.usage.calls == 2 + 1 + 1
    )  # two parts of the case and the rules embedded at once, distilled, compared
    assert len(texts(memory)) == 24


async def test_rules_of_different_batches_are_compared_at_once() -> None:
    model = PairModel("same")
    memory = await memory_with(model)

    await memory.learn([said(n, text) for n, text in enumerate(["Cite sources.", *apart(50), "Cite them."])])

    assert model.pairs == [[{"Cite sources.", "Cite them."}]]
    assert len(texts(memory)) == 51


async def test_one_batch_of_few_rules_is_not_compared() -> None:
    model = PairModel("same")
    memory = await memory_with(model)

    await memory.learn([said(n, text) for n, text in enumerate(["Cite sources.", "Cite them."])])

    assert model.pairs == []


@pytest.mark.parametrize("relation", ["narrower", "opposite", "different"])
async def test_only_the_same_is_united_and_opposites_are_marked(relation: str) -> None:
    memory = await memory_with(PairModel(relation))

    await taught(memory, "Cite sources.", "Cite nothing.", *apart(23))

    rules = {rule.text: rule for rule in memory.guidelines}
    assert len(rules) == 25
    opposed = (rules["Cite nothing."].id,) if relation == "opposite" else ()
    assert rules["Cite sources."].conflicts_with == opposed


async def test_rules_whose_cases_split_by_label_are_not_asked_about() -> None:
    model = PairModel("same")
    memory = await memory_with(model)

    await memory.learn([said(30, "Cite sources.", True)])
    await taught(memory, "Cite them.", *apart(23))

    assert model.pairs == []
    assert len(texts(memory)) == 25


async def test_nothing_is_asked_twice_not_even_after_a_restart() -> None:
    model, store = PairModel("different"), FakeStore()
    memory = await memory_with(model, store)
    await taught(memory, "Cite sources.", "Cite them.", *apart(23))
    assert len(model.pairs) == 1

    memory = await memory_with(model, store)
    await taught(memory, "Cite each one.", *(f"more{number} is wanted." for number in range(24)), first=50)

    assert model.pairs[1:] == [[{"Cite each one.", "Cite sources."}, {"Cite each one.", "Cite them."}]]


async def test_a_failing_model_costs_no_lesson_and_is_asked_again_after_the_next_one() -> None:
    model = PairModel("same")
    memory = await memory_with(model)
    model.does_compare = False
    lessons = await taught(memory, "Cite sources.", "Cite them.", *apart(24))
    assert not any(lesson.pending for lesson in lessons)
    assert len(texts(memory)) == 26

    model.does_compare = True
    (lesson,) = await taught(memory, "last one.", first=40)

    assert model.pairs == [[{"Cite sources.", "Cite them."}]]
    assert [rule.text for rule in lesson.merged] == ["Cite sources."]


async def test_with_the_embedding_model_down_rules_wait_to_be_compared() -> None:
    model, embedder = PairModel("same"), TopicEmbedder()
    memory = await memory_with(model, embedder=embedder)
    embedder.down = True
    await taught(memory, "Cite sources.", "Cite them.", *apart(23))
    assert model.pairs == []

    embedder.down = False
    await taught(memory, "last one.", first=40)

    assert len(model.pairs) == 1
    assert "Cite them." not in texts(memory)


async def test_far_rules_that_the_distiller_takes_for_the_same_are_asked_about_without_any_reason() -> None:
    model = PairModel("same")
    memory = await memory_with(model)
    await taught(memory, "Cite sources.", "Quellen nennen.")
    model.same = [["Cite sources.", "Quellen nennen."]]

    await taught(memory, "It is the same.", first=9)

    assert model.pairs == [[{"Cite sources.", "Quellen nennen."}]]
    (rule,) = (rule for rule in memory.guidelines if rule.merged)
    assert rule.source_trace_ids == ("tr-0", "tr-1")
    assert "It is the same." not in next(
        prompt.changing for prompt in model.prompts if "<pairs>" in prompt.changing
    )


async def test_a_reason_that_has_far_rules_called_the_same_unites_nothing_where_the_comparison_says_otherwise() -> (
    None
):
    model = PairModel("different")
    memory = await memory_with(model)
    await taught(memory, "Cite sources.", "Greet people.")
    model.same = [["Cite sources.", "Greet people."]]

    await taught(memory, "All are the same.", "All are one.", first=9)

    assert len(model.pairs) == 1
    assert {"Cite sources.", "Greet people."} <= set(texts(memory))


async def test_forgetting_a_source_of_a_text_parts_what_was_united() -> None:
    model, store = PairModel("same"), FakeStore()
    memory = await memory_with(model, store)
    await taught(memory, "Cite zw1.", "Cite zw2.", *apart(23))
    assert "Cite zw2." not in texts(memory)

    await memory.distil_again(await memory.forget(["tr-0"]))

    assert "Cite zw2." in texts(memory)
    for held in (memory.guidelines, dict(memory.episodes), store.guidelines, store.episodes):
        assert "zw1" not in repr(held)


async def test_comparisons_go_with_the_guidelines_they_name() -> None:
    model, store = PairModel("different"), FakeStore()
    memory = await memory_with(model, store)
    await taught(memory, "Cite sources.", "Cite them.", *apart(23))
    assert any(rule.compared for rule in memory.guidelines)

    await memory.distil_again(await memory.forget(["tr-1"]))

    assert not any(rule.compared for rule in (*memory.guidelines, *store.guidelines.values()))


async def test_records_of_three_close_rules_are_distilled_together_once_and_the_new_rule_replaces_them() -> (
    None
):
    model = PairModel(joint="answers name their source.")
    memory = await memory_with(model)

    lessons = await taught(memory, "Cite laws.", "Cite figures.", "Cite dates.")

    assert model.read[-1] == ["Cite laws.", "Cite figures.", "Cite dates."]
    assert section(model.prompts[-1].stable, "rules") == []
    (rule,) = memory.guidelines
    assert rule.text == "Cite answers name their source."
    assert rule.source_trace_ids == ("tr-0", "tr-1", "tr-2")
    assert [each.text for each in lessons[-1].added] == [rule.text]
    assert lessons[-1].retired == ()


async def test_close_rules_of_which_no_joint_rule_is_made_stay_and_are_asked_about_once() -> None:
    model, store = PairModel(), FakeStore()
    memory = await memory_with(model, store)
    await taught(memory, "Cite laws.", "Cite figures.", "Cite dates.")
    assert len(model.read) == 4

    memory = await memory_with(model, store)
    await taught(memory, *apart(3), first=10)
    await taught(memory, "Cite names.", "Cite places.", "thing9 is wanted.", first=20)

    assert [reasons for reasons in model.read if len(reasons) > 1] == [
        ["Cite laws.", "Cite figures.", "Cite dates."]
    ]
    assert {"Cite laws.", "Cite figures.", "Cite dates."} <= set(texts(memory))


async def test_a_joint_rule_replaces_only_what_it_rests_on_and_lies_close_to() -> None:
    class Partial(PairModel):
        async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
            completion = await super().complete(prompt, schema)
            if len(section(prompt.changing, "records")) < 3:
                return completion
            drafts = [
                {"text": "Cite laws and figures.", "records": [0, 1]},
                {"text": "Bananas are yellow.", "records": [0, 1, 2]},
                {"text": "Cite every date.", "records": [2]},
            ]
            return Completion(answer={**completion.answer, "guidelines": drafts}, usage=completion.usage)

    memory = await memory_with(Partial())

    await taught(memory, "Cite laws.", "Cite figures.", "Cite dates.")

    assert sorted(texts(memory)) == ["Cite dates.", "Cite laws and figures."]


async def test_a_joint_rule_that_loses_a_source_is_distilled_again_from_the_others() -> None:
    model = PairModel(joint="answers name their source.")
    memory = await memory_with(model)
    await taught(memory, "Cite laws.", "Cite figures.", "Cite dates.")

    await memory.distil_again(await memory.forget(["tr-1"]))

    assert [(rule.text, rule.source_trace_ids) for rule in memory.guidelines] == [
        ("Cite answers name their source.", ("tr-0", "tr-2"))
    ]
    await memory.distil_again(await memory.forget(["tr-0"]))
    assert texts(memory) == ["Cite dates."]


async def test_without_a_language_model_nothing_is_compared_nor_joined() -> None:
    model = PairModel("same", joint="x")
    memory = await a_memory(a_judge(), distiller=LLMDistiller(model), embedder=TopicEmbedder())

    await taught(memory, "Cite laws.", "Cite figures.", "Cite dates.", *apart(30))

    assert model.pairs == []
    assert len(texts(memory)) == 33


TOPICS = ("cite", "greet")
Vote = tuple[int, str, int, bool, str]
"""Trace, topic, wording, label, person."""


class Consolidating(PairModel):
    """Knows which rules are on one topic, in whatever call."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        is_lesson = "<records>" in prompt.changing
        rules = [json.loads(line)["text"] for line in section(prompt.stable, "rules") if is_lesson]
        groups = [[text for text in rules if text.startswith(topic)] for topic in TOPICS]
        self.same = [group for group in groups if len(group) > 1]
        return await super().complete(prompt, schema)


def facts(rules: Sequence[Guideline]) -> list[Json]:
    return [
        (
            rule.text,
            sorted(source.key for source in rule.sources),
            rule.state,
            sorted(each.text for each in merged_into(rule)),
        )
        for rule in rules
    ]


@given(
    votes=st.lists(
        st.tuples(
            st.integers(0, 6),
            st.sampled_from(TOPICS),
            st.integers(0, 3),
            st.booleans(),
            st.sampled_from(["ana", "ben"]),
        ),
        min_size=3,
        max_size=12,
    ),
    relation=st.sampled_from(["same", "different", "opposite"]),
    joint=st.sampled_from(["", "is wanted."]),
    numbers=st.lists(st.integers(0, 6), unique=True, min_size=1),
    order=st.randoms(),
)
@settings(max_examples=100, deadline=None)
def test_forgetting_in_any_order_gives_the_same_memory_with_nothing_forgotten_in_it_and_nothing_else_lost(
    votes: list[Vote], relation: str, joint: str, numbers: list[int], order: random.Random
) -> None:
    async def scenario() -> None:
        first, second = [await memory_with(Consolidating(relation, joint), FakeStore()) for _ in range(2)]
        for memory in (first, second):
            for place, (trace, topic, wording, label, person) in enumerate(votes):
                reason = f"{topic} {wording} zw{trace}{person}"
                await memory.learn([a_trace(f"tr-{trace}", a_vote(label, reason, person, ms=place + 1))])
        names = [f"tr-{number}" for number in numbers]
        await first.distil_again(await first.forget(names))
        for name in order.sample(names, len(names)):
            await second.distil_again(await second.forget([name]))

        assert facts(first.guidelines) == facts(second.guidelines)
        assert not any(f"zw{number}" in repr(first.guidelines) for number in numbers)
        told = {
            (episode.trace_id, opinion.person)
            for episode in first.episodes.values()
            for opinion in episode.opinions
        }
        assert told <= {source.key for rule in first.guidelines for source in rule.sources}

    asyncio.run(scenario())


class PairModels(AlignmentModels):
    """The models of an alignment with one that compares guidelines."""

    def __init__(self, model: FakeModel) -> None:
        super().__init__(
            AlignmentSettings(reflection_lm="local:/extract", embedding_model="local:/wordllama")
        )
        self._model = model

    @cached_property
    def distiller(self) -> LLMDistiller:
        return LLMDistiller(self._model)

    @cached_property
    def comparer(self) -> PairComparer:
        return PairComparer(self._model)


def test_comparing_what_is_known_makes_no_version_of_an_aligned_judge() -> None:
    model = PairModel()
    model.does_compare = False
    judge = make_judge("politeness", "Is it polite? {{ outputs }}", "local:/cases", feedback_value_type=bool)
    traces = [
        a_trace(f"tr-{number}", a_vote(False, f"Answers must name the price of thing {number}."))
        for number in range(30)
    ]
    first = judge.align(traces, PairModels(model))
    model.does_compare = True

    second = first.align(traces)

    assert model.pairs
    assert [rule.text for rule in second.guidelines] == [rule.text for rule in first.guidelines]
    assert (first.version, second.version) == (1, 1)
