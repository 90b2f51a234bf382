"""The working bot survives kills at random instants: the short form of `python -m tests.crash`."""

from pathlib import Path

from tests.crash.__main__ import run


async def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    tally = await run(tmp_path, kills=12, seed=7, traces=40)
    assert (tally.lost, tally.doubled, tally.unfinished) == ([], [], [])
    assert tally.kills == 12
    assert tally.acked_events > 50
    assert tally.accepted_traces == 40
    assert tally.cards > 20
    assert tally.lessons > 0
    assert tally.digests == 2
