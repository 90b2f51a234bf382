"""The context of distilling: the overruled verdict, similar cases, and the support of known rules."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memalign.align.distilling_context import MAX_NEIGHBOURS
from memalign.errors import RequestRefusedError
from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.llm_judge import LLMJudge
from memalign.ports import Completion, Prompt
from memalign.records import Assessment, CaseVerdict, Episode, Json, Label, Trace, Usage
from memalign.serialization import from_document, to_document
from memalign.value_types import FeedbackValueType
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import DOWN, FakeEmbedder, FakeModel, FakeStore, section

WORDS = "The answer thanks the customer."


def a_verdict(
    value: Label = True, rationale: str = WORDS, *, ms: int = 5, name: str = "politeness"
) -> Assessment:
    return Assessment(
        name=name, value=value, rationale=rationale, source_type="LLM_JUDGE", source_id="m", create_time_ms=ms
    )


def records_in(prompt: Prompt) -> list[Json]:
    return [json.loads(line) for line in section(prompt.changing, "records")]


def neighbours_in(prompt: Prompt) -> list[Json]:
    if "<neighbours>\n" not in prompt.changing:
        return []
    return [json.loads(line) for line in section(prompt.changing, "neighbours")]


def documents_in(store: FakeStore) -> list[Json]:
    episodes = [to_document(each) for each in store.episodes.values()]
    return [*episodes, *(to_document(each) for each in store.guidelines.values())]


async def learning(
    model: FakeModel, store: FakeStore | None = None, embedder: FakeEmbedder | None = None
) -> JudgeMemory:
    return await a_memory(distiller=LLMDistiller(model), store=store, embedder=embedder)


@pytest.mark.parametrize(
    ("value_type", "label", "verdicts", "shown", "kept"),
    [
        (bool, False, [a_verdict(True)], {"value": True, "reason": WORDS}, CaseVerdict(value=True, judged_ms=5)),
        (bool, False, [a_verdict("yes")], {"value": True, "reason": WORDS}, CaseVerdict(value=True, judged_ms=5)),
        (bool, False, [a_verdict(True, "")], {"value": True}, CaseVerdict(value=True, judged_ms=5)),
        (bool, False, [a_verdict(False)], None, CaseVerdict(value=False, judged_ms=5)),
        (int, 2, [a_verdict(4)], {"value": 4, "reason": WORDS}, CaseVerdict(value=4, judged_ms=5)),
        (["curt", "kind"], "curt", [a_verdict("Kind", "")], {"value": "kind"}, CaseVerdict(value="kind", judged_ms=5)),
        (bool, False, [a_verdict(False, ms=9), a_verdict(True)], None, CaseVerdict(value=False, judged_ms=9)),
        (bool, False, [a_verdict(True, name="accuracy")], None, None),
        (bool, False, [a_verdict("maybe")], None, None),
        (bool, False, [], None, None),
        (str, "curt", [a_verdict("kind")], {"value": "kind", "reason": WORDS}, None),
    ],
)  # fmt: skip
async def test_the_verdict_belongs_to_the_case_and_is_told_where_people_overruled_it(
    value_type: FeedbackValueType,
    label: Label,
    verdicts: Sequence[Assessment],
    shown: Json,
    kept: CaseVerdict | None,
) -> None:
    model = FakeModel()
    memory = await a_memory(a_judge(value_type=value_type), distiller=LLMDistiller(model))

    await memory.learn([a_trace("tr-1", a_vote(label, "Curt answers are rude."), *verdicts)])

    assert records_in(model.prompts[0])[0].get("overruled") == shown
    assert memory.episodes["tr-1"].verdict == kept


async def test_a_case_keeps_the_guidelines_that_led_the_judge_also_in_a_file() -> None:
    verdict = replace(a_verdict(), guideline_ids=("g-2", "g-1"))
    store = FakeStore()
    memory = await learning(FakeModel(), store)

    await memory.learn([a_trace("tr-1", a_vote(False), verdict), a_trace("tr-2", a_vote(True), a_verdict())])

    kept = {trace_id: episode.verdict for trace_id, episode in memory.episodes.items()}
    assert kept == {
        "tr-1": CaseVerdict(value=True, judged_ms=5, guideline_ids=("g-2", "g-1")),
        "tr-2": CaseVerdict(value=True, judged_ms=5),
    }
    documents = [to_document(episode) for episode in store.episodes.values()]
    assert [from_document(Episode, each).verdict for each in documents] == list(kept.values())
    assert [sorted(each["verdict"]) for each in documents] == [
        ["guideline_ids", "judged_ms", "value"],
        ["judged_ms", "value"],
    ]


async def test_a_verdict_alone_is_no_feedback_and_changes_none() -> None:
    model = FakeModel()
    memory = await learning(model)
    await memory.learn([a_trace("tr-1", a_vote(False))])

    lesson = await memory.learn([a_trace("tr-1", a_vote(False), a_verdict()), a_trace("tr-2", a_verdict())])

    assert (lesson.unchanged, list(lesson.rejected)) == (("tr-1",), ["tr-2"])
    assert len(model.prompts) == 1


@pytest.mark.parametrize(
    ("again", "shown"), [(True, {"value": True, "reason": WORDS}), (False, {"value": True})]
)
async def test_a_lesson_tried_again_has_the_verdict_and_its_reason_where_the_trace_comes_again(
    again: bool, shown: Json
) -> None:
    model, trace = FakeModel(DOWN), a_trace("tr-1", a_vote(False), a_verdict())
    memory = await learning(model, FakeStore())
    await memory.learn([trace])

    await memory.learn([trace] if again else [])

    assert records_in(model.prompts[-1])[0]["overruled"] == shown


async def test_the_reason_of_a_verdict_is_kept_in_no_store_since_it_may_quote_what_is_forgotten_later() -> (
    None
):
    store = FakeStore()
    memory = await learning(FakeModel(), store)

    await memory.learn([a_trace("tr-1", a_vote(False), a_verdict(rationale="As with the walrus of Oslo."))])

    documents = documents_in(store)
    assert documents[0]["verdict"] == {"value": True, "judged_ms": 5}
    assert "walrus" not in json.dumps(documents)


def test_an_episode_of_an_earlier_version_has_no_verdict_and_stays_as_it_was() -> None:
    document = {
        "trace_id": "tr-1", "label": False, "fields": {}, "text": "t", "minority": [],
        "opinions": [{"person": "ana", "value": False, "rationale": "", "time_ms": 0}],
    }  # fmt: skip

    episode = from_document(Episode, document)

    assert episode.verdict is None
    assert not episode.is_overruled
    assert to_document(episode) == document


async def test_no_judge_is_ever_shown_a_wrong_verdict() -> None:
    model = FakeModel()
    memory = await a_memory(judge_model=LLMJudge(model), distiller=LLMDistiller(FakeModel()))
    traces = [a_trace(f"tr-{n}", a_vote(False), a_verdict(True), inputs="Where is it?") for n in range(3)]
    await memory.learn(traces)

    await memory.judge(a_trace("tr-new", inputs="Where is it?"))

    (prompt,) = model.prompts
    cases = [json.loads(line) for line in section(prompt.changing, "cases")]
    assert cases
    assert all(case["label"] is False for case in cases)
    assert "true" not in "".join(section(prompt.changing, "cases"))
    assert WORDS not in prompt.stable + prompt.changing
    assert "overruled" not in prompt.stable + prompt.changing


def similar(number: int, *assessments: Assessment) -> Trace:
    return a_trace(
        f"tr-{number}", *assessments, inputs=f"where is my parcel {number}", outputs=f"soon {number}"
    )


async def with_cases(model: FakeModel, count: int, embedder: FakeEmbedder | None = None) -> JudgeMemory:
    """A memory that has learned so many cases, and has judged one more."""
    memory = await learning(model, FakeStore(), embedder)
    await memory.learn(
        [
            similar(number, a_vote(False, f"Say the day, not soon, case {number}.", "ben"))
            for number in range(count)
        ]
    )
    await memory.judge(similar(99))
    model.prompts.clear()
    return memory


@pytest.mark.parametrize(("cases", "shown"), [(0, 0), (1, 1), (6, 6), (15, MAX_NEIGHBOURS)])
async def test_similar_cases_stand_beside_a_record_with_labels_and_reasons_at_no_further_call(
    cases: int, shown: int
) -> None:
    model, embedder = FakeModel(), FakeEmbedder()
    memory = await with_cases(model, cases, embedder)
    embedded = len(embedder.batches)

    await memory.learn([similar(99, a_vote(False, "Say the day, not soon, case 99.", "ben"))])

    neighbours = neighbours_in(model.prompts[0])
    assert len(neighbours) == shown
    assert all(list(each) == ["inputs", "outputs", "label", "reasons"] for each in neighbours)
    assert all(each["reasons"][0].startswith("Say the day") for each in neighbours)
    assert len(embedder.batches) == embedded


async def test_cases_whose_own_reasons_wait_are_no_context_and_nobody_is_a_neighbour_of_himself() -> None:
    model = FakeModel()
    memory = await with_cases(model, 3)
    model.answers.append(DOWN)
    await memory.learn([similar(99, a_vote(False, "Late answers are no help.", "ben"))])

    await memory.learn([similar(98, a_vote(False, "Say where it is."))])

    assert len(records_in(model.prompts[-1])) == 2
    assert all("Late" not in line for line in section(model.prompts[-1].changing, "neighbours"))


async def test_many_records_are_context_enough_for_each_other() -> None:
    model = FakeModel()
    memory = await with_cases(model, 6)
    traces = [
        similar(number, a_vote(False, f"Reason {number} of the lot.", "ben")) for number in range(20, 40)
    ]
    for trace in traces:
        await memory.judge(trace)

    await memory.learn(traces)

    assert neighbours_in(model.prompts[-1]) == []


async def test_known_rules_are_shown_with_the_number_of_their_people() -> None:
    model = FakeModel()
    memory = await learning(model)
    await memory.learn(
        [
            a_trace("tr-1", a_vote(False, "Say the day.", "ana")),
            a_trace("tr-2", a_vote(False, "Say the day.", "ben")),
            a_trace("tr-3", a_vote(False, "Greet people first.", "ben")),
        ]
    )

    await memory.learn([a_trace("tr-4", a_vote(False, "Sign with a name."))])

    rules = [json.loads(line) for line in section(model.prompts[-1].stable, "rules")]
    assert {rule["text"]: rule["people"] for rule in rules} == {"Say the day.": 2, "Greet people first.": 1}


BORROWED = [
    "Never mention the lighthouse keeper of Tromsø again.",
    "Say the day, not soon, in each answer.",
    "Parcel number 2 is late.",
    "Answers about the crate from Bergen are too long.",
]


@pytest.mark.parametrize("text", BORROWED)
async def test_a_rule_in_the_words_of_the_context_is_asked_for_again_without_it(text: str) -> None:
    model = FakeModel()
    memory = await with_cases(model, 3)
    model.answers.append(
        {"guidelines": [{"text": text, "records": [0]}], "supports": [], "contradicts": [], "same": []}
    )
    verdict = a_verdict(True, "It is like the lighthouse keeper of Tromsø, and the crate from Bergen.")
    own = "An answer must name a day."

    await memory.learn([similar(99, a_vote(False, own, "ben"), verdict)])

    texts = {rule.text: rule.source_trace_ids for rule in memory.guidelines}
    assert texts.get(own) == ("tr-99",)
    assert text not in texts or "tr-99" not in texts[text]
    first, second = model.prompts
    assert neighbours_in(first) != []
    assert neighbours_in(second) == []
    assert records_in(second)[0]["overruled"] == {"value": True}


async def test_a_rule_in_its_own_peoples_words_costs_one_call() -> None:
    model = FakeModel()
    memory = await with_cases(model, 6)

    await memory.learn([similar(99, a_vote(False, "Name a day of delivery.", "ana"), a_verdict())])

    assert len(model.prompts) == 1
    assert [rule.text for rule in memory.guidelines if "tr-99" in rule.source_trace_ids] == [
        "Name a day of delivery."
    ]


async def test_nothing_of_a_neighbour_is_left_in_what_was_learned_beside_it_once_it_is_forgotten() -> None:
    model, store = FakeModel(), FakeStore()
    memory = await learning(model, store)
    secret = "The walrus of Oslo wants its parcel by noon."
    await memory.learn(
        [a_trace("tr-0", a_vote(False, secret, "ben"), inputs="where is my parcel", outputs="soon")]
    )
    later = a_trace("tr-1", inputs="where is my parcel", outputs="soon")
    await memory.judge(later)
    for draft in (secret, "Answers to the walrus of Oslo come too late.", "Name the day."):
        model.answers.append(
            {"guidelines": [{"text": draft, "records": [0]}], "supports": [], "contradicts": [], "same": []}
        )
    verdict = a_verdict(True, f"The team said: {secret}")
    vote = a_vote(False, "Name the day.", "ana")
    await memory.learn([a_trace("tr-1", vote, verdict, inputs="where is my parcel", outputs="soon")])

    await memory.forget(["tr-0"])

    kept = json.dumps(documents_in(store))
    assert "tr-1" in kept
    assert "walrus" not in kept.casefold()


class Squeamish(FakeModel):
    """Refuses whatever holds the poison."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        if "POISON" in prompt.changing:
            self.prompts.append(prompt)
            raise RequestRefusedError("fake:/model refuses the content.")
        return await super().complete(prompt, schema)


@pytest.mark.parametrize("reason", ["", "Say the day, POISON."])
async def test_a_case_that_the_model_will_not_read_costs_none_of_those_like_it_their_lesson(
    reason: str,
) -> None:
    model = Squeamish()
    memory = await with_cases(model, 1)
    poisoned = a_trace(
        "tr-50", a_vote(False, reason, "ben"), inputs="where is my parcel POISON", outputs="soon"
    )
    for _ in range(2):
        await memory.learn([poisoned])

    lesson = await memory.learn([similar(99, a_vote(False, "Name a day.", "ben"))])

    assert "tr-99" in lesson.learned
    assert ("Name a day.", ("tr-99",)) in {(rule.text, rule.source_trace_ids) for rule in memory.guidelines}


async def test_a_case_whose_reasons_the_model_declined_is_no_context() -> None:
    model = Squeamish()
    memory = await with_cases(model, 1)
    poisoned = similar(50, a_vote(False, "Say the day, POISON.", "ben"))
    for _ in range(3):
        await memory.learn([poisoned])
    assert list(memory.declined) == ["tr-50"]
    model.prompts.clear()

    await memory.learn([similar(99, a_vote(False, "Name a day.", "ben"))])

    assert len(model.prompts) == 1
    assert len(neighbours_in(model.prompts[0])) == 1


THINGS = ("walrus", "lantern", "teapot", "saddle", "violin", "marble")


def leaking_answer(prompt: Prompt) -> dict[str, Json]:
    """Make a rule of everything that the prompt shows, known rules aside, and put it down to every record."""
    own = [record["reason"] for record in records_in(prompt)]
    judged = [record["overruled"].get("reason", "") for record in records_in(prompt) if "overruled" in record]
    shown = [reason for case in neighbours_in(prompt) for reason in case["reasons"]]
    fields = [f"Answers about the {case['inputs']} come late." for case in neighbours_in(prompt)]
    numbers = [record["record"] for record in records_in(prompt)]
    drafts = [{"text": text, "records": numbers} for text in (*own, *judged, *shown, *fields) if text]
    return {"guidelines": drafts, "supports": [], "contradicts": [], "same": []}


class LeakingModel(FakeModel):
    """Makes rules of whatever it reads."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        del schema
        self.prompts.append(prompt)
        return Completion(answer=leaking_answer(prompt), usage=Usage(calls=1))


@given(
    taught=st.lists(st.sampled_from(range(len(THINGS))), min_size=2, max_size=8),
    forgotten=st.sets(st.sampled_from(range(len(THINGS))), min_size=1),
    people=st.lists(st.sampled_from(("ana", "ben")), min_size=8, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_model_makes_of_its_context_forgotten_words_are_nowhere(
    taught: list[int], forgotten: set[int], people: list[str]
) -> None:
    async def scenario() -> None:
        store = FakeStore()
        memory = await a_memory(distiller=LLMDistiller(LeakingModel()), store=store)
        for place, number in enumerate(taught):
            trace = a_trace(
                f"tr-{number}", inputs=f"parcel with the {THINGS[number]} of the harbour office in town"
            )
            before = THINGS[taught[place - 1]]
            verdict = a_verdict(True, f"As with the {before} that the harbour office keeps in town.")
            vote = a_vote(False, f"A {THINGS[number]} must be named on every label.", people[place])
            await memory.judge(trace)
            await memory.learn([replace(trace, assessments=(vote, verdict))])

        for number in forgotten:
            await memory.distil_again(await memory.forget([f"tr-{number}"]))

        kept = json.dumps(documents_in(store))
        assert [THINGS[number] for number in forgotten if THINGS[number] in kept] == []
        for number in set(taught) - forgotten:
            assert f"A {THINGS[number]} must be named on every label." in {
                rule.text for rule in memory.guidelines
            }

    asyncio.run(scenario())
