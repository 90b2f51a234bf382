"""The answer to a decision on a guideline, told where the decision was made."""

from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.guideline_answers import outcome_message
from bot.blocks.guideline_modal import outcome_view
from bot.config import Settings
from bot.guideline_decision import DecisionOutcome
from bot.listeners.guideline_pages import GuidelinePages
from bot.listeners.guideline_press import AnswerPlace
from bot.listeners.responses import (
    open_view_from,
    or_error_message,
    replace_original,
    respond_ephemeral,
    show_ephemeral,
    update_view,
)


class GuidelineAnswers:
    """Tells a person what came of a decision, and brings the list up to date in which it was made."""

    def __init__(self, settings: Settings, pages: GuidelinePages, client: AsyncWebClient) -> None:
        self._channels = {judge.name: judge.channel for judge in settings.judges}
        self._pages = pages
        self._client = client

    async def tell(self, place: AnswerPlace, outcome: DecisionOutcome) -> None:
        """Tell what came of a decision."""
        if place.view_id:
            await update_view(self._client, place.view_id, outcome_view(outcome))
        if place.modal_body is not None:
            await open_view_from(self._client, place.modal_body, outcome_view(outcome))
        elif place.response_url:
            await self._respond(place, outcome)
        elif not place.view_id and (channel := self._channels.get(place.judge)):
            await show_ephemeral(self._client, channel, place.person, outcome_message(outcome))

    def respond(self, place: AnswerPlace) -> AsyncRespond:
        """Return the function that answers at the place's address."""
        return AsyncRespond(response_url=place.response_url, proxy=self._client.proxy, ssl=self._client.ssl)

    async def _respond(self, place: AnswerPlace, outcome: DecisionOutcome) -> None:
        respond = self.respond(place)
        if place.query is not None:
            work = self._pages.page(place.person, place.query, outcome)
            for message in await or_error_message(work, "listing guidelines"):
                await replace_original(respond, message)
        elif place.is_only_mine:
            await replace_original(respond, outcome_message(outcome))
        else:
            await respond_ephemeral(respond, [outcome_message(outcome)])
