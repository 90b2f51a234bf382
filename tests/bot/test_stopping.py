"""Stopping while work is in hand."""

import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path

from memalign.memory.embedding_cache import VectorCache
from memalign.records import Json
from tests.bot.bot_in_workspace import bot_in_workspace
from tests.fakes import FakeEmbedder


class SlowEmbedder(FakeEmbedder):
    """Never comes to an end."""

    async def embed(self, texts: Sequence[str]) -> Json:
        del texts
        await asyncio.Event().wait()


async def test_a_stop_while_a_text_is_embedded_leaves_no_error_in_the_log() -> None:
    heard: list[Json] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    before = asyncio.all_tasks()
    finding = asyncio.create_task(VectorCache(SlowEmbedder(), None).find(["a text"]))
    while asyncio.all_tasks() == before | {finding}:  # noqa: ASYNC110 - until the embedding has its own task
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    under_way = asyncio.all_tasks() - before
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)
    del finding, under_way, task
    gc.collect()
    await asyncio.sleep(0)
    assert heard == []


async def test_what_was_built_is_not_searched_for_garbage_until_the_bot_stops(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path):
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
