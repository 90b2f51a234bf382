from typing import Literal

import pytest

from bot.learning.likely_values import likely_values
from memalign import make_judge
from memalign.judge_memory import JudgeMemory
from memalign.models import connect_distiller, connect_embedder, connect_judge_model
from memalign.records import Label, Verdict
from storage.records import StoredVerdict


async def values(
    kind: Literal["int", "float"], value_range: tuple[float, float] | None, judged: Label
) -> tuple[Label, ...]:
    judge = make_judge(
        "tone", "Rate {{ outputs }}", "local:/cases", feedback_value_type=kind, value_range=value_range
    )
    memory = await JudgeMemory.open(
        judge,
        embedder=connect_embedder("local:/wordllama", 256),
        judge_model=connect_judge_model("local:/cases"),
        distiller=connect_distiller("local:/extract"),
    )
    verdict = Verdict(trace_id="tr-1", judge="tone", value=judged, rationale="")
    return likely_values(StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1"), memory)


@pytest.mark.parametrize(
    ("kind", "value_range", "judged", "choices"),
    [
        ("int", (1, 5), 4, (1, 2, 3, 5)),
        ("int", (-2, 2), 0, (-2, -1, 1, 2)),
        ("int", (1, 100), 99, (97, 98, 100)),
        ("int", None, 4, (2, 3, 5, 6)),
        ("float", (0, 1), 0.5, ()),
    ],
)
async def test_a_small_range_is_offered_whole_and_no_value_outside_a_range(
    kind: Literal["int", "float"],
    value_range: tuple[float, float] | None,
    judged: Label,
    choices: tuple[Label, ...],
) -> None:
    assert await values(kind, value_range, judged) == choices
