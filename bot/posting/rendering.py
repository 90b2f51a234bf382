"""Rendering: a post's message is made when it is sent, so that nothing forgotten since is shown."""

from collections.abc import Awaitable, Callable, Mapping

from bot.blocks.card import verdict_card
from bot.blocks.primitives import SlackMessage
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import CardContent, Post, StatusContent

RenderStatus = Callable[[str], Awaitable[SlackMessage | None]]
"""Makes the status message of a verdict's thread; None if there is nothing to tell."""


class PostRenderer:
    """Makes messages of posts."""

    def __init__(
        self, database: Database, memories: Mapping[str, JudgeMemory], render_status: RenderStatus
    ) -> None:
        self._database = database
        self._memories = memories
        self._render_status = render_status

    async def render(self, post: Post) -> SlackMessage | None:
        """Return the message, None if there is nothing left to show."""
        if post.content is None:
            return None
        if isinstance(post.content, StatusContent):
            return await self._render_status(post.verdict_id or "")
        if not isinstance(post.content, CardContent):
            return SlackMessage(text=post.content.text, blocks=post.content.blocks)
        stored = await self._database.verdicts.get(post.verdict_id or "")
        trace = await self._database.traces.get(stored.verdict.trace_id) if stored else None
        if stored is None or trace is None:
            return None
        memory = self._memories.get(stored.verdict.judge)
        return verdict_card(stored, trace, memory.definition.value_type) if memory else None
