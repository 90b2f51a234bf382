"""Names of people for the terminal: as in Slack where it answers, else their ids."""

from collections.abc import Iterable, Mapping

from bot.config import Secrets
from bot.plain_text import NAMES_BESIDE_SLACK
from bot.slack.client import SlackClient
from bot.slack.identity import IdentityLookup
from bot.slack.users import People
from bot.visible_text import isolated

LOOKUP_SECONDS = 3.0


async def names_of(people: Iterable[str]) -> Mapping[str, str]:
    """Return the names of people by id, fit for a line of text; without a bot token, the ids themselves."""
    ids = list(dict.fromkeys(people))
    secrets = Secrets.from_environment()
    if not secrets.bot_token:
        return {person: isolated(NAMES_BESIDE_SLACK.get(person, person)) for person in ids}
    client = SlackClient(token=secrets.bot_token, base_url=secrets.api_url, timeout=10)
    lookup = People(client, IdentityLookup(client), lookup_seconds=LOOKUP_SECONDS)
    return {person: isolated(name) for person, name in (await lookup.names(ids)).items()}
