"""Choice of guidelines for a prompt that has not room for all: people's votes on their verdicts have a say."""

from dataclasses import replace

from memalign.memory.semantic import SemanticMemory
from memalign.recall.guideline_selection import GuidelineSelector
from memalign.records import Guideline, GuidelineRecord
from tests.factories import a_guideline, a_source

TOKENS_FOR_TWO = 30


def a_rule(name: str, up: int = 0, down: int = 0, people: int = 1, **state: object) -> Guideline:
    sources = [a_source(f"tr-{name}-{number}", f"person-{number}") for number in range(people)]
    rule = a_guideline(f"Answers on {name} are good.", *sources, guideline_id=name)
    return replace(rule, record=GuidelineRecord(up=up, down=down), **state)  # type: ignore[arg-type]


def selected(*rules: Guideline, text: str = "", max_tokens: int = 4_000) -> list[str]:
    memory = SemanticMemory(guidelines=rules)
    return [rule.id for rule in GuidelineSelector(memory, max_tokens).select(text, None).guidelines]


def test_while_all_fit_votes_do_not_change_the_order_on_which_prompt_caches_depend() -> None:
    assert selected(a_rule("trains"), a_rule("boats", up=9)) == ["trains", "boats"]
    assert selected(a_rule("trains", up=9), a_rule("boats", up=2, down=5)) == ["trains", "boats"]


def test_of_two_that_contradict_each_other_the_one_with_the_better_record_is_shown() -> None:
    popular = a_rule("trains", up=2, down=5, people=3, conflicts_with=("boats",))
    reliable = a_rule("boats", up=5, conflicts_with=("trains",))

    assert selected(popular, reliable) == ["boats"]


def test_a_bad_record_leaves_a_rule_out_before_others_as_relevant() -> None:
    rules = [a_rule("trains", up=2, down=6), a_rule("boats"), a_rule("ships", up=3)]

    chosen = selected(*rules, text="trains boats ships", max_tokens=TOKENS_FOR_TWO)

    assert sorted(chosen) == ["boats", "ships"]


def test_a_good_record_keeps_no_new_rule_out_that_is_more_relevant() -> None:
    rules = [a_rule("trains", up=30), a_rule("boats", up=30), a_rule("ships")]

    chosen = selected(*rules, text="ships", max_tokens=TOKENS_FOR_TWO)

    assert chosen[-1] == "ships"
