"""The kinds of receivers, opened from the settings with their secrets."""

import os
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from bot.config import OtlpSettings, WebhookSettings
from bot.outbound.evaluation_results import EvaluationResults
from bot.outbound.otlp_logs import OtlpLogs, read_headers
from bot.outbound.payloads import EventPayloads
from bot.outbound.signature import signing_keys
from bot.outbound.webhook import Webhook


def open_webhooks(
    webhooks: Sequence[WebhookSettings],
    payloads: EventPayloads,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Webhook]:
    """Yield the webhooks; nothing is sent yet. Raises `SettingsError` where a secret is not set, or none."""
    for name, settings in zip(webhook_names(webhooks), webhooks, strict=True):
        yield Webhook(name, settings, webhook_keys(settings, environment), payloads)


def open_collector(
    settings: OtlpSettings, results: EvaluationResults, environment: Mapping[str, str] = os.environ
) -> OtlpLogs:
    """Return the collector; nothing is sent yet. Raises `SettingsError` where its headers are not set."""
    return OtlpLogs(collector_name(settings), settings, collector_headers(settings, environment), results)


def webhook_keys(settings: WebhookSettings, environment: Mapping[str, str] = os.environ) -> Sequence[bytes]:
    """Return the keys that a webhook's requests are signed with. Raises `SettingsError`."""
    return signing_keys(settings.secret_env, environment.get(settings.secret_env, ""))


def collector_headers(
    settings: OtlpSettings, environment: Mapping[str, str] = os.environ
) -> Mapping[str, str]:
    """Return the headers that a collector is sent. Raises `SettingsError`."""
    return read_headers(settings.headers_env, environment.get(settings.headers_env, ""))


def webhook_names(webhooks: Sequence[WebhookSettings]) -> list[str]:
    """Return the webhooks as people are told of them: by host, since a path may hold a secret, and number."""
    hosts = [urlsplit(each.url).hostname or "" for each in webhooks]
    return [
        f"webhook {host}" if hosts.count(host) == 1 else f"webhook {number} ({host})"
        for number, host in enumerate(hosts, start=1)
    ]


def collector_name(settings: OtlpSettings) -> str:
    """Return the collector as people are told of it."""
    return f"OTLP {urlsplit(settings.endpoint).hostname}"
