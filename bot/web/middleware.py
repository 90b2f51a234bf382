"""Middlewares of the server: counting requests, and ending connections while the bot is being stopped."""

import time

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.reports.status import StatusReport
from bot.runtime.metrics import Metrics
from bot.web.routes import Handler


def count_requests(metrics: Metrics) -> Middleware:
    """Return a middleware that counts requests, by route and status."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        start = time.perf_counter()
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            resource = request.match_info.route.resource
            # an address that is none has no route: it may be anything
            route = "none" if resource is None else f"{request.method} {resource.canonical}"
            metrics.count_http_request(route, status, time.perf_counter() - start)

    return count


def end_connections(status: StatusReport) -> Middleware:
    """Return a middleware that keeps no connection once the bot is being stopped: the next one goes elsewhere."""

    @web.middleware
    async def end(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if status.is_stopping:
            response.force_close()
        return response

    return end
