"""The known rules that a distiller is shown."""

import gc
import weakref
from dataclasses import replace

import pytest

from memalign.models.known_rules import RULES_TOKENS, shown_rules
from memalign.models.llm_distiller import LLMDistiller
from memalign.ports import LabelledRationale
from memalign.records import Guideline, Handling
from memalign.tokens import count_tokens
from tests.factories import a_guideline, a_source
from tests.fakes import FakeModel, section


def many(count: int) -> list[Guideline]:
    return [
        a_guideline(f"Rule {number} on thing{number}.", guideline_id=f"g-{number:04}")
        for number in range(count)
    ]


def test_all_are_shown_in_order_while_they_fit() -> None:
    rules = many(100)

    assert shown_rules(rules, ["x"], 100_000) == rules


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("Never promise refunds.", "We do not give a refund for that."),
        ("Nenne immer die Quellen.", "Die Quelle fehlt."),
        ("不要承诺退款。", "他承诺退款了"),
    ],
)
def test_of_too_many_those_like_the_reason_are_shown_and_the_best_supported(rule: str, reason: str) -> None:
    supported = a_guideline("Be kind.", a_source("tr-1"), a_source("tr-2"), guideline_id="g-kind")
    rules = [*many(2_000), a_guideline(rule, guideline_id="g-zz"), supported]

    shown = shown_rules(rules, [reason], 100_000)

    assert {rule, "Be kind."} <= {each.text for each in shown}
    assert shown == [each for each in rules if each in shown]
    assert sum(count_tokens(each.text) for each in shown) <= RULES_TOKENS


def test_retired_rules_are_shown_before_all_others() -> None:
    retired = [replace(each, retired_by=Handling(person="zoe")) for each in many(30)]
    rules = [*many(1_000)[30:], *retired]

    assert set(retired) <= set(shown_rules(rules, ["Rule on thing500."], 1_000))


async def test_a_lesson_costs_the_same_with_2_000_rules_as_with_4_000() -> None:
    sizes = []
    for count in (2_000, 4_000):
        model = FakeModel()
        rationale = LabelledRationale(source=a_source(quote="Cite it."), label=False, fields={})
        await LLMDistiller(model).distil("Polite?", [rationale], many(count))
        (prompt,) = model.prompts
        assert len(section(prompt.stable, "rules")) < 300
        sizes.append(count_tokens(prompt.stable))

    assert abs(sizes[0] - sizes[1]) < 50


class Reason(str):
    """Somebody's words, whose end can be watched."""

    __slots__ = ("__weakref__",)


def test_no_reason_stays_in_the_process_after_the_rules_are_selected() -> None:
    reason = Reason("Ana's address is nobody's business.")
    watched = weakref.ref(reason)
    assert shown_rules(many(2_000), [reason], 1_000)

    del reason
    gc.collect()

    assert watched() is None
