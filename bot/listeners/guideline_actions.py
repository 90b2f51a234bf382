"""Buttons on guidelines in threads."""

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.guideline_buttons import APPROVE_GUIDELINE
from bot.blocks.primitives import SlackMessage
from bot.blocks.thread import guideline_approved, may_not_approve
from bot.learning.guideline_service import GuidelineService
from bot.listeners.after_ack import AfterAck
from bot.listeners.clicked_card import Body
from bot.listeners.guideline_access import GuidelineAccess
from bot.listeners.own_values import GuidelineSubject
from bot.listeners.responses import or_error_message, respond_ephemeral


class GuidelineActions:
    """Approves guidelines for those who may."""

    def __init__(self, guidelines: GuidelineService, access: GuidelineAccess, after_ack: AfterAck) -> None:
        self._guidelines = guidelines
        self._access = access
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listener."""
        app.action(APPROVE_GUIDELINE)(self.approve)

    async def approve(self, ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        """Approve the guideline of the button that was pressed."""
        subject = GuidelineSubject.read(str(body["actions"][0].get("value")))
        await ack()
        self._after_ack.run(self._answer(body["user"]["id"], subject, respond))

    async def _answer(self, person: str, subject: GuidelineSubject, respond: AsyncRespond) -> None:
        work = self._approve(person, subject)
        await respond_ephemeral(respond, await or_error_message(work, "approving a guideline"))

    async def _approve(self, person: str, subject: GuidelineSubject) -> list[SlackMessage]:
        if not await self._access.allows(person, subject.judge):
            return [may_not_approve()]
        rule = await self._guidelines.approve(subject.judge, subject.guideline_id, person)
        return [guideline_approved(rule)]
