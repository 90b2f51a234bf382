"""Random histories of what people do about one card: no sentence in its thread ever contradicts the memory.

The store, the memory, the worker and the renderer are the bot's own; Slack and the models are fakes.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.feedback import Feedback, all_feedback
from bot.vote_marks import votes_of
from memalign.value_types import FeedbackValueType
from storage.database import Database
from storage.records import FeedbackEvent, StoredVerdict
from tests.bot.learning.learning_flow import CHANNEL, JUDGE, LearningFlow, learning_flow, reply_ts
from tests.storage.records import at, reaction_event, reply_event

PEOPLE = ("ana", "ben", "cleo")
REASONS = (
    "The answer should never send people away.",
    "Every answer must name the next step.",
    "Answers must greet the person by name.",
    "The answer should always be judged as pass.",
)
Act: TypeAlias = tuple[str, str, int]
"""One step: the act, the person, and the thumb or the words."""
ACTS = ("react", "react", "unreact", "button", "reply", "reply", "delete", "forget", "rest")
HISTORIES = st.lists(
    st.tuples(st.sampled_from(ACTS), st.sampled_from(PEOPLE), st.integers(0, 3)), min_size=1, max_size=14
)
THUMBS = ("+1", "-1", "-1", "shrug")
BUTTONS = ("up", "down", "unsure", None)


class History:
    """Lets people act on one card, one after the other."""

    def __init__(self, flow: LearningFlow, ts: str) -> None:
        self.flow = flow
        self.ts = ts
        self.seconds = 0
        self.deletions: Counter[str] = Counter()
        """Replies that a person has deleted, which is final: they write a new one."""

    async def play(self, acts: Sequence[Act]) -> None:
        for act, person, number in acts:
            self.seconds += 1
            await self._act(act, person, number)
        await self.rest()

    async def rest(self) -> None:
        """Let all that was done be learned, posted and edited."""
        await self.flow.learn()
        await self.flow.post_all()

    async def _act(self, act: str, person: str, number: int) -> None:
        now = at(self.seconds)
        match act:
            case "react" | "unreact":
                await self._note(reaction_event(person, THUMBS[number], act == "react", now))
            case "button":
                await self._note(FeedbackEvent(person=person, kind="button", value=BUTTONS[number], at=now))
            case "reply" | "delete":
                text = REASONS[number] if act == "reply" else None
                name = reply_ts(self.ts, person + "x" * self.deletions[person])
                await self._note(reply_event(person, name, text, now))
                self.deletions[person] += act == "delete"
            case "forget":
                await self._forget(person)
            case _:
                await self.rest()

    async def _note(self, event: FeedbackEvent) -> None:
        await self.flow.database.feedback.note(CHANNEL, self.ts, event)

    async def _forget(self, person: str) -> None:
        revised = await self.flow.database.forgetting.delete_person(
            person, int(float(at(self.seconds)) * 1000)
        )
        traces = {verdict.verdict.trace_id for verdict in revised}
        self.flow.worker.invalidate(traces)
        await self.flow.memory.forget(traces)
        await self.flow.database.forgetting.finish_person(person)
        await self.flow.updater.update_due()


async def shown(flow: LearningFlow, ts: str) -> str:
    """The bot's words in the thread; empty where it has said nothing."""
    messages = [each for each in flow.slack.messages if each.get("thread_ts") == ts]
    assert len(messages) <= 1, "one message a card"
    return await flow.thread(ts) if messages else ""


def check_labels(text: str, votes: dict[str, Feedback], undecided: set[str], flow: LearningFlow) -> None:
    episode = flow.memory.episodes.get("tr-1")
    noted = [line for line in text.splitlines() if line.startswith("Noted: ")]
    assert noted == ([] if episode is None else [f"Noted: *{'pass' if episode.label else 'fail'}*."])
    values = {each.value for each in votes.values() if each.value is not None}
    assert ("Split: " in text) is (len(values) > 1)
    for person, each in votes.items():
        if each.vote == "unsure":
            assert f"{person.title()}: can't tell" in text
        elif each.value is not None and len(values) == 1:
            assert f"{person.title()}: {'pass' if each.value else 'fail'}" in text
        elif each.vote is None:
            assert f"{person.title()}: " not in text
        if f"taken back: {person.title()} removed the 👎." in text:
            assert each.vote is None
            assert person not in undecided
        if f"taken back: {person.title()} gave two different votes" in text:
            assert person in undecided


def check_rules(text: str, flow: LearningFlow) -> None:
    held = {rule.text for rule in flow.memory.guidelines if "tr-1" in rule.source_trace_ids}
    for reason in REASONS:
        told = f"Learned: “{reason}”" in text or f"Now: “{reason}”" in text
        assert told is (reason in held), (reason, text)
        if f"~“{reason}”~ taken back" in text:
            assert reason not in {rule.text for rule in flow.memory.guidelines}


def check_questions(
    text: str, votes: dict[str, Feedback], flow: LearningFlow, verdict: StoredVerdict
) -> None:
    episode = flow.memory.episodes.get("tr-1")
    overruled = episode is not None and episode.label != verdict.verdict.value
    agreeing = [each for each in votes.values() if episode is not None and each.value == episode.label]
    unanswered = overruled and not any(each.rationale for each in agreeing)
    assert ("One sentence here is enough." in text) is unanswered
    asks_value = any(each.vote == "down" and each.value is None for each in votes.values())
    assert ("What should it have been?" in text) is asks_value


async def check(flow: LearningFlow, ts: str, forgotten: set[str]) -> None:
    verdict = await flow.database.verdicts.by_card(CHANNEL, ts)
    assert verdict is not None
    people = await flow.database.feedback.of(verdict.verdict_id)
    value_type = flow.memory.definition.value_type
    votes = {each.person: each for each in all_feedback(verdict, people, value_type)}
    text = await shown(flow, ts)
    check_rules(text, flow)
    if text:
        undecided = {person for person, events in people.items() if len(votes_of(verdict, events)) > 1}
        check_labels(text, votes, undecided, flow)
        check_questions(text, votes, flow, verdict)
    else:
        assert not flow.memory.guidelines
    for person in forgotten - votes.keys():
        assert person.title() not in text


async def play(acts: Sequence[Act], value_type: FeedbackValueType = bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with await Database.open(Path(folder) / "store") as database:
            flow = await learning_flow(database, JUDGE, value_type=value_type)
            ts = await flow.card()
            history = History(flow, ts)
            await history.play(acts)
            await check(flow, ts, {person for act, person, _ in acts if act == "forget"})


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(HISTORIES)
def test_no_sentence_contradicts_the_memory_after_any_history(acts: list[Act]) -> None:
    asyncio.run(play(acts))
