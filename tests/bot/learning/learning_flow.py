"""The learning worker on a store, a fake Slack and fake models."""

from collections.abc import Callable, Mapping, Sequence

from bot.learning.feedback_gatherer import FeedbackGatherer
from bot.learning.teach_access import TeachAccess
from bot.learning.thread_status_reader import ThreadStatusReader
from bot.learning.thread_updater import ThreadUpdater
from bot.learning.worker import LearningWorker
from bot.runtime.health import HealthRegistry
from bot.runtime.metrics import Metrics
from bot.slack.channel_members import ChannelMembers
from bot.slack.identity import IdentityLookup
from bot.slack.users import People
from memalign.judge_memory import JudgeMemory
from memalign.models.llm_distiller import LLMDistiller
from memalign.optimizer import make_judge
from memalign.value_types import FeedbackValueType
from storage.database import Database
from storage.records import StatusContent
from tests.bot.fakes import FakeSlack, Wakes
from tests.factories import POLITENESS, a_memory, a_trace
from tests.fakes import FakeEmbedder, FakeModel
from tests.storage.records import at, posted, reaction_event, reply_event

JUDGE, CHANNEL = "politeness", "C1"
LATER_MS = 10**15
"""Long after any event of the tests."""


class LearningFlow:
    """The store, memory and workers of a test of learning."""

    def __init__(self, database: Database, memories: Mapping[str, JudgeMemory], model: FakeModel) -> None:
        self.database = database
        self.memories = memories
        self.model = model
        self.slack = FakeSlack()
        self.health = HealthRegistry()
        self.posting = Wakes()
        self.people = People(self.slack, IdentityLookup(self.slack))
        self.reader = ThreadStatusReader(database, memories, self.people)
        self.updater = ThreadUpdater(self.slack, database, self.reader, self.health, self.posting)
        self.worker = self.worker_of(memories)

    def worker_of(self, memories: Mapping[str, JudgeMemory]) -> LearningWorker:
        """Another worker on the same store and Slack."""
        people = People(self.slack, IdentityLookup(self.slack))
        gatherer = FeedbackGatherer(
            self.database, TeachAccess("members", people, ChannelMembers(self.slack), self.database)
        )
        return LearningWorker(
            self.database,
            memories,
            gatherer,
            self.updater,
            self.health,
            Metrics(),
            reflection_model=self.model.name,
            quiet_seconds=0.0,
        )

    @property
    def memory(self) -> JudgeMemory:
        """The memory of the judge that most tests have alone."""
        return self.memories[JUDGE]

    async def card(
        self, trace_id: str = "tr-1", judge: str = JUDGE, guideline_ids: tuple[str, ...] = ()
    ) -> str:
        """A card in Slack whose verdict is true, and rests on these guidelines; its ts."""
        ts = card_ts(trace_id)
        await self.database.traces.add([(a_trace(trace_id), [judge])], 0, 1000)
        await posted(self.database, trace_id, judge, CHANNEL, ts, guideline_ids)
        return ts

    async def react(
        self, ts: str, name: str, person: str = "ana", live: bool = True, after: float = 0.0
    ) -> None:
        await self.database.feedback.note(CHANNEL, ts, reaction_event(person, name, live, at(after)))

    async def reply(self, ts: str, text: str | None, person: str = "ana", after: float = 0.0) -> None:
        event = reply_event(person, reply_ts(ts, person), text, at(after))
        await self.database.feedback.note(CHANNEL, ts, event)

    async def learn(self) -> int:
        return await self.worker.learn_pending()

    async def waiting(self) -> int:
        return await self.database.feedback.waiting()

    async def is_done(self) -> bool:
        return not await self.waiting()

    def is_learned(self, trace_id: str) -> Callable[[], bool]:
        return lambda: trace_id in self.labels()

    def labels(self) -> dict[str, object]:
        return {trace_id: episode.label for trace_id, episode in self.memory.episodes.items()}

    def rules(self) -> list[str]:
        return [rule.text for rule in self.memory.guidelines]

    async def thread_texts(self) -> list[str]:
        """The statuses that the outbox holds for threads, as they would be posted now."""
        posts = await self.database.outbox.next_due(LATER_MS)
        rendered = [
            await self.reader.render_post(post.verdict_id or "")
            for post in posts
            if isinstance(post.content, StatusContent)
        ]
        return [message.text for message in rendered if message is not None]

    async def taught(self, rule: str, trace_id: str = "tr-1", people: Sequence[str] = ("ana",)) -> str:
        """Teach a rule on a card with thumbs down and reasons, its lesson in Slack; returns the card's ts."""
        ts = await self.card(trace_id)
        for person in people:
            await self.react(ts, "-1", person)
            await self.reply(ts, rule, person)
        await self.learn()
        await self.post_all()
        return ts

    async def post_all(self) -> list[str]:
        """Let everything in the outbox arrive, and edit what is due; the texts that were posted."""
        texts = []
        while posts := await self.database.outbox.next_due(LATER_MS):
            for post in posts:
                message = await self.reader.render_post(post.verdict_id or "")
                if message is None:
                    await self.database.outbox.drop(post.post_id)
                    continue
                answer = await self.slack.chat_postMessage(
                    channel=post.channel, thread_ts=post.thread_ts, text=message.text
                )
                await self.database.outbox.start(post.post_id)
                await self.database.outbox.done(post.post_id, str(answer["ts"]))
                texts.append(message.text)
        await self.updater.update_due()
        return texts

    async def thread(self, ts: str) -> str:
        """The status in a card's thread as Slack shows it, after all that is due."""
        await self.post_all()
        [message] = [each for each in self.slack.messages if each.get("thread_ts") == ts]
        edits = [call["text"] for call in self.slack.of("chat.update") if call["ts"] == message["ts"]]
        return str([message["text"], *edits][-1])


def card_ts(trace_id: str) -> str:
    """The ts of a trace's card."""
    return f"{1_600_000_000 + int(trace_id[3:])}.000100"


def reply_ts(card_ts: str, person: str) -> str:
    """The ts of a person's one reply under a card."""
    return f"{float(card_ts) + 1 + sum(map(ord, person)):.6f}"


async def learning_flow(
    database: Database, *judges: str, value_type: FeedbackValueType = bool
) -> LearningFlow:
    """Build the flow, with a fresh memory for each judge."""
    model = FakeModel()
    memories = {
        judge: await a_memory(
            make_judge(name=judge, instructions=POLITENESS, feedback_value_type=value_type),
            embedder=FakeEmbedder(),
            distiller=LLMDistiller(model),
            store=database.memories,
        )
        for judge in judges or (JUDGE,)
    }
    return LearningFlow(database, memories, model)
