"""The button "Why?", and `/memalign why`."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.answer_form import hidden_view
from bot.blocks.blind_card import verdict_hidden
from bot.blocks.primitives import SlackMessage
from bot.blocks.why import (
    MAX_CASES,
    MAX_CASES_IN_SHORT,
    WHY,
    no_verdict_of_yours,
    nothing_to_explain,
    why_message,
    why_of_which_trace,
    why_view,
)
from bot.forgetting.trace_reference import TraceReferences, spellings_from_slack
from bot.listeners.after_ack import AfterAck
from bot.listeners.clicked_card import Body
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.near_trace import near_trace
from bot.listeners.responses import open_view_from
from bot.reports.verdict_evidence import EvidenceReader
from memalign.errors import UnknownTraceError
from storage.database import Database
from storage.records import StoredVerdict


class WhyListener:
    """Explains verdicts to the members of their judges' channels."""

    def __init__(
        self,
        database: Database,
        references: TraceReferences,
        evidence: EvidenceReader,
        access: JudgeAccess,
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._database = database
        self._references = references
        self._evidence = evidence
        self._access = access
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener of the button."""
        app.action(WHY)(self.why)

    async def why(self, ack: AsyncAck, body: Body) -> None:
        """Show the evidence of the button's verdict in a modal."""
        await ack()
        self._after_ack.run(self._show(body))

    async def _show(self, body: Body) -> None:
        stored = await self._verdict_of(body)
        if stored is not None and stored.is_hidden:
            await open_view_from(self._client, body, hidden_view())
            return
        evidence = await self._evidence.read(stored, MAX_CASES) if stored else None
        view = nothing_to_explain() if evidence is None else why_view(evidence)
        await open_view_from(self._client, body, view)

    async def _verdict_of(self, body: Body) -> StoredVerdict | None:
        """Return the verdict that a button names; None if it is gone or the person may not see it."""
        stored = await self._database.verdicts.get(str(body["actions"][0].get("value") or ""))
        return stored if stored and await self._access.may_see(str(body["user"]["id"]), stored) else None

    async def explain(self, person: str, text: str) -> list[SlackMessage]:
        """Return the answer to `/memalign why`, `text` being what follows: a message for each judge."""
        spellings = spellings_from_slack(text)
        if not spellings:
            return [why_of_which_trace()]
        try:
            target = await self._references.resolve(spellings)
        except UnknownTraceError:
            return [await self._no_verdict(person, spellings[0])]
        messages = []
        for stored in await self._database.verdicts.of_trace(target.trace_id):
            is_visible = await self._access.may_see(person, stored)
            if is_visible and stored.is_hidden:
                messages.append(verdict_hidden())
            elif is_visible and (evidence := await self._evidence.read(stored, MAX_CASES_IN_SHORT)):
                messages.append(why_message(evidence))
        return messages or [await self._no_verdict(person, spellings[0])]

    async def _no_verdict(self, person: str, reference: str) -> SlackMessage:
        return no_verdict_of_yours(
            reference, await near_trace(self._database, self._access, person, reference)
        )
