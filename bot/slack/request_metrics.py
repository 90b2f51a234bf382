"""Counts of the requests to Slack's Web API, each attempt by itself, by aiohttp's own tracing."""

import time
from types import SimpleNamespace

from aiohttp import (
    ClientSession,
    TraceConfig,
    TraceRequestEndParams,
    TraceRequestExceptionParams,
    TraceRequestStartParams,
)
from yarl import URL

from bot.runtime.metrics import Metrics


def request_counts(metrics: Metrics) -> TraceConfig:
    """Return what a client's sessions are to be traced with."""

    async def started(_: ClientSession, request: SimpleNamespace, __: TraceRequestStartParams) -> None:
        request.start = time.perf_counter()

    async def answered(_: ClientSession, request: SimpleNamespace, params: TraceRequestEndParams) -> None:
        seconds = time.perf_counter() - request.start
        metrics.count_slack_request(_method(params.url), params.response.status, seconds)

    async def failed(_: ClientSession, request: SimpleNamespace, params: TraceRequestExceptionParams) -> None:
        metrics.count_slack_request(_method(params.url), None, time.perf_counter() - request.start)

    config = TraceConfig()
    config.on_request_start.append(started)
    config.on_request_end.append(answered)
    config.on_request_exception.append(failed)
    return config


def _method(url: URL) -> str:
    """Return the method of Slack's API, such as `chat.postMessage`: the last part of its address."""
    return url.name
