"""A connection that a server accepts in the moment in which it stops."""

import asyncio
import socket
from collections.abc import Awaitable, Callable


async def is_closed_by(stop: Callable[[], Awaitable[None]], port: int, turns: int) -> bool:
    """Connect, stop the server some turns of the loop later, and return whether it closed the connection.

    Args:
        stop: stops the server.
        port: the server's port on this machine.
        turns: turns of the loop after connecting.
    """
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        for _ in range(turns):
            await asyncio.sleep(0)
        await stop()
        try:
            async with asyncio.timeout(10):
                return await asyncio.get_running_loop().sock_recv(client, 1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False
