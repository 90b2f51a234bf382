from collections.abc import AsyncIterator

import pytest

from bot.sandbox import SlackServer, Workspace
from tests.sandbox.bolt_app import COMMAND, SHORTCUTS, Sandbox, opened


@pytest.fixture
def ack_timeout() -> float:
    """Seconds an acknowledgement may take: no busy machine needs as many; a test of lateness asks for fewer."""
    return 60.0


@pytest.fixture
async def sandbox(ack_timeout: float) -> AsyncIterator[Sandbox]:
    server = SlackServer(
        Workspace(),
        commands=[COMMAND],
        shortcuts=SHORTCUTS,
        retries=(0.0, 0.01, 0.02),
        ack_timeout=ack_timeout,
    )
    async with opened(server) as ready:
        yield ready
