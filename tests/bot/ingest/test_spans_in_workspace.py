"""Spans of an application become a card in Slack."""

from pathlib import Path

import aiohttp

from tests.bot.bot_in_workspace import bot_in_workspace
from tests.bot.ingest.otlp import TestSpan, as_protobuf, trace_id


async def test_spans_become_a_card(tmp_path: Path) -> None:
    spans = [
        TestSpan(trace="t", name="look up", parent="answer"),
        TestSpan(
            trace="t",
            name="answer",
            attributes={"input.value": "Where is my parcel?", "output.value": "Ask the post."},
        ),
    ]
    async with bot_in_workspace(
        tmp_path, sampling={"rate": 1.0, "spread": False}, ingest={"port": 0, "quiet_seconds": 0.2}
    ) as harness:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{harness.bot.url}/v1/traces",
                data=as_protobuf(spans),
                headers={"Content-Type": "application/x-protobuf"},
            ) as answer,
        ):
            assert answer.status == 200
        card = await harness.card(trace_id("t"))
        assert "Where is my parcel?" in str(card.blocks)
