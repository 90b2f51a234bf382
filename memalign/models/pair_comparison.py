"""Comparing pairs of guidelines with a language model: one call for all, an answer of one word a pair."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args

from memalign.errors import PromptTooLongError
from memalign.memory.rule_pairs import RulePair
from memalign.models.cited_numbers import number_of
from memalign.models.prompts import comparing_prompt, comparing_schema, pair_line
from memalign.ports import LanguageModel
from memalign.records import Json, RuleRelation, Usage
from memalign.tokens import count_tokens

_log = logging.getLogger("memalign")

COMPARING_TOKENS = 1_000
"""Room for an answer on 40 pairs, where the model's options set no other. Set by hand: 20 tokens a pair, and as many
again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAnswers:
    """A model's answers on pairs of guidelines."""

    relations: tuple[RuleRelation, ...]
    """Of the first pairs, as many as the model's context had room for; one that it passed over is "different"."""
    usage: Usage


class PairComparer:
    """Asks a language model how the two guidelines of a pair stand to each other.

    The guidelines are all that it reads: nobody's reason is in front of it that could tell it what to answer.

    Args:
        model: Asked once, whatever the number of pairs.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    async def compare(self, instructions: str, pairs: Sequence[RulePair]) -> PairAnswers:
        """Compare pairs.

        Args:
            instructions: The judge's.
            pairs: At least one.

        Returns:
            The answers, and the cost.

        Raises:
            ModelError: If the model fails.
        """
        room = await self._model.prompt_room(COMPARING_TOKENS)
        lines = _fitting(pairs, instructions, room.prompt_tokens)
        while lines:
            _log.debug("%s compares %d pairs of guidelines", self._model.name, len(lines))
            prompt = comparing_prompt(instructions, lines, room.answer_tokens)
            try:
                completion = await self._model.complete(prompt, comparing_schema())
            except PromptTooLongError:
                lines = lines[: len(lines) // 2]
            else:
                relations = _relations(completion.answer.get("pairs"))
                answers = tuple(relations.get(number, "different") for number in range(len(lines)))
                return PairAnswers(relations=answers, usage=completion.usage)
        return PairAnswers(relations=(), usage=Usage())


def _fitting(pairs: Sequence[RulePair], instructions: str, max_tokens: int) -> list[str]:
    """Return the lines of the first pairs, as many as there is room for."""
    empty = comparing_prompt(instructions, (), 0)
    left = max_tokens - count_tokens(empty.stable) - count_tokens(empty.changing)
    fitting = []
    for number, pair in enumerate(pairs):
        line = pair_line(number, pair)
        left -= count_tokens(line) + 1
        if left < 0:
            break
        fitting.append(line)
    return fitting


def _relations(answer: Json) -> dict[int, RuleRelation]:
    """Return the relations by the number of the pair; of two answers on one pair the first counts."""
    relations: dict[int, RuleRelation] = {}
    for item in answer if isinstance(answer, list) else ():
        if not isinstance(item, Mapping):
            continue
        number = number_of(item.get("pair"))
        relation = str(item.get("relation")).strip(" .\"'").casefold()
        if number is not None and relation in get_args(RuleRelation):
            relations.setdefault(number, cast("RuleRelation", relation))
    return relations
