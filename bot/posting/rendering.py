"""Rendering: a post's message is made when it is sent, so that nothing forgotten since is shown."""

from collections.abc import Mapping

from bot.blocks.card import CardVerdict, verdict_card
from bot.blocks.primitives import SlackMessage
from memalign.judge_memory import JudgeMemory
from storage.database import Database
from storage.records import CardContent, Post


class PostRenderer:
    """Makes messages of posts."""

    def __init__(
        self, database: Database, memories: Mapping[str, JudgeMemory], titles: Mapping[str, str]
    ) -> None:
        """`titles` are those of the judges, by name."""
        self._database = database
        self._memories = memories
        self._titles = titles

    async def render(self, post: Post) -> SlackMessage | None:
        """Return the message, None if there is nothing left to show."""
        if post.content is None:
            return None
        if not isinstance(post.content, CardContent):
            return SlackMessage(text=post.content.text, blocks=post.content.blocks)
        stored = await self._database.verdicts.get(post.verdict_id or "")
        trace = await self._database.traces.get(stored.verdict.trace_id) if stored else None
        if stored is None or trace is None:
            return None
        memory = self._memories.get(stored.verdict.judge)
        if memory is None:
            return None
        judge = memory.definition
        return verdict_card([CardVerdict(stored=stored, judge=judge, title=self._titles[judge.name])], trace)
