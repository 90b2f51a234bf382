"""Agreement in a running bot: gauges, and what people say before they see a verdict."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.reports.digest import read_digest
from bot.runtime.clock import from_ms, now_ms, week_of
from bot.sandbox import Message
from memalign.value_types import value_type_of
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace


async def test_a_vote_is_in_the_gauges_of_the_running_week(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "+1")
        await harness.learned()
        status, metrics = await harness.get("/metrics")
    assert status == 200
    for weeks in (1, 4):
        assert f'memalign_agreement_verdicts{{judge="{JUDGE}",weeks="{weeks}"}} 1.0' in metrics
        assert f'memalign_agreement{{judge="{JUDGE}",weeks="{weeks}"}} 1.0' in metrics
    assert f'memalign_agreement_low{{judge="{JUDGE}",weeks="1"}} 0.2' in metrics


async def test_what_was_said_before_the_verdict_was_shown_is_told_apart(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, sampling={"rate": 1.0, "blind": 1.0}) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        await harness.learned()
        stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
        assert stored is not None
        await harness.until_async(lambda: is_revealed(harness, card))
        # ana gives way once she sees the verdict, and ben never saw the card without it
        harness.unreact(card, "-1")
        harness.react(card, "+1")
        harness.react(card, "+1", by=harness.ben)
        await harness.learned()
        week = week_of(from_ms(now_ms(), UTC).date())
        digest = await read_digest(harness.bot.database, JUDGE, value_type_of(bool), week, ZoneInfo("UTC"))
    said_before = stored.verdict.value is False
    assert digest.blind is not None
    assert (digest.blind.n, digest.blind.agreed, digest.blind.anchored_n) == (1, said_before, 0)
    assert (digest.n, digest.agreed) == (1, 1)


async def is_revealed(harness: BotInWorkspace, card: Message) -> bool:
    stored = await harness.bot.database.verdicts.by_card(card.channel, card.ts)
    return stored is not None and stored.revealed_at is not None
