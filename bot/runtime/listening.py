"""Listening, which ends without leaving an accepted connection open."""

import asyncio

from aiohttp import web

ACCEPT_TURNS = 4
"""Turns of the loop in which asyncio makes a transport of an accepted socket and tells the server of it: three in
Python 3.11 to 3.14 (`asyncio.selector_events`), and one more."""


async def start_listening(runner: web.AppRunner, host: str, port: int) -> asyncio.Server:
    """Listen for a server that is set up; to be ended by `stop_listening`.

    Args:
        runner: the server.
        host: the address to listen on.
        port: the port; 0 takes a free one.

    Raises:
        OSError: the address cannot be had.
    """
    if runner.server is None:
        raise ValueError("set the server up first")
    return await asyncio.get_running_loop().create_server(runner.server, host, port)


async def stop_listening(listener: asyncio.Server) -> None:
    """Listen no more, once what was accepted has reached the server.

    A listener that is closed between the two leaves the connection open and unanswered: asyncio fails to attach its
    transport (https://github.com/python/cpython/issues/109564).

    Args:
        listener: a server of the running loop that listens.
    """
    loop = asyncio.get_running_loop()
    for each in listener.sockets:
        loop.remove_reader(each.fileno())
    for _ in range(ACCEPT_TURNS):
        await asyncio.sleep(0)
    listener.close()
