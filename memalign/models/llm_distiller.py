"""Distilling with a language model: rationales in batches, rules out, with the rationales that each rests on."""

import asyncio
import hashlib
import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from memalign.batches import token_batches
from memalign.errors import (
    ModelError,
    ModelRefusedError,
    PromptTooLongError,
    RequestRefusedError,
)
from memalign.fault_search import FaultSearch, KnownFaults
from memalign.models.distilling_task import DistillingTask, is_only_echo, read_distillation, with_known_words
from memalign.models.known_rules import shown_rules
from memalign.models.prompts import (
    distilling_prompt,
    distilling_schema,
    neighbour_line,
    neighbours_section,
    rationale_line,
)
from memalign.ports import (
    Completion,
    Distillation,
    LabelledRationale,
    LanguageModel,
    Prompt,
    PromptRoom,
    combine,
)
from memalign.records import Guideline, RetrievedEpisode
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
NEIGHBOURS_SHARE = 4
"""Similar cases get at most this fraction (a quarter) of the room for rationales."""
MAX_NEIGHBOURS = 6
"""Similar cases in a prompt."""
NEIGHBOUR_TOKENS = 200
"""Most tokens of a similar case. Set by hand: six of them are as much as one long case in a verdict's prompt."""
MIN_NEIGHBOUR_TOKENS = 60
"""With less room than this a similar case tells nothing, and none is shown. Set by hand."""
PROBE = Prompt(stable="Answer with a JSON object.", changing='{"text": "Hello."}')
"""Asked to see if the model answers at all."""


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
        quotes = [each.source.quote for each in rationales]
        rules = shown_rules(known, quotes, room.prompt_tokens // RULES_SHARE)
        record_tokens = _record_tokens(instructions, rules, room)
        neighbours = _neighbour_lines(rationales, record_tokens // NEIGHBOURS_SHARE)
        record_tokens -= count_tokens(neighbours_section(neighbours))
        task = DistillingTask(
            instructions=instructions,
            rationales=rationales,
            rules=rules,
            lines=[rationale_line(number, each, record_tokens) for number, each in enumerate(rationales)],
            answer_tokens=room.answer_tokens,
            neighbours=neighbours,
        )
        faulty = self._known_faults(rationales)
        search: FaultSearch[int] = FaultSearch(lambda: self._model.complete(PROBE, {"type": "object"}))
        batches = _batches(task, faulty, record_tokens)
        results = await asyncio.gather(*(self._batch(task, batch, search, fittings) for batch in batches))
        answered = [part for parts in results for part in parts]
        self._note_faults(task, answered, search)
        read = combine(
            [
                read_distillation(task, part, answer)
                for part, answer in answered
                if isinstance(answer, Completion)
            ]
        )
        failed = [(part, answer) for part, answer in answered if isinstance(answer, ModelError)]
        others = [
            await self._distil_failed(task, part, error, known, fittings, search) for part, error in failed
        ]
        whole = combine([with_known_words(read, rules), *others, _known_failures(task, faulty)])
        return replace(whole, batches=max(whole.batches, len(batches)))

    async def _batch(
        self, task: DistillingTask, numbers: Sequence[int], search: FaultSearch[int], fittings: int
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

    async def _complete(self, task: DistillingTask, numbers: Sequence[int]) -> Completion:
        """Ask about some of the rationales; once more where the answer only repeats the prompt."""
        completion = await self._ask(task, numbers)
        if not is_only_echo(task, numbers, completion):
            return completion
        _log.debug("%s only repeats the prompt; it is asked once more.", self.name)
        again = await self._ask(task, numbers)
        return replace(again, usage=completion.usage + again.usage)

    async def _ask(self, task: DistillingTask, numbers: Sequence[int]) -> Completion:
        """Ask once; without the similar cases where it may be these that the model refuses to read."""
        schema = distilling_schema(len(numbers))
        try:
            return await self._model.complete(task.prompt(numbers), schema)
        except PromptTooLongError:
            raise
        except RequestRefusedError:
            if not task.neighbours:
                raise
            return await self._model.complete(replace(task, neighbours=()).prompt(numbers), schema)

    async def _distil_failed(
        self,
        task: DistillingTask,
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
        task: DistillingTask,
        answered: Sequence[tuple[Sequence[int], Completion | ModelError]],
        search: FaultSearch[int],
    ) -> None:
        for part, answer in answered:
            if isinstance(answer, Completion):
                self._faults.remove(fault_key(task.rationales[number]) for number in part)
        for number, error in search.faulty.items():
            self._faults.add(fault_key(task.rationales[number]), str(error))


def _batches(task: DistillingTask, faulty: Mapping[int, str | None], max_tokens: int) -> list[Sequence[int]]:
    """Return the rationales to ask about together; those that failed alone before are alone again."""
    together = token_batches(
        [number for number in range(len(task.rationales)) if number not in faulty],
        lambda number: count_tokens(task.lines[number]) + 1,
        max_items=min(MAX_BATCH_RATIONALES, max(1, task.answer_tokens // GUIDELINE_ANSWER_TOKENS)),
        max_tokens=max_tokens,
    )
    alone = [[number] for number, reason in faulty.items() if reason is None]
    return [*together, *alone]


def _neighbour_lines(rationales: Sequence[LabelledRationale], max_tokens: int) -> list[str]:
    """Return the lines of the cases most like those of the rationales, as many as there is room for."""
    by_trace: dict[str, RetrievedEpisode] = {}
    for case in sorted(
        (case for each in rationales for case in each.neighbours), key=lambda case: -case.similarity
    ):
        by_trace.setdefault(case.episode.trace_id, case)
    count = min(MAX_NEIGHBOURS, len(by_trace), max_tokens // MIN_NEIGHBOUR_TOKENS)
    if not count:
        return []
    room = min(NEIGHBOUR_TOKENS, max_tokens // count)
    return [neighbour_line(case.episode, room) for case in list(by_trace.values())[:count]]


def _record_tokens(instructions: str, rules: Sequence[Guideline], room: PromptRoom) -> int:
    """Return the room for rationales beside instructions and known rules."""
    empty = distilling_prompt(instructions, rules, (), room.answer_tokens)
    own = count_tokens(empty.stable) + count_tokens(empty.changing)
    tokens = room.prompt_tokens - own
    if tokens < MIN_RATIONALE_TOKENS:
        raise ModelRefusedError(
            f"A lesson takes a prompt of at least {own + MIN_RATIONALE_TOKENS:,} tokens with the judge's instructions, "
            f"and the reflection model has room for about {room.prompt_tokens:,}. Choose a model with a larger "
            "context, set context_tokens if it has one, or shorten the instructions."
        )
    return tokens


def _known_failures(task: DistillingTask, faulty: Mapping[int, str | None]) -> Distillation:
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


def _failure(
    task: DistillingTask, numbers: Sequence[int], error: ModelError, faulty: Container[int]
) -> Distillation:
    """Return the failure by trace; a refusal of one rationale by a model that answers others is final."""
    reasons = {task.rationales[number].source.trace_id: str(error) for number in numbers}
    if isinstance(error, RequestRefusedError) and all(number in faulty for number in numbers):
        return Distillation(failed=reasons, declined=frozenset(reasons))
    return Distillation(failed=reasons, retry_after=getattr(error, "retry_after", None) or 0.0)
