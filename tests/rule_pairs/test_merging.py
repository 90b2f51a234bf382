"""The score of what unites guidelines: code alone, and a model that knows what the pairs say."""

import json
from collections.abc import Mapping
from dataclasses import replace

from memalign.memory.rule_pairs import MAX_PAIRS, RulePair
from memalign.memory.state import MemoryState
from memalign.models.pair_comparison import PairComparer
from memalign.ports import Completion, Distillation, Draft, Prompt
from memalign.records import Guideline, Json, Usage
from tests.bench.simulated_model import answer
from tests.factories import a_guideline, a_source, an_episode
from tests.fakes import FakeModel, direction
from tests.rule_pairs.scoring import merge_score
from tests.rule_pairs.table import RulePair as TablePair
from tests.rule_pairs.table import rule_pairs

ALIKE = direction("alike")
"""One vector for all guidelines: it decides nothing."""


class SimulatedModel(FakeModel):
    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        assert schema
        self.prompts.append(prompt)
        return Completion(
            answer=json.loads(answer(prompt.stable, prompt.changing, paraphrases=True)), usage=Usage(calls=1)
        )


def an_empty_state(pair: TablePair) -> MemoryState:
    """The cases of a pair, and no guideline yet."""
    episodes = [an_episode("tr-1", pair.first_label), an_episode("tr-2", pair.second_label)]
    empty = MemoryState.empty("j", binary=True)
    return empty.with_episodes(put=episodes, retracted=(), lost=(), vectors={}, undistilled=())


def drafts_of(pair: TablePair) -> list[Draft]:
    return [
        Draft(text=pair.first, sources=(a_source("tr-1"),), labels=(pair.first_label,)),
        Draft(text=pair.second, sources=(a_source("tr-2"),), labels=(pair.second_label,)),
    ]


def guidelines_of(pair: TablePair) -> tuple[Guideline, ...]:
    """The two guidelines as they stand beside each other when a model is asked about them."""
    rules = (
        a_guideline(pair.first, a_source("tr-1"), guideline_id="g-1"),
        a_guideline(pair.second, a_source("tr-2"), guideline_id="g-2"),
    )
    state = an_empty_state(pair)
    return state.with_guidelines(rules).semantic.guidelines


def unites_by_code(pair: TablePair) -> bool:
    vectors = {pair.first: ALIKE, pair.second: ALIKE}
    state = an_empty_state(pair).with_distillation(
        Distillation(drafts=tuple(drafts_of(pair))), (), vectors, 1
    )
    return len(state.semantic.guidelines) == 1


def test_code_alone_unites_nothing_that_is_not_the_same() -> None:
    for pairs in (rule_pairs(), [pair.reversed for pair in rule_pairs()]):
        score = merge_score(pairs, unites_by_code)

        assert score.precision == 1
        assert score.right


async def test_with_a_model_that_knows_what_they_say_all_that_are_the_same_are_united_and_nothing_else() -> (
    None
):
    model, united = SimulatedModel(), set()
    for start in range(0, len(rule_pairs()), MAX_PAIRS):
        chosen = rule_pairs()[start : start + MAX_PAIRS]
        pairs = [RulePair.of(*guidelines_of(pair)) for pair in chosen]
        answers = await PairComparer(model).compare("Is it right?", pairs)
        for row, pair, relation in zip(chosen, pairs, answers.relations, strict=True):
            state = an_empty_state(row).with_guidelines([pair.first, pair.second])
            after = state.with_comparisons([(pair, relation)], ())
            if len(after.semantic.guidelines) == 1:
                united.add(row)

    score = merge_score(rule_pairs(), united.__contains__)

    assert len(model.prompts) == 5
    assert (score.precision or 0) >= 0.95
    assert (score.recall or 0) >= 0.95


def test_a_model_that_takes_everything_for_the_same_unites_nothing_whose_cases_split_by_label() -> None:
    for row in rule_pairs():
        first, second = guidelines_of(row)
        state = an_empty_state(row).with_guidelines([first, replace(second, conflicts_with=())])

        after = state.with_comparisons([(RulePair.of(first, second), "same")], ())

        assert len(after.semantic.guidelines) == (1 if row.first_label == row.second_label else 2)
