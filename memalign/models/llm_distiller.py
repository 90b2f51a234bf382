"""Distilling with a language model: rationales in batches, rules out, with the rationales that each rests on."""

import asyncio
import hashlib
import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from memalign.batches import token_batches
from memalign.errors import (
    ModelError,
    ModelRefusedError,
    PromptTooLongError,
    RequestRefusedError,
)
from memalign.fault_search import FaultSearch, KnownFaults
from memalign.memory.text_features import normal
from memalign.models.prompt_echo import is_echo, is_fragment
from memalign.models.prompts import distilling_prompt, distilling_schema, rationale_line
from memalign.ports import (
    Completion,
    Distillation,
    Draft,
    LabelledRationale,
    LanguageModel,
    Prompt,
    PromptRoom,
    combine,
)
from memalign.records import Guideline, Json, Source
from memalign.tokens import count_tokens

_log = logging.getLogger("memalign")

MAX_BATCH_RATIONALES = 50
"""As MLflow's MemAlign batches records."""
LESSON_TOKENS = 4_000
"""Room for what a batch teaches, where the model's options set no other. Set by hand."""
GUIDELINE_ANSWER_TOKENS = 40
"""Of it, the room for what one rationale teaches: a sentence of 25 tokens with its JSON. Set by hand."""
MIN_RATIONALE_TOKENS = 200
"""Least room in a prompt for a rationale with its case. Set by hand."""
MAX_FITTINGS = 4
"""Times that rationales are batched anew for a smaller context, where the model finds a prompt too long."""
RULES_SHARE = 4
"""Known rules get at most this fraction (a quarter) of the prompt's room."""
_RULE_LINE_TOKENS = 10
"""Tokens that a known rule takes in a prompt beside its text."""
MAX_RULE_CHARACTERS = 4_000
"""Of a rule; a longer text is a model that repeats itself without end, and is left out."""
MAX_DIGITS = 9
"""Of the number of a record or a rule; longer ones name none."""
PROBE = Prompt(stable="Answer with a JSON object.", changing='{"text": "Hello."}')
"""Asked to see if the model answers at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """The part of one call of `distil` that its batches share."""

    instructions: str
    rationales: Sequence[LabelledRationale]
    rules: Sequence[Guideline]
    lines: Sequence[str]
    """Each rationale as the prompt shows it."""
    answer_tokens: int

    def prompt(self, numbers: Sequence[int]) -> Prompt:
        """Write the prompt that asks about some of the rationales."""
        lines = [self.lines[number] for number in numbers]
        return distilling_prompt(self.instructions, self.rules, lines, self.answer_tokens)


class LLMDistiller:
    """Distils with a language model.

    Args:
        model: Asked once for each batch of at most 50 rationales, batches at once.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._faults = KnownFaults()
        """Hashes of rationales that the model failed at, or refused, while it answered others."""

    @property
    def name(self) -> str:
        """The model as `provider:/name`."""
        return self._model.name

    async def distil(
        self, instructions: str, rationales: Sequence[LabelledRationale], known: Sequence[Guideline]
    ) -> Distillation:
        """See `memalign.ports.Distiller.distil`. The order of results is that of the rationales."""
        if not rationales:
            return Distillation()
        return await self._distil(instructions, rationales, known, MAX_FITTINGS)

    async def _distil(
        self,
        instructions: str,
        rationales: Sequence[LabelledRationale],
        known: Sequence[Guideline],
        fittings: int,
    ) -> Distillation:
        """Distil in batches that fit the model's context; batched anew where it proves to be smaller."""
        room = await self._model.prompt_room(LESSON_TOKENS)
        rules = _best_supported(known, room.prompt_tokens // RULES_SHARE)
        record_tokens = _record_tokens(instructions, rules, room)
        task = _Task(
            instructions=instructions,
            rationales=rationales,
            rules=rules,
            lines=[rationale_line(number, each, record_tokens) for number, each in enumerate(rationales)],
            answer_tokens=room.answer_tokens,
        )
        faulty = self._known_faults(rationales)
        batches = token_batches(
            [number for number in range(len(rationales)) if number not in faulty],
            lambda number: count_tokens(task.lines[number]) + 1,
            max_items=min(MAX_BATCH_RATIONALES, max(1, room.answer_tokens // GUIDELINE_ANSWER_TOKENS)),
            max_tokens=record_tokens,
        )
        alone = [[number] for number, reason in faulty.items() if reason is None]
        search: FaultSearch[int] = FaultSearch(lambda: self._model.complete(PROBE, {"type": "object"}))
        results = await asyncio.gather(
            *(self._batch(task, batch, search, fittings) for batch in (*batches, *alone))
        )
        answered = [part for parts in results for part in parts]
        self._note_faults(task, answered, search)
        read = combine(
            [_read(task, part, answer) for part, answer in answered if isinstance(answer, Completion)]
        )
        failed = [(part, answer) for part, answer in answered if isinstance(answer, ModelError)]
        others = [
            await self._distil_failed(task, part, error, known, fittings, search) for part, error in failed
        ]
        return combine([_with_known_words(read, rules), *others, _known_failures(task, faulty)])

    async def _batch(
        self, task: _Task, numbers: Sequence[int], search: FaultSearch[int], fittings: int
    ) -> list[tuple[Sequence[int], Completion | ModelError]]:
        async def complete(part: Sequence[int]) -> Completion | PromptTooLongError:
            _log.debug("%s distils %d rationales, %d rules are known", self.name, len(part), len(task.rules))
            try:
                return await self._complete(task, part)
            except PromptTooLongError as error:
                if fittings <= 0:
                    raise
                return error  # other halves of it would not fit either, but for the shortest ones

        return await search.call(numbers, complete)

    async def _complete(self, task: _Task, numbers: Sequence[int]) -> Completion:
        """Ask about some of the rationales; once more where the answer only repeats the prompt."""
        completion = await self._model.complete(task.prompt(numbers), distilling_schema())
        if not _is_only_echo(task, numbers, completion):
            return completion
        _log.debug("%s only repeats the prompt; it is asked once more.", self.name)
        again = await self._model.complete(task.prompt(numbers), distilling_schema())
        return replace(again, usage=completion.usage + again.usage)

    async def _distil_failed(
        self,
        task: _Task,
        numbers: Sequence[int],
        error: ModelError,
        known: Sequence[Guideline],
        fittings: int,
        search: FaultSearch[int],
    ) -> Distillation:
        """Distil a batch that was too long by the smaller context; report another failure."""
        if not isinstance(error, PromptTooLongError) or fittings <= 0:
            return _failure(task, numbers, error, search.faulty)
        rationales = [task.rationales[number] for number in numbers]
        return await self._distil(task.instructions, rationales, known, fittings - 1)

    def _known_faults(self, rationales: Sequence[LabelledRationale]) -> dict[int, str | None]:
        """Return the numbers of rationales that failed alone before, with the reason of those not to be tried now."""
        numbers = {fault_key(each): number for number, each in enumerate(rationales)}
        faulty = {key: number for key, number in numbers.items() if key in self._faults}
        tried = self._faults.next_tries(faulty)
        return {number: None if key in tried else self._faults.reason(key) for key, number in faulty.items()}

    def _note_faults(
        self,
        task: _Task,
        answered: Sequence[tuple[Sequence[int], Completion | ModelError]],
        search: FaultSearch[int],
    ) -> None:
        for part, answer in answered:
            if isinstance(answer, Completion):
                self._faults.remove(fault_key(task.rationales[number]) for number in part)
        for number, error in search.faulty.items():
            self._faults.add(fault_key(task.rationales[number]), str(error))


def _record_tokens(instructions: str, rules: Sequence[Guideline], room: PromptRoom) -> int:
    """Return the room for rationales beside instructions and known rules."""
    empty = distilling_prompt(instructions, rules, (), room.answer_tokens)
    own = count_tokens(empty.stable) + count_tokens(empty.changing)
    tokens = room.prompt_tokens - own
    if tokens < MIN_RATIONALE_TOKENS:
        raise ModelRefusedError(
            f"A lesson takes a prompt of at least {own + MIN_RATIONALE_TOKENS:,} tokens with the judge's instructions, "
            f"and the reflection model has room for about {room.prompt_tokens:,}; choose a model with a larger "
            "context, set context_tokens if it has one, or shorten the instructions."
        )
    return tokens


def _known_failures(task: _Task, faulty: Mapping[int, str | None]) -> Distillation:
    """Return the failures of those that are not tried now."""
    return Distillation(
        failed={
            task.rationales[number].source.trace_id: reason
            for number, reason in faulty.items()
            if reason is not None
        }
    )


def fault_key(rationale: LabelledRationale) -> str:
    """Return the hash by which a rationale on its case is known without keeping its words.

    Args:
        rationale: What somebody said of a case.

    Returns:
        64 hexadecimal digits.
    """
    source = rationale.source
    return hashlib.sha256(repr((source.key, source.quote, rationale.label)).encode()).hexdigest()


def _best_supported(known: Sequence[Guideline], max_tokens: int) -> list[Guideline]:
    """Return the best supported rules that fit, in the order given."""
    kept = set()
    for rule in sorted(known, key=lambda rule: (-len(rule.sources), rule.id)):
        max_tokens -= count_tokens(rule.text) + _RULE_LINE_TOKENS
        if max_tokens < 0:
            break
        kept.add(rule.id)
    return [rule for rule in known if rule.id in kept]


def _failure(task: _Task, numbers: Sequence[int], error: ModelError, faulty: Container[int]) -> Distillation:
    """Return the failure by trace; a refusal of one rationale by a model that answers others is final."""
    reasons = {task.rationales[number].source.trace_id: str(error) for number in numbers}
    if isinstance(error, RequestRefusedError) and all(number in faulty for number in numbers):
        return Distillation(failed=reasons, declined=frozenset(reasons))
    return Distillation(failed=reasons, retry_after=getattr(error, "retry_after", None) or 0.0)


def _read(task: _Task, numbers: Sequence[int], completion: Completion) -> Distillation:
    """Map numbers back; what names no rationale of the batch, or no rule, is left out."""
    answer = completion.answer
    drafts, dropped = _drafts(task, numbers, answer.get("guidelines"))
    contradicts = _sources_by_rule(task, numbers, answer.get("contradicts"))
    same = _same(task, answer.get("same"))
    read = tuple(task.rationales[number].source.key for number in numbers)
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


def _is_only_echo(task: _Task, numbers: Sequence[int], completion: Completion) -> bool:
    read = _read(task, numbers, completion)
    return bool(read.dropped) and not (read.drafts or read.supports or read.contradicts or read.same)


def _drafts(task: _Task, numbers: Sequence[int], answer: Json) -> tuple[tuple[Draft, ...], int]:
    """Return the drafts, and the number of those that repeat the prompt and are left out."""
    drafts, dropped = [], 0
    for item in _objects(answer):
        rationales = [
            task.rationales[number] for number in _numbers(item.get("records")) if number in numbers
        ]
        text = item.get("text")
        if not isinstance(text, str) or not rationales or len(text.strip()) > MAX_RULE_CHARACTERS:
            continue
        if _repeats_the_prompt(task, text, rationales):
            dropped += 1
            continue
        sources = tuple(rationale.source for rationale in rationales)
        labels = tuple(rationale.label for rationale in rationales)
        drafts.append(Draft(text=text.strip(), sources=sources, labels=labels))
    if dropped:
        _log.debug("%d drafts that repeat the prompt are left out.", dropped)
    return tuple(drafts), dropped


def _repeats_the_prompt(task: _Task, text: str, rationales: Sequence[LabelledRationale]) -> bool:
    known = [rule.text for rule in task.rules]
    return is_echo(text, task.instructions) or is_fragment(
        text, [*known, *(rationale.source.quote for rationale in rationales)]
    )


def _sources_by_rule(task: _Task, numbers: Sequence[int], answer: Json) -> dict[str, tuple[Source, ...]]:
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


def _same(task: _Task, answer: Json) -> list[tuple[str, ...]]:
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


def _with_known_words(result: Distillation, rules: Sequence[Guideline]) -> Distillation:
    """Let a draft in a known rule's words support that rule."""
    rule_ids = {normal(rule.text): rule.id for rule in rules}
    known = [draft for draft in result.drafts if normal(draft.text) in rule_ids]
    supports = (Distillation(supports={rule_ids[normal(draft.text)]: draft.sources}) for draft in known)
    drafts = tuple(draft for draft in result.drafts if normal(draft.text) not in rule_ids)
    return combine([replace(result, drafts=drafts), *supports])


def _conflicts(drafts: Sequence[Draft], contradicts: Mapping[str, Sequence[Source]]) -> list[tuple[str, str]]:
    """Pair each draft with the rules that its own rationales contradict."""
    return [
        (draft.text, rule_id)
        for rule_id, sources in contradicts.items()
        for draft in drafts
        if set(draft.sources) & set(sources)
    ]
