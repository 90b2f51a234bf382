"""Sending single posts: at most once, whatever Slack answers."""

from pathlib import Path

import pytest

from bot.blocks.chart import line_chart
from bot.blocks.primitives import SlackMessage
from bot.posting.sending import LostPost, PostSender, arguments
from bot.runtime.clock import now_ms
from bot.runtime.health import HealthRegistry
from bot.slack.chart_support import ChartSupport
from bot.slack.errors import SlackRefusedError
from memalign.records import Json
from storage.database import Database
from storage.records import Post
from tests.bot.fakes import CUT, ODD_ANSWERS, Answer, FakeSlack, Lost, refusal
from tests.storage.records import FOREVER_MS, card, judged, lesson, note, posted

MESSAGE = SlackMessage(text="hello", blocks=())


class Sending:
    """A sender on a store and a fake Slack."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.slack = FakeSlack()
        self.health = HealthRegistry()
        self.message: SlackMessage | None = MESSAGE
        self.seconds = 0.0
        self.sender = PostSender(
            self.slack, database, self._render, self.health, ChartSupport(lambda: self.seconds)
        )

    async def _render(self, _: Post) -> SlackMessage | None:
        return self.message

    async def send(self, post: Post) -> LostPost | None:
        """Begin and deliver a post that the store knows."""
        message = await self.sender.begin(post)
        assert message is not None
        return await self.sender.deliver(post, message)

    async def states(self) -> list[str]:
        """Ids of posts that are due within the hour, and those of posts on their way, marked by an arrow."""
        due = await self.database.outbox.next_due(now_ms() + 3_600_000)
        in_flight = await self.database.outbox.in_flight()
        return [post.post_id for post in due] + [f"→{post.post_id}" for post in in_flight]


@pytest.fixture
def sending(database: Database) -> Sending:
    return Sending(database)


async def test_a_post_that_slack_takes_is_the_message_it_became(sending: Sending) -> None:
    verdict_id = await judged(sending.database)
    assert await sending.send(card()) is None
    assert await sending.states() == []
    verdict = await sending.database.verdicts.get(verdict_id)
    assert verdict is not None
    assert verdict.message_ts == sending.slack.messages[0]["ts"]


async def test_a_post_with_nothing_left_to_show_is_dropped(sending: Sending) -> None:
    await sending.database.outbox.add(note("n-1"))
    sending.message = None
    assert await sending.sender.begin(note("n-1")) is None
    assert (await sending.states(), sending.slack.calls) == ([], [])


async def test_a_post_is_sent_once_though_it_is_begun_twice(sending: Sending) -> None:
    await sending.database.outbox.add(note("n-1"))
    assert await sending.sender.begin(note("n-1")) is not None
    assert await sending.sender.begin(note("n-1")) is None


@pytest.mark.parametrize(
    "answer", [*ODD_ANSWERS.values(), Answer(data={"ok": True})], ids=[*ODD_ANSWERS, "no ts"]
)
async def test_a_post_whose_answer_cannot_be_read_may_have_arrived(
    sending: Sending, answer: Answer | Exception
) -> None:
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"].append(answer)
    lost = await sending.send(note("n-1"))
    assert lost is not None
    assert await sending.states() == ["→n-1"]


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable"])
async def test_so_may_one_over_which_slack_says_that_it_failed(sending: Sending, code: str) -> None:
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"].append(refusal(code))
    assert await sending.send(note("n-1")) is not None


async def test_a_lost_post_that_has_arrived_is_found_by_its_id_and_not_sent_again(sending: Sending) -> None:
    verdict_id = await judged(sending.database)
    sending.slack.answers["chat.postMessage"].append(Lost())
    lost = await sending.send(card())
    assert lost is not None
    await sending.sender.settle(lost)
    verdict = await sending.database.verdicts.get(verdict_id)
    assert verdict is not None
    assert verdict.message_ts == sending.slack.messages[0]["ts"]
    assert (await sending.states(), len(sending.slack.of("chat.postMessage"))) == ([], 1)


async def test_a_lost_post_that_has_not_arrived_is_due_again(sending: Sending) -> None:
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"].append(CUT)
    lost = await sending.send(note("n-1"))
    assert lost is not None
    await sending.sender.settle(lost)
    assert await sending.states() == ["n-1"]


async def test_a_history_without_messages_says_nothing_of_a_lost_post(sending: Sending) -> None:
    await sending.database.outbox.add(note("n-1"))
    await sending.sender.begin(note("n-1"))
    sending.slack.answers["conversations.history"].append(Answer(data={"ok": True}))
    with pytest.raises(SlackRefusedError) as problem:
        await sending.sender.settle(await sending.sender.lost(note("n-1")))
    assert problem.value.detail == "the answer has no messages"
    assert await sending.states() == ["→n-1"]


async def test_all_pages_of_a_channel_are_searched(sending: Sending) -> None:
    await judged(sending.database)
    sending.slack.answers["chat.postMessage"].append(Lost())
    lost = await sending.send(card())
    for cursor in ("page 1", "page 2"):
        page = {"ok": True, "messages": [{"ts": "1.1"}], "response_metadata": {"next_cursor": cursor}}
        sending.slack.answers["conversations.history"].append(Answer(data=page))
    assert lost is not None
    await sending.sender.settle(lost)
    assert [call.get("cursor") for call in sending.slack.of("conversations.history")] == [
        None,
        "page 1",
        "page 2",
    ]
    assert await sending.states() == []


async def test_a_card_is_searched_for_since_ten_minutes_before_it_was_judged(sending: Sending) -> None:
    judged_ms = 1_700_000_000_000
    await judged(sending.database, judged_ms=judged_ms)
    assert (await sending.sender.lost(card())).oldest == "1699999400.000000"


async def test_a_lesson_is_searched_for_in_its_thread(sending: Sending) -> None:
    verdict_id = await posted(sending.database, ts="1.1")
    post = lesson("l-1", verdict_id, "g-1")
    await sending.database.outbox.add(post)
    sending.slack.answers["chat.postMessage"].append(Lost())
    lost = await sending.send(post)
    assert lost is not None
    await sending.sender.settle(lost)
    assert sending.slack.of("conversations.replies")[0]["ts"] == "1.1"
    status = await sending.database.thread_statuses.get(verdict_id)
    assert status is not None
    assert [rule.ids for rule in status.rules] == [("g-1",)]


async def test_a_lesson_for_a_thread_that_is_gone_is_given_up(sending: Sending) -> None:
    verdict_id = await posted(sending.database, ts="1.1")
    post = lesson("l-1", verdict_id, "g-1")
    await sending.database.outbox.add(post)
    sending.slack.answers["chat.postMessage"].append(refusal("thread_not_found"))
    assert await sending.send(post) is None
    assert (await sending.states(), sending.health.problems()) == ([], ())


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("is_archived", "the channel is archived"),
        ("not_in_channel", "/invite"),
        ("token_revoked", "install the app"),
    ],
)
async def test_a_refusal_of_the_channel_is_reported_with_its_remedy_until_a_post_arrives(
    sending: Sending, code: str, remedy: str
) -> None:
    await sending.database.outbox.add(note("n-1"))
    await sending.database.outbox.add(note("n-2"))
    sending.slack.answers["chat.postMessage"].append(refusal(code))
    assert await sending.send(note("n-1")) is None
    assert remedy in (sending.health.reason("posting", "C1") or "")
    assert await sending.states() == ["n-1"]  # the channel is held: nothing overtakes it
    assert await sending.send(note("n-1")) is None
    assert sending.health.problems() == ()


async def test_a_refusal_of_one_post_lets_others_of_its_channel_overtake_it(sending: Sending) -> None:
    await sending.database.outbox.add(note("n-1"))
    await sending.database.outbox.add(note("n-2"))
    sending.slack.answers["chat.postMessage"].append(refusal("invalid_blocks"))
    await sending.send(note("n-1"))
    assert [post.post_id for post in await sending.database.outbox.next_due(now_ms())] == ["n-2"]


async def test_slack_is_left_alone_for_as_long_as_it_asks(sending: Sending) -> None:
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"].append(refusal("ratelimited", status=429, retry_after=30))
    await sending.send(note("n-1"))
    assert await sending.database.outbox.next_due(now_ms() + 25_000) == []
    assert len(await sending.database.outbox.next_due(now_ms() + 31_000)) == 1


async def test_a_restart_does_not_shorten_the_wait_that_slack_asked_for(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "store") as database:
        await database.outbox.add(note("n-1"))
        sending = Sending(database)
        sending.slack.answers["chat.postMessage"].append(refusal("ratelimited", status=429, retry_after=30))
        await sending.send(note("n-1"))
    async with await Database.open(tmp_path / "store") as database:
        await database.outbox.add(note("n-2"))
        assert await database.outbox.next_due(now_ms() + 25_000) == []
        assert [post.post_id for post in await database.outbox.next_due(now_ms() + 31_000)] == ["n-1"]


async def test_what_is_forgotten_on_its_way_is_taken_down_where_it_arrives(sending: Sending) -> None:
    await judged(sending.database)
    assert await sending.sender.begin(card()) is not None
    await sending.database.forgetting.delete_traces(["tr-1"], None)
    await sending.sender.deliver(card(), MESSAGE)
    assert [call["ts"] for call in sending.slack.of("chat.delete")] == [sending.slack.messages[0]["ts"]]
    assert len(await sending.database.forgetting.redactions_due(FOREVER_MS)) == 1


def test_a_card_names_its_trace_judge_verdict_and_post_in_its_metadata() -> None:
    payload = arguments(card("tr-1", "polite"), MESSAGE)["metadata"]["event_payload"]
    assert payload.keys() == {"trace_id", "judge", "verdict_id", "post_id"}
    assert (payload["trace_id"], payload["judge"]) == ("tr-1", "polite")


def test_links_in_posts_are_not_unfurled() -> None:
    assert not arguments(note("n-1"), MESSAGE)["unfurl_links"]


@pytest.mark.parametrize(
    "failure", [refusal("internal_error"), Answer(data={}, status=502), CUT, Answer(data="<html>oops")]
)
async def test_a_channel_in_which_no_post_arrives_is_left_alone_for_a_growing_pause_and_told(
    sending: Sending, failure: Answer | Exception
) -> None:
    await sending.database.outbox.add(note("n-1"))
    for failures in range(6):
        sending.slack.answers["chat.postMessage"].append(failure)
        (post,) = await sending.database.outbox.next_due(now_ms() + 3_600_000)
        lost = await sending.send(post)
        assert lost is not None
        before_ms = now_ms()
        await sending.sender.settle(lost)
        shortest_pause_ms = 500 * 2**failures
        assert await sending.database.outbox.next_due(before_ms + shortest_pause_ms - 1) == []
        assert sending.health.subjects("posting") == {post.channel}
    assert len(sending.slack.of("conversations.history")) == 6


# --- charts

CHART = SlackMessage(
    text="62%", blocks=(line_chart("Agreement", "Week", "percent", ["a", "b"], {"Judge": [50, 62]}),)
)


def shows_chart(message: Json) -> bool:
    return any(block["type"] == "data_visualization" for block in message["blocks"])


@pytest.mark.parametrize("code", ["invalid_blocks", "invalid_blocks_format"])
async def test_a_chart_that_slack_refuses_is_sent_once_more_in_words(sending: Sending, code: str) -> None:
    sending.message = CHART
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"].append(refusal(code))
    assert await sending.send(note("n-1")) is None
    [refused, taken] = sending.slack.of("chat.postMessage")
    assert (shows_chart(refused), shows_chart(taken), len(sending.slack.messages)) == (True, False, 1)
    assert "*Judge* · a: 50% · b: 62%" in taken["blocks"][0]["text"]["text"]
    assert refused["metadata"] == taken["metadata"]
    assert await sending.states() == []


async def test_a_workspace_that_refused_a_chart_gets_none_for_a_day(sending: Sending) -> None:
    sending.message = CHART
    sending.slack.answers["chat.postMessage"].append(refusal("invalid_blocks"))
    for number in (1, 2):
        await sending.database.outbox.add(note(f"n-{number}"))
        await sending.send(note(f"n-{number}"))
    assert [shows_chart(each) for each in sending.slack.of("chat.postMessage")] == [True, False, False]
    sending.seconds = 25 * 60 * 60.0
    await sending.database.outbox.add(note("n-3"))
    await sending.send(note("n-3"))
    assert shows_chart(sending.slack.of("chat.postMessage")[-1])


async def test_a_message_that_is_refused_without_its_chart_as_well_says_nothing_of_charts(
    sending: Sending,
) -> None:
    sending.message = CHART
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"] += [refusal("invalid_blocks"), refusal("invalid_blocks")]
    assert await sending.send(note("n-1")) is None
    await sending.send(note("n-1"))
    assert [shows_chart(each) for each in sending.slack.of("chat.postMessage")] == [True, False, True]


async def test_an_answer_lost_after_the_refusal_is_looked_for_and_not_sent_again(sending: Sending) -> None:
    sending.message = CHART
    await sending.database.outbox.add(note("n-1"))
    sending.slack.answers["chat.postMessage"] += [refusal("invalid_blocks"), Lost()]
    lost = await sending.send(note("n-1"))
    assert lost is not None
    await sending.sender.settle(lost)
    assert (len(sending.slack.messages), await sending.states()) == (1, [])
