"""Rendering: a post's message is made when it is sent, so that nothing forgotten since is shown."""

from collections.abc import Awaitable, Callable, Mapping

from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.notices import (
    instructions_changed,
    joined_channel,
    judge_paused,
    judge_resumed,
    memory_rolled_back,
    words_forgotten,
)
from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import (
    CardContent,
    DigestContent,
    DigestReplyContent,
    NoticeContent,
    Post,
    StatusContent,
    WorseningContent,
)

RenderStatus = Callable[[str], Awaitable[SlackMessage | None]]
"""Makes the status message of a verdict's thread; None if there is nothing to tell."""

RenderWorsening = Callable[[WorseningContent], Awaitable[SlackMessage | None]]
"""Makes a warning that a judge judges worse than with another memory; None if there is nothing left to warn of."""
RenderDigest = Callable[[Post], Awaitable[SlackMessage | None]]
"""Makes a weekly digest, or a reply in its thread; None if there is nothing to tell."""


class PostRenderer:
    """Makes messages of posts."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        people: People,
        render_status: RenderStatus,
        render_digest: RenderDigest,
        render_worsening: RenderWorsening,
    ) -> None:
        self._settings = settings
        self._people = people
        self._database = database
        self._memories = memories
        self._render_status = render_status
        self._render_digest = render_digest
        self._render_worsening = render_worsening

    async def render(self, post: Post) -> SlackMessage | None:
        """Return the message, None if there is nothing left to show."""
        match post.content:
            case None:
                return None
            case StatusContent():
                return await self._render_status(post.verdict_id or "")
            case NoticeContent():
                return await self._notice(post.channel, post.content)
            case DigestReplyContent() | DigestContent(text=""):
                return await self._render_digest(post)
            case WorseningContent():
                return await self._render_worsening(post.content)
            case CardContent():
                return await self._card(post.verdict_id or "")
            case _:
                return SlackMessage(text=post.content.text, blocks=post.content.blocks)

    async def _card(self, verdict_id: str) -> SlackMessage | None:
        stored = await self._database.verdicts.get(verdict_id)
        trace = await self._database.traces.get(stored.verdict.trace_id) if stored else None
        if stored is None or trace is None:
            return None
        memory = self._memories.get(stored.verdict.judge)
        if memory is None:
            return None
        judge = memory.definition
        return verdict_card(
            [CardVerdict(stored=stored, judge=judge, title=self._settings.titles[judge.name])], trace
        )

    async def _notice(self, channel: str, content: NoticeContent) -> SlackMessage:
        name = await self._people.name(content.person) if content.person else None
        match content.notice:
            case "joined":
                judges = [judge.title for judge in self._settings.judges if judge.channel == channel]
                return joined_channel(judges, channel)
            case "paused":
                return judge_paused(self._title(content.judge), name)
            case "resumed":
                return judge_resumed(self._title(content.judge), name)
            case "instructions_changed":
                return instructions_changed(self._title(content.judge), content.judge)
            case "rolled_back":
                return memory_rolled_back(self._title(content.judge), content.version, name)
            case "words_forgotten":
                return words_forgotten(name)

    def _title(self, judge: str) -> str:
        return self._settings.titles.get(judge, judge)
