"""The embedded Slack as a server."""

from urllib.parse import urlsplit

import pytest

from bot.sandbox import SlackServer, Workspace
from tests.last_connection import is_closed_by


@pytest.mark.parametrize("turns", range(5))
async def test_a_connection_of_the_last_moment_is_closed(turns: int) -> None:
    server = SlackServer(Workspace())
    await server.start()
    assert await is_closed_by(server.stop, urlsplit(server.url).port or 0, turns)
