"""Distilling with a language model: records in batches, rules out, with the records that each rests on."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from memalign.errors import MalformedAnswerError, ModelError, RequestRefusedError
from memalign.memory.text_features import normal
from memalign.models.prompts import ANSWER_TOKENS, distilling_prompt, distilling_schema, record_line
from memalign.ports import Completion, Distillation, Draft, LabelledRationale, LanguageModel
from memalign.records import Guideline, Json, Source, Usage
from memalign.tokens import count_tokens

_log = logging.getLogger("memalign")

BATCH_RECORDS = 50
SPLITS = 24
"""How often, in one go, a batch that was refused is halved to find the record that is to blame."""
SMALLEST_ROOM = 2_000
"""What records get in a prompt at least, in tokens."""


@dataclass(slots=True, kw_only=True)
class _Task:
    """What one call of `distil` shares between its batches."""

    instructions: str
    records: Sequence[LabelledRationale]
    rules: Sequence[Guideline]
    splits_left: int = SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the model made of one batch."""

    drafts: tuple[Draft, ...] = ()
    supports: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    contradicts: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    same: Sequence[tuple[str, ...]] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


class LLMDistiller:
    """Asks a language model."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """`provider:/name`."""
        return self._model.name

    async def distil(
        self, instructions: str, records: Sequence[LabelledRationale], known: Sequence[Guideline]
    ) -> Distillation:
        """Distil the records, given what is known already; the order of results is that of the records."""
        rules = _within(known, self._model.context_tokens // 4)
        stable = distilling_prompt(instructions, rules, ()).stable
        room = max(self._model.context_tokens - ANSWER_TOKENS - count_tokens(stable), SMALLEST_ROOM)
        lines = {number: record_line(number, record, room) for number, record in enumerate(records)}
        task = _Task(instructions=instructions, records=records, rules=rules)
        answers = await asyncio.gather(*(self._batch(task, batch) for batch in _batches(lines, room)))
        return _combined([answer for batch in answers for answer in batch], rules)

    async def _batch(self, task: _Task, lines: Mapping[int, str]) -> list[_Answer]:
        """Ask about one batch; where something in it is refused, ask about its halves."""
        prompt = distilling_prompt(task.instructions, task.rules, list(lines.values()))
        _log.debug("%s distils %d records, %d rules are known", self.name, len(lines), len(task.rules))
        try:
            completion = await self._model.complete(prompt, distilling_schema())
        except (RequestRefusedError, MalformedAnswerError) as error:
            if len(lines) == 1 or task.splits_left <= 0:
                return [_failure(task, lines, error)]
            task.splits_left -= 1
            numbers = list(lines)
            halves = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
            parts = [await self._batch(task, {number: lines[number] for number in half}) for half in halves]
            return [answer for part in parts for answer in part]
        except ModelError as error:
            return [_failure(task, lines, error)]
        return [_read(task, lines, completion)]


def _within(known: Sequence[Guideline], limit: int) -> list[Guideline]:
    """The best supported rules that fit, in the order given."""
    kept = set()
    for rule in sorted(known, key=lambda one: (-len(one.sources), one.id)):
        limit -= count_tokens(rule.text) + 10
        if limit < 0:
            break
        kept.add(rule.id)
    return [rule for rule in known if rule.id in kept]


def _batches(lines: Mapping[int, str], room: int) -> Iterator[dict[int, str]]:
    batch: dict[int, str] = {}
    tokens = 0
    for number, line in lines.items():
        size = count_tokens(line) + 1
        if batch and (len(batch) == BATCH_RECORDS or tokens + size > room):
            yield batch
            batch, tokens = {}, 0
        batch[number] = line
        tokens += size
    if batch:
        yield batch


def _failure(task: _Task, lines: Mapping[int, str], error: ModelError) -> _Answer:
    return _Answer(failed={task.records[number].source.trace_id: str(error) for number in lines})


def _read(task: _Task, lines: Mapping[int, str], completion: Completion) -> _Answer:
    """Map numbers back; what names no record of the batch, or no rule, is left out."""
    answer = completion.answer
    drafts = []
    for item in _items(answer.get("guidelines")):
        records = [task.records[number] for number in _numbers(item.get("records")) if number in lines]
        text = item.get("text")
        if isinstance(text, str) and text.strip() and records:
            sources = tuple(record.source for record in records)
            labels = tuple(record.label for record in records)
            drafts.append(Draft(text=text.strip(), sources=sources, labels=labels))
    return _Answer(
        drafts=tuple(drafts),
        supports=_on_rules(task, lines, answer.get("supports")),
        contradicts=_on_rules(task, lines, answer.get("contradicts")),
        same=_same(task, answer.get("same")),
        usage=completion.usage,
    )


def _on_rules(task: _Task, lines: Mapping[int, str], said: Json) -> dict[str, tuple[Source, ...]]:
    found: dict[str, tuple[Source, ...]] = {}
    for item in _items(said):
        for place in _numbers([item.get("rule")]):
            sources = [
                task.records[number].source for number in _numbers(item.get("records")) if number in lines
            ]
            if 0 <= place < len(task.rules) and sources:
                rule = task.rules[place].id
                found[rule] = (*found.get(rule, ()), *sources)
    return found


def _same(task: _Task, said: Json) -> list[tuple[str, ...]]:
    groups = (
        [place for place in _numbers(item.get("rules")) if place < len(task.rules)] for item in _items(said)
    )
    return [tuple(task.rules[place].id for place in places) for places in groups if len(places) > 1]


def _items(said: Json) -> list[Mapping[str, Json]]:
    return [item for item in said if isinstance(item, Mapping)] if isinstance(said, list) else []


def _numbers(said: Json) -> list[int]:
    """The whole numbers in a list, each once; texts of digits count too."""
    if not isinstance(said, list):
        return []
    texts = [str(item).strip() for item in said if isinstance(item, int | str) and not isinstance(item, bool)]
    return list(dict.fromkeys(int(text) for text in texts if text.isascii() and text.isdigit()))


def _combined(answers: Sequence[_Answer], rules: Sequence[Guideline]) -> Distillation:
    known = {normal(rule.text): rule.id for rule in rules}
    supports: dict[str, tuple[Source, ...]] = {}
    contradicts: dict[str, tuple[Source, ...]] = {}
    drafts: list[Draft] = []
    conflicts: list[tuple[str, str]] = []
    for answer in answers:
        for rule, sources in answer.supports.items():
            supports[rule] = (*supports.get(rule, ()), *sources)
        for rule, sources in answer.contradicts.items():
            contradicts[rule] = (*contradicts.get(rule, ()), *sources)
            conflicts += [(one.text, rule) for one in answer.drafts if set(one.sources) & set(sources)]
        for draft in answer.drafts:
            same = known.get(normal(draft.text))
            if same is None:
                drafts.append(draft)
            else:
                supports[same] = (*supports.get(same, ()), *draft.sources)
    return Distillation(
        drafts=tuple(drafts),
        supports=supports,
        contradicts=contradicts,
        conflicts=tuple(conflicts),
        same=tuple(dict.fromkeys(group for answer in answers for group in answer.same)),
        failed={name: why for answer in answers for name, why in answer.failed.items()},
        usage=sum((answer.usage for answer in answers), Usage()),
    )
