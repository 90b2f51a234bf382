"""Work after an acknowledgement, and the messages for what fails in it."""

import asyncio
import logging
import re

import pytest

from bot.blocks.primitives import SlackMessage, plain_message
from bot.listeners.after_ack import AfterAck
from bot.listeners.responses import open_view, or_error_message, show_ephemeral
from memalign.errors import StorageError
from tests.bot.fakes import ODD_ANSWERS, Answer, FakeSlack


async def test_a_failure_is_logged_and_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    async def fail() -> None:
        raise KeyError("a bug")

    async def work() -> None:
        done.append("work")

    async with asyncio.TaskGroup() as tasks:
        after_ack = AfterAck(tasks)
        with caplog.at_level(logging.ERROR):
            after_ack.run(fail())
            after_ack.run(work())
    assert done == ["work"]
    assert "KeyError: 'a bug'" in caplog.text


async def test_work_in_hand_is_waited_for_and_what_takes_longer_is_cancelled() -> None:
    done: list[str] = []

    async def quick() -> None:
        await asyncio.sleep(0)
        done.append("quick")

    async def endless() -> None:
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        after_ack = AfterAck(tasks)
        after_ack.run(quick())
        after_ack.run(endless())
        await after_ack.finish(0.05)
    assert done == ["quick"]


async def test_the_messages_of_work_that_succeeds_are_its_own() -> None:
    async def work() -> list[SlackMessage]:
        return [plain_message("done")]

    assert await or_error_message(work(), "a test") == [plain_message("done")]


async def test_an_error_with_a_remedy_is_told_as_it_is() -> None:
    async def work() -> list[SlackMessage]:
        raise StorageError("The disk is full; make room.")

    assert await or_error_message(work(), "a test") == [plain_message("The disk is full; make room.")]


async def test_a_bug_is_told_as_an_apology_with_the_id_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> list[SlackMessage]:
        raise KeyError("a bug")

    with caplog.at_level(logging.ERROR):
        [message] = await or_error_message(work(), "a test")
    error_id = re.search(r"error (\w{8})", message.text)
    assert error_id is not None
    assert error_id[1] in caplog.text
    assert "a bug" not in message.text


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
async def test_an_odd_answer_to_what_only_one_person_sees_is_logged(
    answer: Answer | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    slack = FakeSlack()
    slack.answers["views.open"].append(answer)
    slack.answers["chat.postEphemeral"].append(answer)
    await open_view(slack, "trigger", {"type": "modal"})
    await show_ephemeral(slack, "C1", "U1", plain_message("hello"))
    assert len(caplog.records) == 2
