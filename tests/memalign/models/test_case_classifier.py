"""The judge that is a small statistical model."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from memalign.models.local.case_classifier import CaseClassifier
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Episode, Evidence, Json, Label, PersonLabel
from memalign.value_types import value_type_of

WORDS = [
    *("visa", "refund", "ticket", "doctor", "school", "invoice", "garden", "bicycle", "passport", "coffee"),
    *(
        "kitchen",
        "museum",
        "planet",
        "violin",
        "tractor",
        "harbour",
        "lantern",
        "castle",
        "blanket",
        "compass",
    ),
    *("dolphin", "engine", "feather", "glacier", "hammer", "island", "jacket", "kettle", "ladder", "mirror"),
]


def echoing(number: int, *, echoes: bool) -> dict[str, Json]:
    """A question with an answer that either speaks of it or of something else."""
    chance = random.Random(number)
    question = chance.sample(WORDS, 4)
    others = [word for word in WORDS if word not in question]
    answer = question if echoes else chance.sample(others, 4)
    return {
        "inputs": {"question": f"What about {' and '.join(question)}?"},
        "outputs": {"answer": f"We know this of {', '.join(answer)} and tell you."},
    }


def case(number: int, label: Label, fields: dict[str, Json], *, against: int = 0) -> Episode:
    def held(value: Label, person: str) -> PersonLabel:
        return PersonLabel(person=person, value=value)

    return Episode(
        trace_id=f"tr-{number}",
        label=label,
        fields=fields,
        text=str(fields),
        opinions=(held(label, "ana"),),
        minority=tuple(held("other", f"p{index}") for index in range(against)),
    )


def labelled(count: int, yes: Label = True, no: Label = False) -> list[Episode]:
    return [
        case(number, yes if number % 2 else no, echoing(number, echoes=bool(number % 2)))
        for number in range(count)
    ]


def ask(
    fields: dict[str, Json],
    episodes: Sequence[Episode],
    *,
    value_type: str = "bool",
    judge: str = "on_topic",
    version: int = 1,
    trace_id: str | None = "tr-new",
) -> JudgeRequest:
    return JudgeRequest(
        judge=judge,
        instructions="Does {{ outputs }} answer {{ inputs }}?",
        value_type=value_type_of(value_type),
        fields=fields,
        trace_id=trace_id,
        evidence=Evidence(),
        episodes=episodes,
        version=version,
    )


async def values(questions: Sequence[JudgeRequest]) -> list[Label]:
    judge_model = CaseClassifier()
    return [(await judge_model.decide(question)).value for question in questions]


async def test_it_learns_how_an_answer_must_relate_to_its_question() -> None:
    episodes = labelled(40)
    unseen = [(echoing(number, echoes=bool(number % 2)), bool(number % 2)) for number in range(100, 130)]
    labels = await values([ask(fields, episodes) for fields, _ in unseen])
    agreed = sum(value is label for value, (_, label) in zip(labels, unseen, strict=True))
    assert agreed >= 27


async def test_opposite_labels_teach_the_opposite() -> None:
    fields = echoing(100, echoes=True)
    straight, reverse = labelled(40), labelled(40, yes=False, no=True)
    assert await values([ask(fields, straight), ask(fields, reverse, version=2)]) == [True, False]


@pytest.mark.parametrize(
    ("value_type", "placeholder"),
    [("bool", True), ("int", 0), ("float", 0.0), ("str", "unknown"), ('["Great", "Poor"]', "Great")],
)
async def test_without_a_case_the_value_is_declared_a_placeholder(
    value_type: str, placeholder: Label
) -> None:
    response = await CaseClassifier().decide(ask(echoing(1, echoes=True), [], value_type=value_type))
    assert response.value == placeholder
    assert type(response.value) is type(placeholder)
    shown = "pass" if value_type == "bool" else placeholder
    assert response.rationale.startswith(
        f"Not judged yet: nobody has labelled a case, so “{shown}” is only a placeholder."
    )
    assert response.retrieved_trace_ids == ()


@pytest.mark.parametrize(
    ("value_type", "yes", "no"),
    [
        ("bool", True, False),
        ("int", 5, 1),
        ("float", 0.9, 0.1),
        ("str", "fine", "Poor!"),
        ('["very Good", "bad"]', "very Good", "bad"),
    ],
)
async def test_a_label_keeps_its_spelling_and_type(value_type: str, yes: Label, no: Label) -> None:
    episodes = labelled(30, yes, no)
    questions = [ask(echoing(n, echoes=bool(n % 2)), episodes, value_type=value_type) for n in (101, 102)]
    labels = await values(questions)
    assert labels == [yes, no]
    assert [type(value) for value in labels] == [type(yes), type(no)]


async def test_a_value_that_nobody_gave_is_never_invented() -> None:
    episodes = [
        case(number, (1, 2, 5)[number % 3], echoing(number, echoes=number % 3 == 2)) for number in range(30)
    ]
    questions = [ask(echoing(n, echoes=bool(n % 2)), episodes, value_type="int") for n in range(100, 130)]
    assert set(await values(questions)) <= {1, 2, 5}


async def test_three_categories_are_told_apart() -> None:
    def answer(kind: str, number: int) -> dict[str, Json]:
        texts = {
            "short": "Yes.",
            "long": "Well, that depends on a lot. " * 20,
            "denial": "No, not that, no, never.",
        }
        return {"inputs": f"Question {number}?", "outputs": texts[kind]}

    kinds = ("short", "long", "denial")
    episodes = [case(number, kinds[number % 3], answer(kinds[number % 3], number)) for number in range(24)]
    labels = await values([ask(answer(kind, 99), episodes, value_type="str") for kind in kinds])
    assert labels == list(kinds)


@pytest.mark.parametrize("count", [1, 3, 5])
async def test_too_few_cases_answer_by_majority_and_say_so(count: int) -> None:
    episodes = [case(number, number == 1, echoing(number, echoes=True)) for number in range(count)]
    response = await CaseClassifier().decide(ask(echoing(100, echoes=True), episodes))
    assert response.value is False
    assert "too few" in response.rationale
    assert response.retrieved_trace_ids
    assert "tr-1" not in response.retrieved_trace_ids


async def test_a_tie_of_few_cases_goes_to_the_more_similar() -> None:
    near, far = echoing(1, echoes=True), echoing(2, echoes=True)
    episodes = [case(1, True, near), case(2, False, far)]
    assert await values([ask(near, episodes), ask(far, episodes)]) == [True, False]


async def test_one_label_alone_is_given_and_explained() -> None:
    episodes = [case(number, False, echoing(number, echoes=True)) for number in range(12)]
    response = await CaseClassifier().decide(ask(echoing(100, echoes=True), episodes))
    assert response.value is False
    assert "Leans to “fail”: all 12 labelled cases say so" in response.rationale


async def test_free_text_labels_that_hardly_repeat_come_from_the_most_similar_case() -> None:
    episodes = [case(number, f"remark {number}", echoing(number, echoes=True)) for number in range(12)]
    response = await CaseClassifier().decide(ask(echoing(7, echoes=True), episodes, value_type="str"))
    assert response.value == "remark 7"
    assert response.retrieved_trace_ids == ("tr-7",)


async def test_every_verdict_says_that_no_language_model_judged() -> None:
    fields = echoing(100, echoes=True)
    for count in (0, 1, 4, 12, 40):
        response = await CaseClassifier().decide(ask(fields, labelled(count)))
        assert response.rationale.endswith("(No language model judged this.)")
        assert len(response.rationale) < 300
    assert "40 labelled cases" in response.rationale


async def test_the_rationale_names_what_decided_and_no_ids() -> None:
    response = await CaseClassifier().decide(ask(echoing(101, echoes=True), labelled(40)))
    assert "the answer" in response.rationale
    assert "the question" in response.rationale
    assert response.rationale.startswith("Leans to “pass”, by 40 labelled cases: ")
    assert response.retrieved_trace_ids
    for trace_id in response.retrieved_trace_ids:
        assert trace_id not in response.rationale
    assert len(response.rationale) < 500


async def test_the_named_cases_hold_the_label_that_was_given() -> None:
    episodes = labelled(40)
    labels = {episode.trace_id: episode.label for episode in episodes}
    for number in (101, 102):
        response = await CaseClassifier().decide(ask(echoing(number, echoes=bool(number % 2)), episodes))
        assert {labels[trace_id] for trace_id in response.retrieved_trace_ids or ()} == {response.value}


async def test_it_claims_no_guidelines() -> None:
    assert (await CaseClassifier().decide(ask(echoing(101, echoes=True), labelled(40)))).guideline_ids == ()


async def test_a_new_version_of_the_memory_is_fitted_anew() -> None:
    judge_model = CaseClassifier()
    fields = echoing(100, echoes=True)
    before = await judge_model.decide(ask(fields, labelled(40), version=1))
    after = await judge_model.decide(ask(fields, labelled(40, yes=False, no=True), version=2))
    assert (before.value, after.value) == (True, False)


async def test_two_memories_of_one_name_and_version_do_not_mix() -> None:
    judge_model = CaseClassifier()
    fields = echoing(100, echoes=True)
    first = await judge_model.decide(ask(fields, labelled(40)))
    second = await judge_model.decide(ask(fields, labelled(40, yes=False, no=True)))
    assert (first.value, second.value) == (True, False)


async def test_judges_do_not_mix() -> None:
    judge_model = CaseClassifier()
    fields = echoing(100, echoes=True)
    strict = await judge_model.decide(ask(fields, labelled(40), judge="on_topic"))
    reverse = await judge_model.decide(ask(fields, labelled(40, yes=False, no=True), judge="off_topic"))
    assert (strict.value, reverse.value) == (True, False)


async def test_what_was_asked_before_changes_nothing() -> None:
    episodes = labelled(30)
    fields = echoing(101, echoes=True)
    first = await CaseClassifier().decide(ask(fields, episodes))
    busy = CaseClassifier()
    await busy.decide(ask(echoing(102, echoes=False), episodes[:20], version=0))
    later = await busy.decide(ask(fields, episodes))
    assert first == later


async def test_a_changed_trace_of_the_same_id_is_looked_at_again() -> None:
    judge_model = CaseClassifier()
    fields = echoing(100, echoes=True)
    swapped = [case(number, bool(number % 2), echoing(number, echoes=not number % 2)) for number in range(40)]
    before = await judge_model.decide(ask(fields, labelled(40), version=1))
    after = await judge_model.decide(ask(fields, swapped, version=2))
    assert (before.value, after.value) == (True, False)


async def test_the_cost_of_a_question_is_one_call() -> None:
    assert (await CaseClassifier().decide(ask(echoing(1, echoes=True), labelled(10)))).usage.calls == 1


async def test_questions_at_once_get_the_same_answers_as_one_after_the_other() -> None:
    episodes = labelled(30)
    questions = [ask(echoing(n, echoes=bool(n % 2)), episodes, version=n % 3) for n in range(100, 112)]
    judge_model = CaseClassifier()
    together: list[JudgeResponse] = await asyncio.gather(
        *(judge_model.decide(question) for question in questions)
    )
    assert [response.value for response in together] == await values(questions)


ODD_FIELDS: list[dict[str, Json]] = [
    {},
    {"inputs": None, "outputs": None},
    {"inputs": "", "outputs": ""},
    {"inputs": [], "outputs": {}},
    {
        "inputs": {"a": {"b": [1, 2.5, True, None, "text"]}},
        "outputs": [{"role": "assistant", "content": "ok"}],
    },
    {"inputs": "\ud800 \x00 <@U123>", "outputs": "日本語のテキスト。もう一つ。"},
    {"inputs": "word " * 50_000, "outputs": "x" * 100_000},
    {"conversation": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes."}]},
    {"conversation": [], "expectations": {"answer": "yes"}},
    {"trace": {"inputs": {"q": "Who?"}, "outputs": "Me.", "spans": [{"name": "x"}]}},
    {"inputs": {str(number): f"part {number}" for number in range(50)}, "outputs": 5},
]


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=[str(number) for number in range(len(ODD_FIELDS))])
async def test_any_json_can_be_judged_and_learned(fields: dict[str, Json]) -> None:
    episodes = [*labelled(10), case(50, True, fields), case(51, False, fields)]
    response = await CaseClassifier().decide(ask(fields, episodes))
    assert response.value in (True, False)
    assert response.rationale


async def test_cases_that_are_all_alike_but_for_their_labels_still_give_a_value() -> None:
    fields = echoing(1, echoes=True)
    episodes = [case(number, number < 4, fields) for number in range(12)]
    response = await CaseClassifier().decide(ask(fields, episodes))
    assert response.value in (True, False)


async def test_disputed_cases_teach_less_than_those_that_all_agree_on() -> None:
    reliable = labelled(20)
    disputed = [
        case(number + 50, not number % 2, echoing(number, echoes=bool(number % 2)), against=3)
        for number in range(20)
    ]
    assert await values([ask(echoing(101, echoes=True), reliable + disputed)]) == [True]


async def test_an_expected_answer_is_a_part_of_its_own() -> None:
    def fields(number: int, *, right: bool) -> dict[str, Json]:
        base = echoing(number, echoes=right)
        return {
            "inputs": "Tell me!",
            "expectations": {"answer": base["inputs"]["question"]},
            "outputs": base["outputs"],
        }

    episodes = [
        case(number, bool(number % 2), fields(number, right=bool(number % 2))) for number in range(30)
    ]
    response = await CaseClassifier().decide(ask(fields(101, right=True), episodes))
    assert response.value is True
