"""Replicas on one database survive kills at random instants: the short form of `python -m tests.crash.replicas`."""

from pathlib import Path

from tests.crash.replicas import run
from tests.postgres_server import PostgresServer


async def test_nothing_acknowledged_is_lost_or_done_twice_by_several_replicas(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    tally = await run(tmp_path, postgres_server, kills=4, seed=7, traces=20)
    assert (tally.lost, tally.doubled, tally.unfinished) == ([], [], [])
    assert tally.accepted_traces == 20
    assert tally.cards > 10
    assert tally.digests == 2
    assert tally.takeovers
