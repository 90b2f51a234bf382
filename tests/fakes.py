"""Fakes with a queue and a history, for what the core asks of others."""

import asyncio
import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from memalign.errors import ModelUnavailableError, StaleMemoryError, StorageError, UnknownVersionError
from memalign.ports import (
    Completion,
    Embeddings,
    JudgeRequest,
    JudgeResponse,
    MemoryChange,
    MemorySnapshot,
    Prompt,
    PromptRoom,
    Vector,
    VectorKey,
)
from memalign.records import Episode, Guideline, Json, Label, RolledBackCase, Usage

DIMENSION = 64
DOWN = ModelUnavailableError("fake:/model is overloaded or down.")


def direction(text: str, dimension: int = DIMENSION) -> Vector:
    """A vector by the words of a text: the same words, the same direction."""
    row = np.zeros(dimension, dtype=np.float32)
    for word in re.findall(r"\w+", text.lower()) or ["∅"]:
        digest = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        row[digest[0] % dimension] += 1.0 if digest[1] % 2 else -1.0
        row[digest[2] % dimension] += 0.5
    length = float(np.linalg.norm(row))
    return (row / length).astype(np.float32) if length else row


class FakeEmbedder:
    """Embeds by words; remembers the batches of texts."""

    name = "fake:/words"
    dimension = DIMENSION

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.errors: deque[Exception] = deque()
        self.down = False

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        self.batches.append(list(texts))
        if self.errors:
            raise self.errors.popleft()
        if self.down:
            raise DOWN
        rows = np.stack([direction(text) for text in texts])
        return Embeddings(vectors=rows, usage=Usage(calls=1, embedding_tokens=sum(map(len, texts))))


class FakeModel:
    """Answers from a queue, then as a simulated model would; remembers its prompts."""

    name = "fake:/model"

    def __init__(self, *answers: Mapping[str, Json] | Exception, context_tokens: int = 128_000) -> None:
        self.answers = deque(answers)
        self.context_tokens = context_tokens
        self.prompts: list[Prompt] = []
        self.schemas: list[Mapping[str, Json]] = []
        self.down = False

    async def prompt_room(self, answer_tokens: int) -> PromptRoom:
        answer = min(answer_tokens, self.context_tokens // 4)
        return PromptRoom(prompt_tokens=self.context_tokens - answer, answer_tokens=answer)

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        self.prompts.append(prompt)
        self.schemas.append(schema)
        if self.down:
            raise DOWN
        answer = self.answers.popleft() if self.answers else simulated_answer(prompt)
        if isinstance(answer, Exception):
            raise answer
        return Completion(answer=answer, usage=Usage(calls=1, input_tokens=10, output_tokens=5))


def simulated_answer(prompt: Prompt) -> dict[str, Json]:
    """Answer as a diligent model would: each reason becomes a rule, or supports or contradicts a known one.

    A reason contradicts a rule when they differ by a leading "Not: ". A verdict is false.
    """
    if "<pairs>" in prompt.changing:
        return {"pairs": [_compared(json.loads(line)) for line in section(prompt.changing, "pairs")]}
    if "<records>" not in prompt.changing:
        return simulated_verdict(prompt)
    rules = {json.loads(line)["text"]: json.loads(line)["rule"] for line in section(prompt.stable, "rules")}
    guidelines: dict[str, list[int]] = {}
    supports: dict[int, list[int]] = {}
    contradicts: dict[int, list[int]] = {}
    for line in section(prompt.changing, "records"):
        record = json.loads(line)
        reason, number = record["reason"], record["record"]
        opposite = reason.removeprefix("Not: ") if reason.startswith("Not: ") else f"Not: {reason}"
        if opposite in rules:
            contradicts.setdefault(rules[opposite], []).append(number)
        if reason in rules:
            supports.setdefault(rules[reason], []).append(number)
        else:
            guidelines.setdefault(reason, []).append(number)
    return {
        "guidelines": [{"text": text, "records": numbers} for text, numbers in guidelines.items()],
        "supports": [{"rule": rule, "records": numbers} for rule, numbers in supports.items()],
        "contradicts": [{"rule": rule, "records": numbers} for rule, numbers in contradicts.items()],
        "same": [],
    }


def _compared(pair: Mapping[str, Json]) -> dict[str, Json]:
    texts = {pair["first"], pair["second"]}
    opposites = {f"Not: {text}" for text in texts}
    return {"pair": pair["pair"], "relation": "different" if texts.isdisjoint(opposites) else "opposite"}


def simulated_verdict(prompt: Prompt) -> dict[str, Json]:
    """A verdict that names the first guideline and the most similar case, as far as there are any."""
    places = (("guidelines", prompt.stable), ("cases", prompt.changing))
    lists = {name: [1] for name, text in places if f"<{name}>\n" in text}
    return {"rationale": "simulated", **lists, "value": False}


def section(text: str, name: str) -> list[str]:
    """The lines between a prompt's delimiters."""
    inside = text.rpartition(f"<{name}>\n")[2].partition(f"</{name}>")[0]
    return [line for line in inside.splitlines() if line.strip()]


class FakeJudgeModel:
    """Gives one value; remembers its questions."""

    def __init__(self, value: Label = True, error: Exception | None = None) -> None:
        self.value = value
        self.error = error
        self.requests: list[JudgeRequest] = []
        self.before: Callable[[], None] = lambda: None
        """Called before each answer: something that happens meanwhile."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.requests.append(request)
        self.before()
        if self.error:
            raise self.error
        return JudgeResponse(
            value=self.value,
            rationale="because",
            usage=Usage(calls=1),
            shown_guideline_ids=tuple(rule.id for rule in request.evidence.guidelines),
        )


class FollowingJudge:
    """Judges by the guidelines that it is shown: each may settle a case; else it says pass. Remembers its requests."""

    def __init__(
        self, verdicts: Mapping[str, Mapping[str, Label]] | None = None, default: Label = True
    ) -> None:
        self.verdicts = verdicts or {}
        """By guideline text, the verdicts by trace id."""
        self.default = default
        self.requests: list[JudgeRequest] = []
        self.errors: deque[Exception | None] = deque()
        """Taken in turn; None: answers as usual."""
        self.down = False
        self.before: Callable[[JudgeRequest], None] | None = None
        """Called before each answer: something that happens meanwhile."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.requests.append(request)
        if self.before is not None:
            self.before(request)
        error = DOWN if self.down else self.errors.popleft() if self.errors else None
        await asyncio.sleep(0)
        if error is not None:
            raise error
        value = self.default
        for rule in request.evidence.guidelines:
            value = self.verdicts.get(rule.text, {}).get(str(request.trace_id), value)
        return JudgeResponse(value=value, rationale="because", usage=Usage(calls=1))

    @property
    def shown(self) -> set[str]:
        """Texts of all guidelines that it has ever been shown."""
        return {rule.text for request in self.requests for rule in request.evidence.guidelines}


class FakeStore:
    """A store in memory that keeps the promises of `MemoryStore`."""

    def __init__(self) -> None:
        self.episodes: dict[str, Episode] = {}
        self.guidelines: dict[str, Guideline] = {}
        self.undistilled: frozenset[str] = frozenset()
        self.rows: dict[VectorKey, Vector] = {}
        self.owners: dict[str, set[VectorKey]] = {}
        self.changes: list[MemoryChange] = []
        self.version = 0
        self.rolled_back: dict[str, RolledBackCase] = {}
        self.snapshots: list[MemorySnapshot] = [MemorySnapshot()]
        """The memory after each change, without forgetting in earlier ones."""
        self.full = False

    async def load(self, judge: str) -> MemorySnapshot:
        assert judge
        return MemorySnapshot(
            episodes=dict(self.episodes),
            guidelines=tuple(self.guidelines.values()),
            undistilled=self.undistilled,
            version=self.version,
            rolled_back=dict(self.rolled_back),
        )

    async def load_version(self, judge: str, number: int) -> MemorySnapshot:
        assert judge
        if not 0 <= number < len(self.snapshots):
            raise UnknownVersionError(f"There is no version {number}.")
        return replace(self.snapshots[number], version=self.version, undistilled=frozenset())

    async def save(self, judge: str, change: MemoryChange) -> int:
        assert judge
        if self.full:
            raise StorageError("The disk is full; make room.")
        if change.from_version != self.version:
            raise StaleMemoryError("The memory was changed by another writer: load it and try again.")
        self.version += 1
        self.changes.append(change)
        for trace_id in (*change.drop_episodes, *(episode.trace_id for episode in change.put_episodes)):
            self.episodes.pop(trace_id, None)
        self.episodes.update({episode.trace_id: episode for episode in change.put_episodes})
        for guideline_id in change.drop_guidelines:
            self.guidelines.pop(guideline_id, None)
        self.guidelines.update({rule.id: rule for rule in change.put_guidelines})
        self.undistilled = change.undistilled
        for trace_id in change.drop_rolled_back:
            self.rolled_back.pop(trace_id, None)
        self.rolled_back.update({case.trace_id: case for case in change.put_rolled_back})
        self.snapshots.append(await self.load(judge))
        return len(self.snapshots) - 1

    async def vectors(self, keys: Collection[VectorKey]) -> Mapping[VectorKey, Vector]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    async def keep_vectors(self, owner: str, vectors: Mapping[VectorKey, Vector]) -> None:
        self.rows.update(vectors)
        self.owners.setdefault(owner, set()).update(vectors)

    async def drop_vectors(self, owners: Collection[str]) -> None:
        for owner in owners:
            for key in self.owners.pop(owner, set()):
                if not any(key in kept for kept in self.owners.values()):
                    del self.rows[key]
