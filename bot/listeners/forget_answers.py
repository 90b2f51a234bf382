"""Answers to who forgets a trace or a person: as much as they may know."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.forget import (
    MAX_LINKS_SHOWN,
    forget_preview,
    forget_result,
    no_trace_of_yours,
    not_allowed,
    nothing_of_person,
    unknown_trace,
)
from bot.blocks.primitives import SlackMessage
from bot.config import Settings
from bot.forgetting.access import ForgetAccess
from bot.forgetting.scope import ForgetScope
from bot.forgetting.service import ForgetService
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.near_trace import near_trace
from bot.records import ForgetResult
from bot.slack.permalink import permalink
from bot.slack.users import People
from memalign.errors import UnknownTraceError
from memalign.records import ForgetTarget, PersonTarget
from storage.database import Database


class ForgetAnswers:
    """Previews, results and refusals, without anything of judges that a person may not see."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        people: People,
        service: ForgetService,
        access: ForgetAccess,
        judge_access: JudgeAccess,
        client: AsyncWebClient,
    ) -> None:
        self._client = client
        self._database = database
        self._named = settings.access.forget
        self._titles = settings.titles
        self._people = people
        self._service = service
        self._access = access
        self._judge_access = judge_access

    async def preview(self, person: str, target: ForgetTarget, reference: str) -> list[SlackMessage]:
        """Return a preview, a refusal, or that the trace is not known.

        Args:
            person: Slack id of who asks.
            target: what is to be forgotten.
            reference: the target as the person named it.
        """
        try:
            return await self.preview_known(person, target) or [await self._no_trace(person, reference)]
        except UnknownTraceError as error:
            return [await self.unknown(person, reference, error)]

    async def preview_known(self, person: str, target: ForgetTarget) -> list[SlackMessage]:
        """Return a preview or a refusal; nothing for somebody who may not know of the target.

        Raises `UnknownTraceError`.
        """
        scope = await self._service.find(target)
        if not await self._access.allows(person, scope):
            is_known = isinstance(target, PersonTarget) or await self._access.may_know(person, scope)
            return [not_allowed(target, self._named)] if is_known else []
        judges = await self._visible_judges(person)
        preview = await self._service.preview(scope, judges)
        words = partial(forget_preview, of_oneself=target == PersonTarget(person=person))
        return await self._in_words(preview, words)

    async def unknown(self, person: str, reference: str, error: UnknownTraceError) -> SlackMessage:
        """Say that a trace is not known; whether it was forgotten only to somebody who may know of every trace."""
        if await self._access.may_know_all(person):
            return unknown_trace(str(error), await self._guess(person, reference))
        return await self._no_trace(person, reference)

    async def _no_trace(self, person: str, reference: str) -> SlackMessage:
        return no_trace_of_yours(reference, await self._guess(person, reference))

    async def _guess(self, person: str, reference: str) -> str | None:
        return await near_trace(self._database, self._judge_access, person, reference)

    async def execute(self, person: str, requested: ForgetScope) -> list[SlackMessage]:
        """Carry out a stored request of a person, and return the result. Raises `StorageError`."""
        judges = await self._visible_judges(person)
        links = await self._links(await self._service.replies(requested, judges))
        result = await self._service.execute(requested)
        words = partial(
            forget_result, of_oneself=requested.target == PersonTarget(person=person), links=links
        )
        return await self._in_words(result.about(judges), words)

    async def _links(self, replies: Sequence[tuple[str, str]]) -> list[str]:
        """Return links to replies that Slack still shows."""
        found = await asyncio.gather(
            *(permalink(self._client, channel, ts) for channel, ts in replies[: MAX_LINKS_SHOWN + 1])
        )
        links = [link for link in found if link]
        return [*links, *([""] * max(0, len(replies) - MAX_LINKS_SHOWN - 1))]

    async def _visible_judges(self, person: str) -> set[str]:
        return {judge.name for judge in await self._judge_access.judges_of(person)}

    async def _in_words(
        self, result: ForgetResult, words: Callable[[ForgetResult, Sequence[str]], SlackMessage]
    ) -> list[SlackMessage]:
        names = [await self._people.name(person) for person in result.people]
        if result.is_empty:
            return [nothing_of_person(*names)]
        return [words(self._with_titles(result), names)]

    def _with_titles(self, result: ForgetResult) -> ForgetResult:
        """Return the result with titles for the judges' names, as far as no two of them are alike."""
        judges = {self._titles.get(name, name): part for name, part in result.judges.items()}
        return replace(result, judges=judges) if len(judges) == len(result.judges) else result
