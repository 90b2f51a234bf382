from collections.abc import AsyncIterator

import pytest

from bot.sandbox import SlackServer, Workspace
from tests.sandbox.scene import COMMAND, SHORTCUTS, Scene, opened


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    server = SlackServer(
        Workspace(), commands=[COMMAND], shortcuts=SHORTCUTS, retries=(0.0, 0.01, 0.02), ack_timeout=0.5
    )
    async with opened(server) as ready:
        yield ready
