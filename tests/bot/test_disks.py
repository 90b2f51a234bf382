"""A store that is taken away, or a disk that is full: in status and `/readyz`, and nothing is confirmed."""

from pathlib import Path

from tests.bot.bot_in_workspace import bot_in_workspace
from tests.storage.test_disks import files_limited_to


async def test_a_store_that_was_taken_away_is_told_and_nothing_is_taken_in(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await harness.show("before")
        (tmp_path / "store" / "memalign.db").rename(tmp_path / "moved.db")
        status, _ = await harness.post(b'{"trace_id": "after", "inputs": "q", "outputs": "a"}')
        assert status == 503
        status, answer = await harness.get("/readyz")
        assert status == 503
        assert "was removed or replaced" in answer
        assert "was removed or replaced" in str(await harness.asked(harness.ana, "status"))


async def test_a_full_disk_is_told_until_there_is_room_again(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await harness.show("before")
        with files_limited_to((tmp_path / "store" / "memalign.db-wal").stat().st_size):
            body = b'{"trace_id": "while", "inputs": "%s", "outputs": "a"}' % (b"q" * 200_000)
            assert (await harness.post(body))[0] == 503
            status, answer = await harness.get("/readyz")
            assert status == 503
            assert "The disk that holds the store" in answer
        assert (await harness.post(body))[0] == 202
        assert (await harness.get("/readyz"))[0] == 200
