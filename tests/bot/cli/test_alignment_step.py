"""A step of `memalign align` in which one trace meets a bug, or none can be learned from."""

from collections.abc import Iterator

import pytest

from bot.cli.alignment_step import align_step
from memalign import Assessment, MemAlignOptimizer, Trace, make_judge
from memalign.records import Json

OPTIMIZER = MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama")


class UnreadableObject(dict[str, Json]):
    """An object at which any reader fails as it does at a bug."""

    def __iter__(self) -> Iterator[str]:
        raise ZeroDivisionError("a bug")

    def items(self) -> None:  # type: ignore[override]
        raise ZeroDivisionError("a bug")


def labelled(number: int, inputs: Json = None, name: str = "politeness") -> Trace:
    reason = Assessment(
        name=name, value=False, rationale=f"Never send people away, case {number}.", source_id="ana"
    )
    return Trace(
        trace_id=f"tr-{number}",
        inputs=inputs or {"q": f"Where is {number}?"},
        outputs="Away!",
        assessments=[reason],
    )


@pytest.mark.parametrize("faulty", [{0}, {3}, {7}, {2, 5}, {0, 1}, set(range(8))])
async def test_a_bug_on_one_trace_costs_no_other_its_lesson(faulty: set[int]) -> None:
    judge = make_judge("politeness", "Is it polite? {{ inputs }} {{ outputs }}", feedback_value_type=bool)
    traces = [
        labelled(number, UnreadableObject(a=1) if number in faulty else {"q": f"Where is {number}?"})
        for number in range(8)
    ]

    outcome = await align_step(judge, traces, OPTIMIZER)

    learned = [trace_id for report in outcome.reports for trace_id in report.learned]
    assert learned == [f"tr-{number}" for number in range(8) if number not in faulty]
    assert set(outcome.rejected) == {f"tr-{number}" for number in faulty}
    assert set(outcome.rejected.values()) == {
        "an unexpected error (ZeroDivisionError: a bug); please report it"
    }
    assert outcome.progressed


async def test_traces_that_teach_nothing_are_rejected_each_with_its_reason() -> None:
    judge = make_judge("politeness", "Is it polite? {{ inputs }} {{ outputs }}", feedback_value_type=bool)

    outcome = await align_step(judge, [labelled(1, name="other"), labelled(2, name="other")], OPTIMIZER)

    assert outcome.judge is judge
    assert list(outcome.rejected) == ["tr-1", "tr-2"]
    assert "tr-2" in outcome.rejected["tr-2"]
