"""The working bot under hostile inputs: the short form of `python -m tests.fuzz`."""

from pathlib import Path

from tests.fuzz.run import run


def test_no_input_ends_the_bot_or_is_answered_as_its_own_fault(tmp_path: Path) -> None:
    report = run(tmp_path, 150)
    assert report.faults == []
    assert report.inputs >= 100
    assert report.good_traces
