"""The cost of changing one episode in memories of two sizes, and the share of the nearest cases that is shown.

    python -m tests.bench.episodes

Nothing is stored and no model is called. The original cannot do the same: it embeds all cases again at each change.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence

from memalign import Assessment, Trace
from memalign.judge_memory import JudgeMemory
from memalign.memory.case_vectors import row_of
from memalign.memory.episodic import EpisodicMemory
from memalign.models.local.wordllama import embed
from memalign.ports import Vector
from memalign.records import CaseText, Episode, PersonLabel
from tests.bench.rules import Case, World
from tests.bench.storage import Row
from tests.factories import a_memory

SMALL, LARGE = 1_000, 20_000
CHANGES = 40
BATCH = 1_000
KEPT_AT = (20, 100, 400, 1_000)
RULES = 40
UNSEEN = 200
SHOWN = 5


async def main() -> None:
    """Measure and print; end with 1 when a figure is missed."""
    rows = [*await change_rows(), *kept_rows()]
    print(f"{'':42}{'ours':>12}{'':>14}{'wanted':>10}{'reached':>9}")
    for row in rows:
        print(row.in_words())
    if not all(row.is_reached for row in rows):
        sys.exit(1)


async def change_rows() -> list[Row]:
    """Learn, correct and forget one case, by turns in both memories, so that a busy machine slows both."""
    memories = [await memory_of(size) for size in (SMALL, LARGE)]
    times: dict[str, list[list[float]]] = {name: [[], []] for name in ("learn", "correct", "forget")}
    for number in range(CHANGES):
        for place, memory in enumerate(memories):
            name = f"more {number}"
            for kind, change in (
                ("learn", memory.learn([_trace(name, label=True)])),
                ("correct", memory.learn([_trace(name, label=False)])),
                ("forget", memory.forget([name])),
            ):
                start = time.perf_counter()
                await change
                times[kind][place].append(time.perf_counter() - start)
    rows = []
    for kind, (small, large) in times.items():
        medians = statistics.median(small), statistics.median(large)
        rows += [
            Row(title=f"{kind} one case at {SMALL:,}, ms", ours=medians[0] * 1e3),
            Row(title=f"{kind} one case at {LARGE:,}, ms", ours=medians[1] * 1e3),
            Row(title="  ratio", ours=medians[1] / medians[0], most=1.5),
        ]
    return rows


async def memory_of(size: int) -> JudgeMemory:
    """Return a memory of so many cases; their labels come without reasons."""
    memory = await a_memory()
    for first in range(0, size, BATCH):
        await memory.learn([_trace(f"t{number}", label=True) for number in range(first, first + BATCH)])
    return memory


def kept_rows() -> list[Row]:
    """Measure the share of five cases that the floor keeps, and of these the share on the record's thing."""
    rows = []
    for size in KEPT_AT:
        world = World(RULES)
        feedback, unseen = world.feedback(size), [world.case() for _ in range(UNSEEN)]
        kept, relevant = _kept(feedback, unseen)
        rows += [
            Row(title=f"share of five kept at {size:,} cases", ours=kept),
            Row(title="  of these on the record's thing", ours=relevant),
        ]
    return rows


def _kept(feedback: Sequence[Case], unseen: Sequence[Case]) -> tuple[float, float]:
    things = {case.trace_id: case.thing for case in feedback}
    vectors = {case.trace_id: row for case, row in zip(feedback, _rows(feedback), strict=True)}
    memory = EpisodicMemory().changed(put=[_episode(case) for case in feedback], vectors=vectors)
    shown = [
        [
            things[kept.episode.trace_id] == case.thing
            for kept in memory.nearest(row, SHOWN, text=_text(case), exclude_trace_id=None)
        ]
        for case, row in zip(unseen, _rows(unseen), strict=True)
    ]
    count = sum(map(len, shown))
    return count / SHOWN / len(unseen), sum(map(sum, shown)) / max(count, 1)


def _rows(cases: Sequence[Case]) -> list[Vector]:
    questions, answers = embed([case.question for case in cases]), embed([case.answer for case in cases])
    return [row_of(given, made) for given, made in zip(questions.vectors, answers.vectors, strict=True)]


def _text(case: Case) -> CaseText:
    return CaseText(case.question, case.answer)


def _episode(case: Case) -> Episode:
    return Episode(
        trace_id=case.trace_id,
        label=case.votes[0].value,
        fields={"inputs": case.question, "outputs": case.answer},
        text=case.question,
        answer_text=case.answer,
        opinions=(PersonLabel(person=case.votes[0].person, value=case.votes[0].value),),
    )


def _trace(trace_id: str, *, label: bool) -> Trace:
    vote = Assessment(name="politeness", value=label, source_id="ana")
    return Trace(
        trace_id=trace_id,
        inputs=f"A question of {trace_id}",
        outputs=f"An answer of {trace_id}",
        assessments=(vote,),
    )


if __name__ == "__main__":
    asyncio.run(main())
