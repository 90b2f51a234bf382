"""`/memalign teach`: a rule in a person's own words, stored before Slack gets its ack."""

from collections.abc import Callable
from html import unescape

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond

from bot.blocks.commands import no_judges
from bot.blocks.guideline_answers import outcome_message, teach_usage, teach_which_judge
from bot.blocks.primitives import SlackMessage, plain_message
from bot.config import Settings
from bot.listeners.after_ack import AfterAck
from bot.listeners.guideline_decisions import GuidelineDecisions
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.judge_words import split_judge
from bot.listeners.responses import or_error_message, respond_ephemeral
from bot.slack.markup import readable_marks
from memalign.errors import InputError
from memalign.memory.guideline_handling import checked_text
from storage.guideline_requests import GuidelineRequest


class Teaching:
    """Adds guidelines by hand for those who may."""

    def __init__(
        self,
        settings: Settings,
        decisions: GuidelineDecisions,
        access: JudgeAccess,
        redact: Callable[[str], str],
        after_ack: AfterAck,
    ) -> None:
        self._judges = settings.judges
        self._decisions = decisions
        self._access = access
        self._redact = redact
        self._after_ack = after_ack

    async def command(
        self, ack: AsyncAck, request_id: str, person: str, channel: str, text: str, respond: AsyncRespond
    ) -> None:
        """Answer `/memalign teach`, `text` being what follows: perhaps a judge, then the rule.

        Args:
            ack: acknowledges.
            request_id: the same for each delivery of the command.
            person: Slack id of who typed it.
            channel: the channel in which it was typed.
            text: what follows, with the signs that Slack escapes.
            respond: answers.
        """
        request = self._request(request_id, person, channel, text)
        if isinstance(request, GuidelineRequest):
            await self._decisions.keep(request)
            await ack()
            self._after_ack.run(self._carry_out(request, respond))
        else:
            await ack()
            self._after_ack.run(self._explain(person, request, respond))

    def _request(
        self, request_id: str, person: str, channel: str, text: str
    ) -> GuidelineRequest | SlackMessage | None:
        """Return what is to be stored, or the answer to somebody who taught nothing; None where no judge is meant."""
        judge, rule = split_judge(unescape(readable_marks(text)), [judge.name for judge in self._judges])
        judge = judge or self._judge_of(channel)
        if not rule:
            return teach_usage()
        if judge is None:
            return None
        try:
            words = checked_text(self._redact(rule))
        except InputError as error:
            return plain_message(str(error))
        return GuidelineRequest(
            request_id=f"teach:{request_id}", action="add", person=person, judge=judge, text=words
        )

    def _judge_of(self, channel: str) -> str | None:
        """Return the only judge of a channel, or the only one there is."""
        here = [judge.name for judge in self._judges if judge.channel == channel]
        judges = here or [judge.name for judge in self._judges]
        return judges[0] if len(judges) == 1 else None

    async def _carry_out(self, request: GuidelineRequest, respond: AsyncRespond) -> None:
        outcome = await self._decisions.carry_out(request)
        if outcome.refusal and not await self._sees(request.person, request.judge):
            # to them it does not exist
            await self._explain(request.person, None, respond)
        else:
            await respond_ephemeral(respond, [outcome_message(outcome)])

    async def _sees(self, person: str, judge: str) -> bool:
        return judge in {each.name for each in await self._access.judges_of(person)}

    async def _explain(self, person: str, answer: SlackMessage | None, respond: AsyncRespond) -> None:
        work = self._which_judge(person, answer)
        await respond_ephemeral(respond, await or_error_message(work, "/memalign teach"))

    async def _which_judge(self, person: str, answer: SlackMessage | None) -> list[SlackMessage]:
        if answer is not None:
            return [answer]
        judges = [judge.name for judge in await self._access.judges_of(person)]
        return [teach_which_judge(judges) if judges else no_judges()]
