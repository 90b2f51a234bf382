"""Real labels over simulated weeks: each digest says what other code computes from the votes."""

import importlib.resources
from pathlib import Path

from tests.replay.__main__ import problems
from tests.replay.recording import read_recording
from tests.replay.weeks import Weeks

RECORDING = importlib.resources.files("bot.sandbox.demo") / "recordings" / "feedbackqa.jsonl"
WEEKS = 2
TRACES = 30


async def test_each_digest_of_a_replay_has_the_figures_of_other_code(tmp_path: Path) -> None:
    with importlib.resources.as_file(RECORDING) as file:
        traces = read_recording(file)[:TRACES]
    replay = await Weeks(tmp_path, traces, WEEKS).run()
    assert len(replay.digests) == WEEKS
    assert len(replay.cards) == TRACES
    assert sum(figures["answered"] for figures in replay.figures) == TRACES
    assert problems(replay) == []
