"""A server on this machine for tests: it can stop and come back on the same port."""

import asyncio

from aiohttp import web

from bot.runtime.listening import start_listening, stop_listening


class LocalServer:
    """Serves an application on loopback."""

    def __init__(self, port: int = 0) -> None:
        """Take the port; 0 is a free one."""
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._port = port

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self, app: web.Application, *, handler_cancellation: bool = False) -> None:
        """Listen, the second time on the same port."""
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=handler_cancellation)
        await self._runner.setup()
        self._listener = await start_listening(self._runner, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and close all connections."""
        if self._listener is not None:
            await stop_listening(self._listener)
        if self._runner is not None:
            await self._runner.cleanup()
