"""Buttons and menus on guidelines, in threads, lists and modals, and the modal in which a guideline is edited."""

from collections.abc import Mapping

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.guideline_buttons import EDIT_GUIDELINE, GUIDELINE_MENU
from bot.blocks.guideline_modal import EDIT_VIEW, RULE_FIELD, edit_metadata, edit_view
from bot.blocks.why import WRONG_GUIDELINE
from bot.guideline_decision import DecisionOutcome
from bot.judge_names import JudgeNames
from bot.listeners.after_ack import AfterAck
from bot.listeners.clicked_card import Body
from bot.listeners.guideline_answers import GuidelineAnswers
from bot.listeners.guideline_decisions import GuidelineDecisions
from bot.listeners.guideline_press import (
    DECISIONS,
    AnswerPlace,
    EditSubmission,
    GuidelinePress,
    page_of_query,
    text_hash,
)
from bot.listeners.responses import open_view_from
from bot.redaction.redactor import Redactor
from bot.slack.users import People
from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_handling import edited
from memalign.records import Guideline, Handling
from storage.guideline_requests import GuidelineRequest

GONE = "This guideline is gone: what it rested on was taken back or forgotten."
CHANGED_MEANWHILE = "Somebody changed this guideline meanwhile. Close this, and open it again."


class GuidelineActions:
    """Stores what people decide before the ack, and carries it out after it."""

    def __init__(
        self,
        memories: Mapping[str, JudgeMemory],
        names: JudgeNames,
        decisions: GuidelineDecisions,
        answers: GuidelineAnswers,
        people: People,
        redactor: Redactor,
        client: AsyncWebClient,
        after_ack: AfterAck,
    ) -> None:
        self._memories = memories
        self._names = names
        self._decisions = decisions
        self._answers = answers
        self._people = people
        self._redactor = redactor
        self._client = client
        self._after_ack = after_ack

    def listen(self, app: AsyncApp) -> None:
        """Register the listeners."""
        for action_id in (*DECISIONS, EDIT_GUIDELINE, WRONG_GUIDELINE, GUIDELINE_MENU):
            app.action(action_id)(self.press)
        app.view(EDIT_VIEW)(self.save)

    async def press(self, ack: AsyncAck, body: Body) -> None:
        """Carry out the decision of a button or menu, or ask for the words of an edit."""
        press = GuidelinePress.read(body, self._names)
        press = press.of_judge(self._holder(press.place.judge, press.guideline_id))
        request = press.request()
        if request is not None:
            await self._decisions.keep(request)
        await ack()
        if request is not None:
            self._after_ack.run(self._carry_out(request, press.place))
        else:
            self._after_ack.run(self._ask_for_words(body, press))

    async def _carry_out(self, request: GuidelineRequest, place: AnswerPlace) -> None:
        await self._answers.tell(place, await self._decisions.carry_out(request))

    async def _ask_for_words(self, body: Body, press: GuidelinePress) -> None:
        place = press.place
        refusal = await self._decisions.refusal(place.person, place.judge)
        rule = self._guideline(place.judge, press.guideline_id)
        if refusal or rule is None:
            outcome = DecisionOutcome(judge=place.judge, action="edit", refusal=refusal or GONE)
            await self._answers.tell(place, outcome)
            return
        names = tuple((await self._people.names(rule.people)).values())
        metadata = edit_metadata(
            place.judge, rule.id, text_hash(rule.text), place.response_url, page_of_query(place.query)
        )
        await open_view_from(self._client, body, edit_view(place.judge, rule, names, metadata))

    async def save(self, ack: AsyncAck, body: Body) -> None:
        """Put a guideline into the words of the modal; what is no rule is said in the modal."""
        submission = EditSubmission.read(body, self._names)
        submission = submission.of_judge(self._holder(submission.place.judge, submission.guideline_id))
        text = self._redactor.words(submission.text)
        if problem := self._problem(submission, text):
            await ack(response_action="errors", errors={RULE_FIELD: problem})
            return
        request = submission.request(text)
        await self._decisions.keep(request)
        await ack()
        self._after_ack.run(self._carry_out(request, submission.place))

    def _problem(self, submission: EditSubmission, text: str) -> str:
        """Return the reason why an edit cannot be carried out; empty where there is none."""
        judge = submission.place.judge
        rule = self._guideline(judge, submission.guideline_id)
        if rule is None:
            return GONE
        if text_hash(rule.text) != submission.earlier_hash:
            return CHANGED_MEANWHILE
        try:
            edited(rule, text, Handling(person=submission.place.person), self._memories[judge].guidelines)
        except InputError as error:
            return str(error)
        return ""

    def _holder(self, judge: str, guideline_id: str) -> str:
        """Return the judge that holds a guideline: another one may have the name by which a message knows it."""
        if self._guideline(judge, guideline_id) is not None:
            return judge
        holders = (name for name in self._memories if self._guideline(name, guideline_id) is not None)
        return next(holders, judge)

    def _guideline(self, judge: str, guideline_id: str) -> Guideline | None:
        memory = self._memories.get(judge)
        rules = memory.guidelines if memory else ()
        return next((rule for rule in rules if rule.id == guideline_id), None)
