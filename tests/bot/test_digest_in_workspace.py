"""The weekly digest in a workspace: posted with its figures and rows, and without what is forgotten."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.runtime.clock import now_ms, week_of
from bot.sandbox import Message
from storage.records import DigestContent, Post
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.storage.records import button_event

LAST_WEEK = datetime.now(UTC) - timedelta(weeks=1)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path, digest={"timezone": "UTC"}) as harness:
        yield harness


async def voted(
    harness: BotInWorkspace, number: int, vote: str = "up", at: datetime = LAST_WEEK, question: str = ""
) -> Message:
    """A card on which ana voted at a time."""
    trace_id = f"tr-{number}"
    inputs = {"question": question or f"Question {number}?"}
    await harness.send({"trace_id": trace_id, "inputs": inputs, "outputs": "Go away."})
    card = await harness.card(trace_id)
    event = button_event(harness.ana.id, vote, f"{at.timestamp():.6f}")
    await harness.bot.database.feedback.note(card.channel, card.ts, event)
    return card


async def posted_digest(harness: BotInWorkspace, week: str = "") -> Message:
    """Let the digest of last week fall due, and wait until it and its replies are there."""
    week = week or week_of(LAST_WEEK.date())
    content = DigestContent(judge=JUDGE, week=week, due_ms=now_ms())
    post = Post(post_id=f"digest:{week}", channel=harness.channel.id, content=content)
    await harness.bot.database.outbox.add_digest("slot", week, post)
    harness.bot.wake_posting()
    await harness.learned()
    return digests(harness)[-1]


def digests(harness: BotInWorkspace) -> list[Message]:
    return [
        message
        for message in harness.workspace.messages(harness.channel.id)
        if (message.metadata or {}).get("event_type") == "memalign_digest"
    ]


def shown(harness: BotInWorkspace, digest: Message) -> str:
    """All words of a digest and its thread as they stand."""
    messages = harness.workspace.thread(digest.channel, digest.ts)
    return "\n".join(words(message.blocks, message.text) + message.text for message in messages)


async def test_a_digest_has_its_figures_and_rows_in_its_thread_with_links_to_the_cards(
    harness: BotInWorkspace,
) -> None:
    card = await voted(harness, 1, "down", question="Which parks are there?")
    await voted(harness, 2)
    digest = await posted_digest(harness)
    text = words(digest.blocks, digest.text)
    assert "The judge was right on 1 of 2 verdicts" in text
    assert "Which parks are there?" in text
    assert "Thanks to Ana Ruiz." in text
    [_, figures, rows] = harness.workspace.thread(digest.channel, digest.ts)
    assert "answered: 2" in figures.text
    link = f"/archives/{card.channel}/p{card.ts.replace('.', '')}"
    assert f"{link},pass,fail,1,1" in rows.text
    assert link in str(digest.blocks)
    assert "<@" not in shown(harness, digest)


async def test_a_workspace_that_does_not_know_charts_gets_the_same_figures_in_words(
    harness: BotInWorkspace,
) -> None:
    harness.slack.faults.refuse_blocks("data_visualization")
    for number in range(20):
        weeks = timedelta(weeks=number // 10)
        await voted(harness, number, "down" if number < 3 else "up", LAST_WEEK - weeks)
    digest = await posted_digest(harness)
    refused = [call for call in harness.slack.calls if call.error == "invalid_blocks"]
    assert (len(refused), len(digests(harness))) == (1, 1)
    assert "*Judge* · " in str(digest.blocks)
    assert "70%" in str(digest.blocks)
    [answer] = await harness.asked(harness.ana, "digest last")
    assert "*Judge* · " in answer
    assert [each.error for each in harness.slack.responses if each.error] == []


async def test_an_answer_with_a_chart_that_is_refused_is_sent_once_more_in_words(
    harness: BotInWorkspace,
) -> None:
    harness.slack.faults.refuse_blocks("data_visualization")
    for number in range(20):
        await voted(harness, number, at=LAST_WEEK - timedelta(weeks=number // 10))
    for text in ("digest last", "stats"):
        [answer] = await harness.asked(harness.ana, text)
        assert "*Judge* · " in answer
    assert [each.error for each in harness.slack.responses] == ["invalid_blocks", None, None]


async def test_a_quiet_week_is_one_line_without_a_thread(harness: BotInWorkspace) -> None:
    digest = await posted_digest(harness)
    assert "a quiet week" in digest.text
    assert len(digest.text.splitlines()) == 1
    assert harness.workspace.thread(digest.channel, digest.ts)[1:] == []


async def test_a_forgotten_trace_leaves_the_digest_and_its_thread(harness: BotInWorkspace) -> None:
    await voted(harness, 1, "down", question="Where does Zebedee live?")
    await voted(harness, 2)
    digest = await posted_digest(harness)
    assert "Zebedee" in shown(harness, digest)
    await harness.asked(harness.ana, "forget tr-1 --yes")
    await harness.until(lambda: "Zebedee" not in shown(harness, digest))
    await harness.until(lambda: "right on 1 of 1 verdict" in shown(harness, digest))
    await harness.until(lambda: "answered: 1" in shown(harness, digest))
    assert "<!" not in shown(harness, digest)
    assert len(digests(harness)) == 1


async def test_a_forgotten_person_leaves_the_digest(harness: BotInWorkspace) -> None:
    card = await voted(harness, 1)
    event = button_event(harness.ben.id, "up", f"{LAST_WEEK.timestamp():.6f}")
    await harness.bot.database.feedback.note(card.channel, card.ts, event)
    await harness.learned()
    digest = await posted_digest(harness)
    assert "Thanks to Ana Ruiz and Ben Okafor." in shown(harness, digest)
    await harness.asked(harness.ben, f"forget --person <@{harness.ben.id}> --yes")
    await harness.until(lambda: "Ben Okafor" not in shown(harness, digest))
    assert "Thanks to Ana Ruiz." in shown(harness, digest)


async def test_a_value_in_a_reply_is_an_answer_after_which_the_card_waits_no_more(
    harness: BotInWorkspace,
) -> None:
    for name in ("plain", "waiting"):
        await harness.show(name)
    harness.reply(await harness.card("plain"), "It should fail, for it sends people away.")
    await harness.learned()
    (told,) = await harness.asked(harness.ana, "digest")
    assert "1 card waits for a first answer." in told
    assert "Answer one now" in told
    harness.reply(await harness.card("waiting"), "This passes: it is short.")
    await harness.learned()
    (told,) = await harness.asked(harness.ana, "digest")
    assert "of 2 verdicts" in told
    assert "waits" not in told


async def test_the_button_below_offers_open_cards_to_the_person_who_presses_it(
    harness: BotInWorkspace,
) -> None:
    await voted(harness, 1)
    for number in range(2, 7):
        await harness.send({"trace_id": f"tr-{number}", "inputs": f"Question {number}?", "outputs": "x"})
        await harness.card(f"tr-{number}")
    digest = await posted_digest(harness)
    assert "5 cards wait for a first answer." in digest.text
    press = harness.slack.interactions.click(
        harness.ben.id, digest.channel, digest.ts, "answer_open_cards", None
    )
    answer = await harness.ephemeral_answer(press, harness.ben)
    assert "these three cards" in answer
    assert answer.count("Question") == 3
    assert "pass" not in answer


async def test_the_button_offers_the_cards_that_wait_and_others_only_without_any(
    harness: BotInWorkspace,
) -> None:
    await voted(harness, 1, question="Is it answered?")
    waiting = await harness.show("waiting", "Please wait.")
    digest = await posted_digest(harness)
    assert "1 card waits for a first answer." in digest.text

    async def offered() -> str:
        press = harness.slack.interactions.click(
            harness.ben.id, digest.channel, digest.ts, "answer_open_cards", None
        )
        return await harness.ephemeral_answer(press, harness.ben)

    answer = await offered()
    assert ("Can you help me?" in answer, "Is it answered?" in answer) == (True, False)
    harness.react(waiting, "+1", by=harness.ben)
    await harness.learned()
    answer = await offered()
    assert ("Can you help me?" in answer, "Is it answered?" in answer) == (False, True)


async def test_the_figures_of_a_life_are_told_for_the_judges_of_ones_channels(
    harness: BotInWorkspace,
) -> None:
    await voted(harness, 1)
    [answer] = await harness.asked(harness.ana, "stats")
    assert "• In all: The judge was right on 1 of 1 verdict, by 1 person" in answer
    [answer] = await harness.asked(harness.ana, "stats Politeness")
    assert "*Politeness* · judging since" in answer
    [answer] = await harness.asked(harness.ana, "stats politenes")
    assert "Did you mean" in answer
