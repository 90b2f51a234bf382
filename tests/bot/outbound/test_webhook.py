"""A webhook over real HTTP: signed, to one address alone, and whatever it answers has a meaning."""

import asyncio
import json
import time
from http import HTTPStatus

import pytest
from aiohttp import web
from standardwebhooks import Webhook as LibraryWebhook
from standardwebhooks import WebhookVerificationError

from bot.config import RedactionSettings, WebhookSettings
from bot.outbound.errors import EventRefusedError, ReceiverGoneError, ReceiverUnavailableError
from bot.outbound.http_sender import MAX_ANSWER_BYTES, HttpSender
from bot.outbound.kinds import webhook_names
from bot.outbound.payloads import EventPayloads
from bot.outbound.signature import signing_keys
from bot.outbound.webhook import Webhook
from bot.redaction.redactor import Redactor
from memalign.judge_memory import JudgeMemory
from memalign.memory.semantic import DEFAULT_POLICY
from memalign.ports import MemoryChange
from storage.database import Database
from storage.records import OutboundChange, OutboundEvent, OutboundEventType
from tests.bot.outbound.event_server import KEY, SECRET, EventServer
from tests.factories import a_judge, a_memory
from tests.local_server import LocalServer
from tests.storage.records import DAY, NOON_MS, at, button_event, posted, reply_event, trace, verdict
from tests.storage.test_memories import guideline

JUDGE = "polite"


async def a_webhook(db: Database, url: str, *patterns: str) -> Webhook:
    """Return a webhook at that address."""
    memories: dict[str, JudgeMemory] = {JUDGE: await a_memory(a_judge())}
    redactor = Redactor(RedactionSettings(patterns=list(patterns)))
    payloads = EventPayloads(db, memories, {JUDGE: DEFAULT_POLICY}, redactor)
    settings = WebhookSettings(url=f"{url}/hook", secret_env="EVENTS_SECRET")
    return Webhook("webhook 127.0.0.1", settings, signing_keys("EVENTS_SECRET", SECRET), payloads)


def event(event_type: OutboundEventType, **subject: str) -> OutboundEvent:
    """An event that waits."""
    change = OutboundChange(type=event_type, at_ms=NOON_MS, judge=JUDGE, **subject)
    return OutboundEvent(event_id="evt_0f", receiver="webhook", number=1, change=change)


FORGOTTEN = event("trace.forgotten", trace_id="tr-1")


async def test_a_request_is_signed_over_what_is_sent(db: Database, server: EventServer) -> None:
    webhook = await a_webhook(db, server.url)
    assert await webhook.deliver(FORGOTTEN)
    await webhook.close()
    [request] = server.requests
    assert (request.path, request.event_id) == ("/hook", "evt_0f")
    assert request.headers["content-type"] == "application/json"
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert LibraryWebhook(SECRET).verify(request.body, request.headers) == request.document
    assert request.is_signed_by(KEY)
    assert not request.is_signed_by(b"another key of the same length..")
    assert request.document == {
        "type": "trace.forgotten",
        "timestamp": "2023-11-14T12:00:00+00:00",
        "data": {"trace_id": "tr-1"},
    }


async def test_a_request_that_was_changed_on_its_way_is_no_more_signed(
    db: Database, server: EventServer
) -> None:
    webhook = await a_webhook(db, server.url)
    await webhook.deliver(event("person.forgotten", person="Zoë 日本"))
    await webhook.close()
    [request] = server.requests
    library = LibraryWebhook(SECRET)
    assert library.verify(request.body, request.headers)["data"] == {"annotator": "Zoë 日本"}
    with pytest.raises(WebhookVerificationError):
        library.verify(request.body.replace(b"annotator", b"Annotator"), request.headers)
    with pytest.raises(WebhookVerificationError):
        library.verify(request.body, {**request.headers, "webhook-id": "evt_1"})


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (301, ReceiverUnavailableError, "not followed"),
        (307, ReceiverUnavailableError, "not followed"),
        (400, EventRefusedError, "refuses an event (400)"),
        (401, ReceiverUnavailableError, "check its signing secret"),
        (403, ReceiverUnavailableError, "check its signing secret"),
        (404, ReceiverUnavailableError, "correct the webhook's url"),
        (410, ReceiverGoneError, "until the next start"),
        (413, EventRefusedError, "refuses an event (413)"),
        (422, EventRefusedError, "refuses an event (422)"),
        (429, ReceiverUnavailableError, "asks to wait (429)"),
        (500, ReceiverUnavailableError, "fails (500)"),
        (503, ReceiverUnavailableError, "fails (503)"),
    ],
)
async def test_each_refusal_has_its_meaning(
    db: Database, server: EventServer, status: int, error: type[Exception], words: str
) -> None:
    server.answer = lambda _: web.Response(status=status, headers={"Location": f"{server.url}/elsewhere"})
    webhook = await a_webhook(db, server.url)
    with pytest.raises(error) as caught:
        await webhook.deliver(FORGOTTEN)
    await webhook.close()
    assert words in str(caught.value)
    assert [request.path for request in server.requests] == ["/hook"]


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("soon", 0.0), ("inf", 0.0), ("nan", 0.0), ("-3", 0.0)]
)
async def test_the_pause_that_it_asks_for_is_passed_on(
    db: Database, server: EventServer, value: str, seconds: float
) -> None:
    server.answer = lambda _: web.Response(status=429, headers={"Retry-After": value})
    webhook = await a_webhook(db, server.url)
    with pytest.raises(ReceiverUnavailableError) as caught:
        await webhook.deliver(FORGOTTEN)
    await webhook.close()
    assert caught.value.retry_after == seconds


async def test_a_long_answer_is_not_read_to_its_end(db: Database, server: EventServer) -> None:
    server.answer = lambda _: web.Response(status=HTTPStatus.OK, body=b"x" * (200 * MAX_ANSWER_BYTES))
    webhook = await a_webhook(db, server.url)
    assert await webhook.deliver(FORGOTTEN)
    assert await webhook.deliver(FORGOTTEN)
    await webhook.close()


async def test_a_server_that_does_not_answer_is_left_in_time(server: EventServer) -> None:
    server.is_silent = True
    sender = HttpSender(server.url, "the webhook's url", "its signing secret", timeout_seconds=0.2)
    with pytest.raises(ReceiverUnavailableError, match="does not answer in time; check the network"):
        await sender.post(b"{}", {})
    await sender.close()


async def test_an_answer_whose_body_never_ends_is_an_answer() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"o")
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.router.add_post("/", drip)
    server = LocalServer()
    await server.start(app)
    sender = HttpSender(f"{server.url}/", "the webhook's url", "its signing secret", timeout_seconds=0.2)
    assert await sender.post(b"{}", {}) == (200, b"o")
    await sender.close()
    await server.stop()


async def test_nobody_there_is_told_with_a_remedy(db: Database, server: EventServer) -> None:
    webhook = await a_webhook(db, server.url)
    await server.stop()
    with pytest.raises(ReceiverUnavailableError, match="cannot be reached; check the network"):
        await webhook.deliver(FORGOTTEN)
    await server.start()
    assert await webhook.deliver(FORGOTTEN)
    await webhook.close()


# --- payloads


async def payload(db: Database, server: EventServer, told: OutboundEvent, *patterns: str) -> object:
    """Return what the server is sent of an event; None where nothing is."""
    webhook = await a_webhook(db, server.url, *patterns)
    is_told = await webhook.deliver(told)
    await webhook.close()
    if not is_told:
        return None
    return server.requests[-1].document["data"]


async def test_a_verdict_is_told_as_the_export_shows_it_without_its_trace(
    db: Database, server: EventServer
) -> None:
    verdict_id = await posted(db)
    data = await payload(db, server, event("verdict.created", verdict_id=verdict_id))
    assert isinstance(data, dict)
    assert {name: data[name] for name in ("trace_id", "judge", "verdict_id", "value", "rationale")} == {
        "trace_id": "tr-1",
        "judge": JUDGE,
        "verdict_id": verdict_id,
        "value": True,
        "rationale": "It thanks.",
    }
    assert not {"inputs", "outputs", "spans", "type"} & data.keys()


async def test_a_vote_is_told_with_its_label_and_reason_once_it_counts(
    db: Database, server: EventServer
) -> None:
    verdict_id = await posted(db)
    vote = event("vote.changed", verdict_id=verdict_id, person="U1")
    await db.feedback.note("C1", "100.1", button_event("U1", "down", at(1)))
    await db.feedback.note("C1", "100.1", reply_event("U1", at(2), "Too curt.", at(2)))
    assert await payload(db, server, vote) is None
    await db.feedback.note_members(verdict_id, {"U1": True})
    assert await payload(db, server, vote) == {
        "trace_id": "tr-1",
        "judge": JUDGE,
        "verdict_id": verdict_id,
        "annotator": "U1",
        "vote": "down",
        "label": False,
        "rationale": "Too curt.",
        "timestamp": "2023-11-14T12:00:01+00:00",
    }
    await db.feedback.exclude("U1", NOON_MS)
    uncounted = await payload(db, server, vote)
    assert isinstance(uncounted, dict)
    assert (uncounted["vote"], uncounted["label"], uncounted["rationale"]) == (None, None, None)


async def test_what_redaction_takes_out_now_is_in_no_payload(db: Database, server: EventServer) -> None:
    verdict_id = await posted(db)
    await db.verdicts.redact(verdict_id, "It names PRJ-77.")
    await db.feedback.note("C1", "100.1", button_event("U1", "down", at(1)))
    await db.feedback.note("C1", "100.1", reply_event("U1", at(2), "PRJ-78 is secret.", at(2)))
    await db.feedback.note_members(verdict_id, {"U1": True})
    await db.memories.save(JUDGE, MemoryChange(put_guidelines=(guideline("g1", "Never say PRJ-79."),)))
    for told in (
        event("verdict.created", verdict_id=verdict_id),
        event("vote.changed", verdict_id=verdict_id, person="U1"),
        event("lesson.learned", guideline_id="g1"),
    ):
        data = await payload(db, server, told, r"PRJ-\d+")
        assert data is not None
        assert "PRJ-" not in json.dumps(data)


async def test_nothing_is_told_of_what_is_gone_hidden_or_of_no_judge_of_the_settings(
    db: Database, server: EventServer
) -> None:
    await db.traces.add([(trace("tr-2"), [JUDGE]), (trace("tr-3"), ["other"])], NOON_MS, 10)
    await db.verdicts.keep(verdict("tr-2"), channel="C1", judged_ms=NOON_MS, day=DAY, is_blind=True)
    await db.verdicts.keep(verdict("tr-3", "other"), channel="C1", judged_ms=NOON_MS, day=DAY)
    [hidden, *_] = await db.verdicts.of_trace("tr-2")
    [unnamed, *_] = await db.verdicts.of_trace("tr-3")
    for verdict_id in ("v-gone", hidden.verdict_id, unnamed.verdict_id):
        assert await payload(db, server, event("verdict.created", verdict_id=verdict_id)) is None
        assert await payload(db, server, event("vote.changed", verdict_id=verdict_id, person="U1")) is None
    assert await payload(db, server, event("lesson.learned", guideline_id="gone")) is None
    assert server.requests == []


async def test_a_lesson_is_told_with_its_text_and_one_that_went_by_its_id(
    db: Database, server: EventServer
) -> None:
    rule = guideline("g1", "Greet people.")
    await db.memories.save(JUDGE, MemoryChange(put_guidelines=(rule,)))
    assert await payload(db, server, event("lesson.learned", guideline_id="g1")) == {
        "id": "g1",
        "judge": JUDGE,
        "text": "Greet people.",
        "state": "used",
        "doubtful": False,
        "source_trace_ids": list(rule.source_trace_ids),
    }
    gone = {"id": "g0", "judge": JUDGE, "text": None, "state": None}
    assert await payload(db, server, event("lesson.retired", guideline_id="g0")) == gone


async def test_a_forgotten_person_is_told_by_the_id_that_their_votes_had(
    db: Database, server: EventServer
) -> None:
    assert await payload(db, server, event("person.forgotten", person="U1")) == {"annotator": "U1"}


def test_a_webhook_is_named_by_its_host_alone() -> None:
    urls = ["https://a.example.com/T0/s3cret?key=s3cret", "https://b.example.com/", "https://a.example.com/2"]
    webhooks = [WebhookSettings(url=url, secret_env="S") for url in urls]
    assert webhook_names(webhooks) == [
        "webhook 1 (a.example.com)",
        "webhook b.example.com",
        "webhook 3 (a.example.com)",
    ]
