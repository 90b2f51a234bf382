"""The warning of a channel whose judge has got worse, by the verdicts and votes in the store."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.reports.worsening_renderer import WorseningRenderer
from bot.reports.worsening_watch import WorseningWatch
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from memalign.judge_memory import JudgeMemory
from memalign.records import Verdict
from storage.database import Database
from storage.records import Post, ShadowKind, ShadowVerdict, WorseningContent
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import JUDGE, settings_for
from tests.bot.fakes import Wakes
from tests.factories import a_memory, a_trace, a_vote
from tests.storage.records import reaction_event

WEEK_MS = 7 * 24 * 60 * 60 * 1000


class Week:
    """A judge's running week: its verdicts, what people say of them, and what watches it."""

    def __init__(self, database: Database, settings: Settings, memory: JudgeMemory) -> None:
        self.database = database
        self.settings = settings
        self.memory = memory
        self.posting = Wakes()
        self.cards = 0

    def watch(self, time_ms: Callable[[], int] = now_ms) -> WorseningWatch:
        return WorseningWatch(
            self.settings,
            self.database,
            {JUDGE: self.memory},
            HealthRegistry(),
            self.posting,
            time_ms=time_ms,
        )

    async def check(self, watch: WorseningWatch | None = None) -> list[WorseningContent]:
        """Look once; the warnings in the outbox."""
        await (watch or self.watch()).check(self.settings.judge(JUDGE))
        posts = await self.database.outbox.next_due(now_ms())
        return [post.content for post in posts if isinstance(post.content, WorseningContent)]

    async def judged(
        self,
        number: int,
        *,
        vote: str,
        kinds: Sequence[ShadowKind] = ("last_week",),
        judged_ms: int | None = None,
    ) -> None:
        """Cards that say fail where other memories said pass, each with a vote."""
        for _ in range(number):
            self.cards += 1
            await self._judged(f"tr-{self.cards}", kinds, judged_ms or now_ms())
            await self.vote(self.cards, vote)

    async def _judged(self, trace_id: str, kinds: Sequence[ShadowKind], judged_ms: int) -> None:
        await self.database.traces.add([(a_trace(trace_id), (JUDGE,))], 0, 1000)
        await self.database.verdicts.keep(
            Verdict(judge=JUDGE, trace_id=trace_id, value=False, rationale="so"),
            channel="C1",
            judged_ms=judged_ms,
            day="2026-11-20",
            shadows=tuple(ShadowVerdict(kind=kind, value=True) for kind in kinds),
        )
        post_id = card_post_id_of(verdict_id_of(JUDGE, trace_id))
        assert await self.database.outbox.start(post_id)
        assert await self.database.outbox.done(post_id, self.ts_of(self.cards))

    def ts_of(self, number: int) -> str:
        return f"{number}.1"

    async def vote(self, number: int, name: str, *, live: bool = True) -> None:
        at = f"{now_ms() / 1000:.6f}"
        await self.database.feedback.note("C1", self.ts_of(number), reaction_event("UANA", name, live, at))

    async def message(self, warning: WorseningContent) -> SlackMessage | None:
        async def no_links(_: object) -> dict[str, str]:
            return {}

        renderer = WorseningRenderer(self.settings, self.database, {JUDGE: self.memory}, no_links)
        return await renderer.render_post(warning)


@pytest.fixture
async def week(database: Database, tmp_path: Path) -> Week:
    memory = await a_memory(store=database.memories)
    await memory.learn([a_trace("taught", a_vote())])
    return Week(database, settings_for(tmp_path, "C1"), memory)


async def test_nine_broken_verdicts_warn_and_eight_do_not(week: Week) -> None:
    await week.judged(8, vote="-1")
    assert await week.check() == []
    await week.judged(1, vote="-1")
    (warning,) = await week.check()
    assert (warning.judge, warning.reference) == (JUDGE, "last_week")
    assert week.posting.count == 1


async def test_fixed_verdicts_weigh_against_broken_ones(week: Week) -> None:
    await week.judged(9, vote="+1")
    await week.judged(12, vote="-1")
    assert await week.check() == []


async def test_a_warning_is_given_once_also_by_another_start(week: Week) -> None:
    await week.judged(9, vote="-1")
    watch = week.watch()
    assert len(await week.check(watch)) == 1
    assert len(await week.check(watch)) == len(await week.check(week.watch())) == 1
    assert week.posting.count == 1


async def test_no_memory_is_another_reference_than_last_weeks(week: Week) -> None:
    await week.judged(9, vote="-1", kinds=["base"])
    (warning,) = await week.check()
    message = await week.message(warning)
    assert message is not None
    assert "without anything it learned" in message.text
    assert "go_back_to_monday" not in str(message.blocks)


async def test_one_warning_is_enough_where_both_memories_do_better_on_the_same_verdicts(week: Week) -> None:
    await week.judged(9, vote="-1", kinds=["base", "last_week"])
    assert [each.reference for each in await week.check()] == ["last_week"]
    assert len(await week.check()) == 1


async def test_what_no_memory_at_all_would_have_got_right_as_well_is_told_apart(week: Week) -> None:
    await week.judged(9, vote="-1", kinds=["base", "last_week"])
    await week.judged(1, vote="-1", kinds=["base"])
    await week.check()
    assert [each.reference for each in await all_warnings(week.database)] == ["base", "last_week"]


async def all_warnings(database: Database) -> list[WorseningContent]:
    """All that are in the outbox, whose channel takes one after the other."""
    warnings = []
    while posts := await database.outbox.next_due(now_ms()):
        for post in posts:
            warnings += [post.content] if isinstance(post.content, WorseningContent) else []
            assert await database.outbox.start(post.post_id)
            await database.outbox.done(post.post_id, f"9{len(warnings)}.1")
    return warnings


async def test_verdicts_of_earlier_weeks_had_another_memory_beside_them(week: Week) -> None:
    await week.judged(9, vote="-1", judged_ms=now_ms() - WEEK_MS)
    assert await week.check() == []


async def test_the_next_week_begins_anew(week: Week) -> None:
    await week.judged(9, vote="-1")
    assert await week.check(week.watch(lambda: now_ms() + WEEK_MS)) == []


async def test_who_went_back_already_is_not_warned(week: Week) -> None:
    await week.judged(9, vote="-1")
    await week.memory.versions.roll_back(0, "ana")
    assert await week.check() == []
    await week.memory.learn([a_trace("again", a_vote())])
    assert len(await week.check()) == 1


async def test_votes_taken_back_before_it_is_sent_leave_nothing_to_say(week: Week) -> None:
    await week.judged(9, vote="-1")
    (warning,) = await week.check()
    assert await week.message(warning) is not None
    await week.vote(1, "-1", live=False)
    assert await week.message(warning) is None


async def test_a_warning_outlives_the_renaming_of_its_judge(week: Week) -> None:
    await week.judged(9, vote="-1")
    await week.check()
    await week.database.judges.rename(JUDGE, "tact", 1)
    posts = await week.database.outbox.next_due(now_ms())
    assert [post.content.judge for post in posts if isinstance(post.content, WorseningContent)] == ["tact"]
    again = Post(
        post_id="again",
        channel="C1",
        content=(content := WorseningContent(judge="tact", reference="last_week", week=_week(posts))),
    )
    assert not await week.database.outbox.add_worsening("C1:tact", content, again)


def _week(posts: list[Post]) -> str:
    return next(post.content.week for post in posts if isinstance(post.content, WorseningContent))
