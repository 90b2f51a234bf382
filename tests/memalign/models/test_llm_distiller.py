import json
import re
from dataclasses import replace

import pytest

from memalign.errors import MalformedAnswerError, ModelRefusedError, RequestRefusedError
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.prompts import distilling_prompt
from memalign.ports import Completion, Distillation, Draft, LabelledRationale, Prompt
from memalign.records import Guideline, Handling, Json
from memalign.tokens import count_tokens
from tests.factories import a_guideline, a_source
from tests.fakes import DOWN, FakeModel, section

INSTRUCTIONS = "Is it polite? {{ inputs }}"


def records(*quotes: str, text: str = "hello") -> list[LabelledRationale]:
    return [
        LabelledRationale(source=a_source(f"tr-{n}", "ana", quote), label=False, fields={"inputs": text})
        for n, quote in enumerate(quotes)
    ]


async def distil(model: FakeModel, rationales: list[LabelledRationale], *known: Guideline) -> Distillation:
    return await LLMDistiller(model).distil(INSTRUCTIONS, rationales, known)


def answer(
    *guidelines: Json, supports: Json = (), contradicts: Json = (), same: Json = ()
) -> dict[str, Json]:
    return {
        "guidelines": list(guidelines),
        "supports": list(supports),
        "contradicts": list(contradicts),
        "same": list(same),
    }


async def test_numbers_become_sources_again() -> None:
    model = FakeModel(answer({"text": " Be kind always. ", "records": [1, "0"]}))

    result = await distil(model, records("a", "b"))

    assert result.drafts == (
        Draft(
            text="Be kind always.",
            sources=(a_source("tr-1", quote="b"), a_source("tr-0", quote="a")),
            labels=(False, False),
        ),
    )


@pytest.mark.parametrize(
    "useless",
    [
        {"text": "", "records": [0]},
        {"text": "No records.", "records": []},
        {"text": "Null.", "records": None},
        {"text": "Unknown.", "records": [7, -1, "x", None, True, 1.5]},
        {"text": None, "records": [0]},
        {"records": [0]},
        "not an object",
        None,
    ],
)
async def test_what_names_no_record_is_dropped(useless: Json) -> None:
    result = await distil(FakeModel(answer(useless), answer(useless)), records("a"))

    assert result.drafts == ()
    assert result.failed == {}


async def test_records_of_another_batch_cannot_be_named() -> None:
    model = FakeModel(
        answer({"text": "Greet people first.", "records": [0, 50]}),
        answer({"text": "Never be curt.", "records": [0, 50]}),
    )

    result = await distil(model, records(*(f"r{n}" for n in range(51))))

    assert [(draft.text, [source.trace_id for source in draft.sources]) for draft in result.drafts] == [
        ("Greet people first.", ["tr-0"]),
        ("Never be curt.", ["tr-50"]),
    ]


async def test_without_records_no_model_is_asked() -> None:
    model = FakeModel()

    assert await distil(model, []) == Distillation()
    assert model.prompts == []


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (50, 1), (51, 2), (120, 3), (1_000, 20)])
async def test_batches_hold_at_most_fifty_records(count: int, calls: int) -> None:
    model = FakeModel()

    result = await distil(model, records(*(f"reason {n}" for n in range(count))))

    assert len(model.prompts) == calls
    assert len(result.drafts) == count
    assert result.usage.calls == calls


async def test_batches_are_split_by_tokens_too_and_fit_the_context() -> None:
    model = FakeModel(context_tokens=10_000)

    result = await distil(model, records(*(f"reason {n}" for n in range(12)), text="word " * 1_000))

    assert 3 <= len(model.prompts) <= 6
    assert len(result.drafts) == 12
    assert all(
        count_tokens(prompt.stable) + count_tokens(prompt.changing) + prompt.answer_tokens <= 10_000
        for prompt in model.prompts
    )


async def test_one_oversized_record_is_cut_and_still_asked_about() -> None:
    model = FakeModel(context_tokens=10_000)

    result = await distil(model, records("the reason", text="word " * 100_000))

    assert [draft.text for draft in result.drafts] == ["the reason"]
    assert count_tokens(model.prompts[0].changing) < 7_500


async def test_known_rules_that_say_the_same_are_named_and_unknown_numbers_are_left_out() -> None:
    known = [
        a_guideline(text, guideline_id=f"g-{place}") for place, text in enumerate(("Be kind.", "Be nice."))
    ]
    model = FakeModel(answer(same=[{"rules": [1, 0, 7]}, {"rules": [0]}, {"rules": "all"}]))

    result = await distil(model, records("yes"), *known)

    assert result.same == (("g-1", "g-0"),)


async def test_what_confirms_or_contradicts_a_known_rule_is_mapped_to_it() -> None:
    known = a_guideline("Be kind.", guideline_id="g-1")
    model = FakeModel(
        answer(
            {"text": "Be blunt at once.", "records": [1]},
            supports=[{"rule": 0, "records": [0]}, {"rule": 9, "records": [0]}],
            contradicts=[{"rule": 0, "records": [1]}],
        )
    )

    result = await distil(model, records("yes", "no"), known)

    assert result.supports == {"g-1": (a_source("tr-0", quote="yes"),)}
    assert result.contradicts == {"g-1": (a_source("tr-1", quote="no"),)}
    assert result.conflicts == (("Be blunt at once.", "g-1"),)


async def test_a_known_sentence_written_anew_is_support() -> None:
    model = FakeModel(answer({"text": "be  KIND", "records": [0]}))

    result = await distil(model, records("yes"), a_guideline("Be kind.", guideline_id="g-1"))

    assert result.drafts == ()
    assert result.supports == {"g-1": (a_source("tr-0", quote="yes"),)}


ECHO = {"text": "one sentence", "records": [0]}


async def test_an_answer_that_only_repeats_the_prompt_is_asked_for_once_more() -> None:
    model = FakeModel(answer(ECHO), answer({"text": "Never be curt.", "records": [0]}, ECHO))

    result = await distil(model, records("curt"))

    assert [draft.text for draft in result.drafts] == ["Never be curt."]
    assert result.dropped == 1
    assert result.usage.calls == 2


async def test_a_model_that_can_only_repeat_the_prompt_teaches_nothing_and_is_asked_twice() -> None:
    model = FakeModel(answer(ECHO), answer(ECHO, {"text": "Guideline 1", "records": [0]}))

    result = await distil(model, records("curt"))

    assert (result.drafts, result.failed, result.dropped) == ((), {}, 2)
    assert len(model.prompts) == 2


@pytest.mark.parametrize(
    ("text", "reason", "kept"),
    [
        ("Be polite", "It is curt.", False),
        ("Be polite.", "You should be polite!", True),
        ("敬語を使う", "失礼", True),
        ("礼貌", "太短", False),
        ("Be kind.", "It is curt.", False),
        ("<rule>", "It is curt.", False),
        ("Greet people first.", "It is curt.", True),
    ],
)
async def test_a_rule_of_one_or_two_words_must_be_somebodys_own(text: str, reason: str, kept: bool) -> None:
    draft = answer({"text": text, "records": [0]})

    result = await distil(FakeModel(draft, draft), records(reason))

    assert [each.text for each in result.drafts] == ([text] if kept else [])


def test_the_prompt_holds_no_answer_to_copy() -> None:
    prompt = distilling_prompt(INSTRUCTIONS, (), (), 0).stable
    assert not re.search(r"[{\[]\s*[\"0-9]", prompt)


async def test_a_batch_that_fails_is_told_trace_by_trace_and_spoils_no_other() -> None:
    model = FakeModel(DOWN)

    result = await distil(model, records(*(f"r{n}" for n in range(60))))

    assert set(result.failed) == {f"tr-{n}" for n in range(50)}
    assert len(result.drafts) == 10


class Refusing(FakeModel):
    """Refuses whatever holds the poison."""

    def __init__(self, poison: str, error: Exception) -> None:
        super().__init__()
        self.poison, self.error = poison, error

    async def complete(self, prompt: Prompt, schema: Json) -> Completion:
        if any(json.loads(line)["reason"] == self.poison for line in section(prompt.changing, "records")):
            self.prompts.append(prompt)
            raise self.error
        return await super().complete(prompt, schema)


@pytest.mark.parametrize("error", [RequestRefusedError("refused"), MalformedAnswerError("nonsense")])
async def test_one_poisoned_record_does_not_take_its_batch_along(error: Exception) -> None:
    model = Refusing("r17", error)

    result = await distil(model, records(*(f"r{n}" for n in range(50))))

    assert list(result.failed) == ["tr-17"]
    assert len(result.drafts) == 49


async def test_a_service_that_refuses_everything_is_not_asked_for_ever() -> None:
    class Broken(FakeModel):
        async def complete(self, prompt: Prompt, schema: Json) -> Completion:
            self.prompts.append(prompt)
            raise RequestRefusedError(f"refused, with {len(schema)} parts of a schema")

    model = Broken()

    result = await distil(model, records(*(f"r{n}" for n in range(200))))

    assert len(result.failed) == 200
    assert len(model.prompts) <= 60


async def test_a_refused_key_is_not_answered_by_splitting() -> None:
    model = FakeModel(ModelRefusedError("wrong key"))

    assert (await distil(model, records("a", "b"))).failed == dict.fromkeys(("tr-0", "tr-1"), "wrong key")
    assert len(model.prompts) == 1


async def test_the_order_of_results_is_that_of_the_records() -> None:
    rationales = records(*(f"reason {n}" for n in range(130)))

    first, second = await distil(FakeModel(), rationales), await distil(FakeModel(), rationales)

    assert first == second
    assert [draft.text for draft in first.drafts] == [f"reason {n}" for n in range(130)]


async def test_too_many_known_rules_leave_room_for_records() -> None:
    rules = [a_guideline("word " * 200 + str(n), guideline_id=f"g-{n}") for n in range(100)]
    model = FakeModel(context_tokens=16_000)

    await distil(model, records("r"), *rules)

    assert 5 <= len(section(model.prompts[0].stable, "rules")) < 100
    assert count_tokens(model.prompts[0].stable) < 8_000


async def test_retired_rules_are_marked_and_shown_before_others_where_room_is_short() -> None:
    model = FakeModel(context_tokens=6_000)
    retired = replace(a_guideline("Old rule.", guideline_id="g-old"), retired_by=Handling(person="zoe"))
    known = [
        a_guideline(f"Rule {number} " + "word " * 60, a_source(), a_source("tr-2")) for number in range(60)
    ]

    await distil(model, records("a"), *known, retired)

    lines = [json.loads(line) for line in section(model.prompts[0].stable, "rules")]
    assert len(lines) < len(known)
    assert [line for line in lines if "retired" in line] == [
        {"rule": len(lines) - 1, "text": "Old rule.", "people": 1, "retired": True}
    ]
