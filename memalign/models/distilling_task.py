"""One task of distilling: rationales with their rules, the prompt about them, and the reading of the answers."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from memalign.memory.text_features import sentence_key
from memalign.models.prompt_echo import ShownWords, is_echo, is_fragment, is_sentence_of
from memalign.models.prompts import distilling_prompt
from memalign.ports import (
    Completion,
    Distillation,
    Draft,
    LabelledRationale,
    Prompt,
    combine,
    opinions_read,
)
from memalign.records import Guideline, Json, Source

_log = logging.getLogger("memalign")

MAX_RULE_CHARACTERS = 4_000
"""Of a rule; a longer text is a model that repeats itself without end, and is left out."""
MAX_DIGITS = 9
"""Of the number of a record or a rule; longer ones name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillingTask:
    """The part of one call of `distil` that its batches share."""

    instructions: str
    rationales: Sequence[LabelledRationale]
    rules: Sequence[Guideline]
    lines: Sequence[str]
    """Each rationale as the prompt shows it."""
    answer_tokens: int
    neighbours: Sequence[str] = ()
    """Similar cases, as the prompt shows them."""

    def prompt(self, numbers: Sequence[int]) -> Prompt:
        """Write the prompt that asks about some of the rationales.

        Args:
            numbers: Their places.

        Returns:
            The prompt.
        """
        lines = [self.lines[number] for number in numbers]
        return distilling_prompt(
            self.instructions, self.rules, lines, self.answer_tokens, neighbours=self.neighbours
        )


def read_distillation(task: DistillingTask, numbers: Sequence[int], completion: Completion) -> Distillation:
    """Read an answer about some of the rationales.

    Args:
        task: The task.
        numbers: Places of the rationales that were asked about.
        completion: The answer, which names rationales and rules by their numbers.

    Returns:
        What it says; what names none of these rationales, or no rule, is left out.
    """
    answer = completion.answer
    drafts, dropped = _drafts(task, numbers, answer.get("guidelines"))
    contradicts = _sources_by_rule(task, numbers, answer.get("contradicts"))
    same = _same(task, answer.get("same"))
    read = opinions_read(task.rationales[number] for number in numbers)
    return Distillation(
        drafts=drafts,
        supports=_sources_by_rule(task, numbers, answer.get("supports")),
        contradicts=contradicts,
        conflicts=tuple(_conflicts(drafts, contradicts)),
        same=tuple(same),
        prompted_by=dict.fromkeys(same, read),
        dropped=dropped,
        usage=completion.usage,
    )


def is_only_echo(task: DistillingTask, numbers: Sequence[int], completion: Completion) -> bool:
    """Tell whether an answer does no more than repeat its prompt.

    Args:
        task: The task.
        numbers: Places of the rationales that were asked about.
        completion: The answer.

    Returns:
        True if drafts were left out for that, and nothing is left.
    """
    read = read_distillation(task, numbers, completion)
    return bool(read.dropped) and not (read.drafts or read.supports or read.contradicts or read.same)


def _drafts(task: DistillingTask, numbers: Sequence[int], answer: Json) -> tuple[tuple[Draft, ...], int]:
    """Return the drafts, and the number of those that repeat the prompt and are left out."""
    drafts, dropped = [], 0
    shown = ShownWords([*(task.lines[number] for number in numbers), *task.neighbours])
    for item in _objects(answer):
        rationales = [
            task.rationales[number] for number in _numbers(item.get("records")) if number in numbers
        ]
        text = item.get("text")
        if not isinstance(text, str) or not rationales or len(text.strip()) > MAX_RULE_CHARACTERS:
            continue
        if _repeats_the_prompt(task, text, rationales, shown):
            dropped += 1
            continue
        sources = tuple(rationale.source for rationale in rationales)
        labels = tuple(rationale.label for rationale in rationales)
        drafts.append(Draft(text=text.strip(), sources=sources, labels=labels))
    if dropped:
        _log.debug("%d drafts that repeat the prompt are left out.", dropped)
    return tuple(drafts), dropped


def _repeats_the_prompt(
    task: DistillingTask, text: str, rationales: Sequence[LabelledRationale], shown: ShownWords
) -> bool:
    quotes = [rationale.source.quote for rationale in rationales]
    known = [rule.text for rule in task.rules]
    if is_echo(text, task.instructions) or is_fragment(text, [*known, *quotes]):
        return True
    return shown.hold(text) and not is_sentence_of(text, quotes)


def _sources_by_rule(
    task: DistillingTask, numbers: Sequence[int], answer: Json
) -> dict[str, tuple[Source, ...]]:
    by_rule: dict[str, tuple[Source, ...]] = {}
    for item in _objects(answer):
        for place in _numbers([item.get("rule")]):
            sources = [
                task.rationales[number].source
                for number in _numbers(item.get("records"))
                if number in numbers
            ]
            if 0 <= place < len(task.rules) and sources:
                rule_id = task.rules[place].id
                by_rule[rule_id] = (*by_rule.get(rule_id, ()), *sources)
    return by_rule


def _same(task: DistillingTask, answer: Json) -> list[tuple[str, ...]]:
    groups = (
        [place for place in _numbers(item.get("rules")) if place < len(task.rules)]
        for item in _objects(answer)
    )
    return [tuple(task.rules[place].id for place in places) for places in groups if len(places) > 1]


def _objects(answer: Json) -> list[Mapping[str, Json]]:
    return [item for item in answer if isinstance(item, Mapping)] if isinstance(answer, list) else []


def _numbers(answer: Json) -> list[int]:
    """Return the whole numbers in a list, each once; texts of digits count too."""
    if not isinstance(answer, list):
        return []
    texts = [
        str(item).strip() for item in answer if isinstance(item, int | str) and not isinstance(item, bool)
    ]
    return list(
        dict.fromkeys(
            int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
        )
    )


def with_known_words(result: Distillation, rules: Sequence[Guideline]) -> Distillation:
    """Let a draft in a known rule's words support that rule.

    Args:
        result: What the answers say.
        rules: The known rules.

    Returns:
        The same without these drafts.
    """
    rule_ids = {sentence_key(rule.text): rule.id for rule in rules}
    known = [draft for draft in result.drafts if sentence_key(draft.text) in rule_ids]
    supports = (Distillation(supports={rule_ids[sentence_key(draft.text)]: draft.sources}) for draft in known)
    drafts = tuple(draft for draft in result.drafts if sentence_key(draft.text) not in rule_ids)
    return combine([replace(result, drafts=drafts), *supports])


def _conflicts(drafts: Sequence[Draft], contradicts: Mapping[str, Sequence[Source]]) -> list[tuple[str, str]]:
    """Pair each draft with the rules that its own rationales contradict."""
    return [
        (draft.text, rule_id)
        for rule_id, sources in contradicts.items()
        for draft in drafts
        if set(draft.sources) & set(sources)
    ]
