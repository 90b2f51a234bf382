"""Slack's events, translated into calls. This page is the table of contents.

| module | listens to |
|---|---|
| `reactions` | `reaction_added`, `reaction_removed`: thumbs on cards |
| `rationales` | `message` with all its subtypes: replies written, edited, deleted |
| `actions` | buttons and menus on cards and in threads |
| `trace_modal` | the button "Show everything", and the switch in the modal that it opens |
| `blind_answers` | values on cards that ask before they show the verdict, and on the tab |
| `answer_form` | the modal for values that no button holds |
| `vote_choices` | buttons that keep one of several votes, or take one back |
| `reply_buttons` | buttons of questions that one person alone sees in a thread |
| `guideline_actions` | buttons and menus on guidelines in threads, lists and modals, the modal that edits |
| `memory_history` | the buttons of `/memalign history` and of warnings: show versions, go back to one |
| `guideline_pages` | the buttons that turn the pages of `/memalign guidelines` |
| `reason_modal` | the modal that corrects a verdict, the shortcut "Correct this verdict" |
| `forget` | the buttons of the previews of forgetting, the shortcut "Forget this trace" |
| `why` | the button "Why?" |
| `wrong_case` | the button "This one is wrong" on a similar case |
| `commands` | `/memalign` |
| `home` | `app_home_opened`, votes and links on the tab |
| `first_words` | `member_joined_channel` of the bot, `app_mention`, direct messages |
| `foreign_events` | events of another app or workspace, which are ignored |
| here | every other event: Slack gets its ack, and nothing happens |

Listeners translate and store; whatever takes time is done after the ack by a task of the app.
"""

import logging
import re
from collections.abc import Callable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.forgetting.access import ForgetAccess
from bot.forgetting.service import ForgetService
from bot.learning.guideline_service import GuidelineService
from bot.learning.rollback_service import RollbackService
from bot.listeners import errors, foreign_events, rationales, reactions
from bot.listeners.actions import CardActions
from bot.listeners.after_ack import AfterAck
from bot.listeners.answer_form import AnswerForm
from bot.listeners.blind_answers import BlindAnswers
from bot.listeners.card_access import CardAccess
from bot.listeners.clicked_card import ClickedCards
from bot.listeners.commands import SlashCommands
from bot.listeners.first_words import FirstWords
from bot.listeners.forget import ForgetListener
from bot.listeners.forget_answers import ForgetAnswers
from bot.listeners.guideline_access import GuidelineAccess
from bot.listeners.guideline_actions import GuidelineActions
from bot.listeners.guideline_answers import GuidelineAnswers
from bot.listeners.guideline_decisions import GuidelineDecisions
from bot.listeners.guideline_pages import GuidelinePages
from bot.listeners.home import HomeTab
from bot.listeners.home_page import HomePages
from bot.listeners.judge_access import JudgeAccess
from bot.listeners.memory_history import MemoryHistoryPages
from bot.listeners.open_cards import OpenCards
from bot.listeners.own_record import OwnRecords
from bot.listeners.pausing import Pausing
from bot.listeners.reason_modal import ReasonModal
from bot.listeners.reply_buttons import ReplyButtons
from bot.listeners.teaching import Teaching
from bot.listeners.trace_modal import TraceModal
from bot.listeners.vote_choices import VoteChoices
from bot.listeners.why import WhyListener
from bot.listeners.wrong_case import WrongCases
from bot.reports import Reports
from bot.resources import Resources
from bot.runtime.supervisor import Background

log = logging.getLogger(__name__)


def build(
    resources: Resources,
    forgetting: ForgetService,
    guidelines: GuidelineService,
    rollbacks: RollbackService,
    reports: Reports,
    wake_learning: Callable[[], None],
    wake_posting: Callable[[], None],
    after_ack: AfterAck,
) -> Background:
    """Build all listeners and register them with the app; returns what they do in the background."""
    settings, slack, redactor = resources.settings, resources.slack, resources.redactor
    database, memories = resources.database, resources.memories
    errors.listen(slack.app)
    foreign_events.listen(slack.app, slack.identity)
    reactions.listen(slack.app, database, resources.metrics, wake_learning)
    judge_access = JudgeAccess(settings, slack.members, resources.judge_names)
    FirstWords(
        settings, database, slack.identity, slack.client, judge_access, wake_posting, after_ack
    ).listen(slack.app)
    rationales.listen(slack.app, database, redactor.event, wake_learning)
    cards = ClickedCards(database, redactor.event, resources.metrics, wake_learning)
    card_access = CardAccess(settings, slack.members, slack.people)
    form = AnswerForm(cards, card_access, database, memories, slack.client, after_ack)
    form.listen(slack.app)
    modal = ReasonModal(cards, card_access, database, memories, slack.client, form, after_ack)
    modal.listen(slack.app)
    records = OwnRecords(settings, database, memories, slack.people, judge_access)
    pages = HomePages(settings, database, memories, judge_access, records, reports.status, slack.client)
    home = HomeTab(pages, cards, card_access, modal, slack.client, after_ack)
    home.listen(slack.app)
    BlindAnswers(cards, card_access, database, slack.client, form, modal, home.publish, after_ack).listen(
        slack.app
    )
    CardActions(cards, card_access, database, slack.client, modal, after_ack).listen(slack.app)
    TraceModal(cards, card_access, database, memories, settings.titles, slack.client, after_ack).listen(
        slack.app
    )
    VoteChoices(cards, card_access, after_ack).listen(slack.app)
    ReplyButtons(cards, card_access, memories, after_ack).listen(slack.app)
    guideline_access = GuidelineAccess(settings, slack.members, slack.people)
    guideline_pages = GuidelinePages(reports.guidelines, resources.judge_names, judge_access, after_ack)
    guideline_pages.listen(slack.app)
    decisions = GuidelineDecisions(
        settings,
        database.guideline_requests,
        database.replica,
        memories,
        guidelines,
        rollbacks,
        guideline_access,
        slack.client,
    )
    history = MemoryHistoryPages(
        reports.versions,
        rollbacks,
        decisions,
        resources.judge_names,
        judge_access,
        guideline_access,
        slack.client,
        after_ack,
    )
    history.listen(slack.app)
    GuidelineActions(
        memories,
        resources.judge_names,
        decisions,
        GuidelineAnswers(settings, guideline_pages, slack.client),
        slack.people,
        redactor,
        slack.client,
        after_ack,
    ).listen(slack.app)
    teaching = Teaching(settings, decisions, judge_access, redactor.words, after_ack)
    access = ForgetAccess(settings, slack.members, slack.people)
    answers = ForgetAnswers(settings, database, slack.people, forgetting, access, judge_access, slack.client)
    forget = ForgetListener(database, forgetting, access, answers, after_ack)
    forget.listen(slack.app)
    why = WhyListener(
        database,
        forgetting.references,
        reports.evidence,
        judge_access,
        slack.client,
        after_ack,
    )
    why.listen(slack.app)
    WrongCases(database, memories, judge_access, card_access, cards, slack.client, after_ack).listen(
        slack.app
    )
    pausing = Pausing(database, judge_access, guideline_access, wake_posting)
    OpenCards(reports.open_cards, judge_access, after_ack).listen(slack.app)
    SlashCommands(
        settings,
        reports.digests,
        reports.stats,
        reports.status,
        judge_access,
        forget,
        why,
        pausing,
        records,
        guideline_pages,
        history,
        teaching,
        slack.charts,
        after_ack,
    ).listen(slack.app)
    _ignore_others(slack.app)
    return {"finishing decisions": decisions.run}


def _ignore_others(app: AsyncApp) -> None:
    """Acknowledge all other events and actions; nothing follows from them."""

    @app.event(re.compile(".*"))
    async def other(event: dict[str, object]) -> None:
        log.debug("nothing to do for a %s event", event.get("type"))

    @app.action(re.compile(".*"))
    async def other_action(ack: AsyncAck) -> None:
        await ack()
