"""Trials of the library's judges, through a local model server."""

from pathlib import Path

import pytest

from memalign import MemAlignOptimizer, load_judge
from memalign.errors import SettingsError
from memalign.judges import AlignedJudge
from memalign.records import Trace
from tests.factories import a_judge, a_trace, a_vote
from tests.model_server import Fault, ModelServer

RUDE, TAX = "Curt answers are fine.", "Prices include tax."
IN_GUIDELINES = f'"text": "{RUDE}"'
"""The rule as prompts show it among the guidelines; as somebody's reason it stands with their case."""
CASES = [a_trace(f"old-{number}", a_vote(False, None)) for number in range(3)]
LESSON = a_trace("new", a_vote(False, RUDE, "ana"), a_vote(False, TAX, "ben"))


def aligned(server: ModelServer, calls: int, *traces: Trace) -> AlignedJudge:
    """A judge of a model that lets everything pass where it is shown one of the rules, and nothing else."""
    server.verdicts = {IN_GUIDELINES: True}
    judge = a_judge(model="openai:/judge")
    return judge.align(traces or [*CASES, LESSON], MemAlignOptimizer(trial_calls=calls))


def states(judge: AlignedJudge) -> dict[str, str]:
    return {rule.text: rule.state for rule in judge.guidelines}


def test_an_alignment_tries_each_new_rule_and_reports_what_came_of_it(server: ModelServer) -> None:
    judge = aligned(server, 100)

    assert states(judge) == {RUDE: "pending", TAX: "used"}
    trials = {rule.text: rule.trial for rule in judge.report.tried}
    assert {text: trial and (trial.fixed, trial.broke, trial.tried) for text, trial in trials.items()} == {
        RUDE: (0, 3, 3),
        TAX: (0, 0, 3),
    }
    assert [rule.text for rule in judge.report.added] == [TAX]
    # one that distils, three cases without any new rule and with each of both, and once more what the one broke
    calls = 1 + 3 + 2 * 3 + 2 * 3
    assert judge.report.usage.calls - len(server.of("embeddings")) == len(server.of("chat")) == calls
    assert RUDE not in judge.instructions


def test_without_trial_calls_nothing_is_tried(server: ModelServer) -> None:
    judge = aligned(server, 0)

    assert set(states(judge).values()) == {"used"}
    assert (judge.report.tried, len(server.of("chat"))) == ((), 1)


def test_a_saved_judge_holds_back_what_was_held_back(server: ModelServer, tmp_path: Path) -> None:
    judge = aligned(server, 100)
    judge.save(tmp_path / "judge.json")

    loaded = load_judge(tmp_path / "judge.json")

    assert loaded.guidelines == judge.guidelines
    assert loaded.optimizer.settings.trial_calls == 100
    loaded(inputs="q", outputs="a")
    assert IN_GUIDELINES not in str(server.of("chat")[-1].body)


def test_a_rule_left_by_a_model_that_is_down_is_tried_by_the_next_alignment(server: ModelServer) -> None:
    server.spoiled = {"Judge this record.": Fault(status=503, body="{}")}
    judge = aligned(server, 100)
    assert states(judge) == {RUDE: "pending", TAX: "pending"}

    server.spoiled = {}
    again = judge.align([*CASES, LESSON])

    assert states(again) == {RUDE: "pending", TAX: "used"}
    assert [rule.is_held_back for rule in again.guidelines] == [True, False]


def test_a_negative_number_of_calls_is_refused() -> None:
    with pytest.raises(SettingsError, match="trial_calls is -1; set a whole number of at least 0"):
        MemAlignOptimizer(trial_calls=-1)
