"""The three first steps of a newcomer: a thumb, a reason, and seeing it learned; each ticks itself."""

from dataclasses import dataclass
from decimal import Decimal

from bot.app import Bot
from bot.sandbox.demo.recordings import JUDGE
from bot.sandbox.workspace.records import Payload
from bot.sandbox.workspace.workspace import Workspace
from bot.vote_marks import votes_of
from storage.records import PersonFeedback, StoredVerdict

NEWEST_CARDS = 20
NEWCOMER = "you"
"""The person of the page who is nobody recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """The cards that the steps lead to; None for a step that is not done yet."""

    newest: StoredVerdict | None
    """The card to begin with."""
    voted: StoredVerdict | None
    reasoned: StoredVerdict | None
    learned: StoredVerdict | None

    @property
    def are_done(self) -> bool:
        """True once a reason was learned."""
        return self.learned is not None


async def read_steps(bot: Bot, workspace: Workspace) -> FirstSteps:
    """Read how far the newcomer has come. Raises `StorageError`."""
    person = next(user.id for user in workspace.users.values() if user.name == NEWCOMER)
    acted = [
        (stored, await bot.database.feedback.by(stored.verdict_id, person) or PersonFeedback())
        for stored in await bot.database.feedback.of_person(person)
    ]
    recent = await bot.database.verdicts.recent(JUDGE, NEWEST_CARDS)
    posted = [stored for stored in recent if stored.message_ts]
    voted = [stored for stored, feedback in acted if votes_of(stored, feedback)]
    reasoned = [stored for stored, feedback in acted if _has_reason(feedback) and stored in voted]
    at_rest = not await bot.database.feedback.waiting()
    episodes = bot.memories[JUDGE].episodes
    learned = [stored for stored in reasoned if at_rest and stored.verdict.trace_id in episodes]
    return FirstSteps(
        # cards may be posted in another order than they were judged
        newest=max(posted, key=lambda stored: Decimal(stored.message_ts or 0), default=None),
        voted=voted[-1] if voted else None,
        reasoned=reasoned[-1] if reasoned else None,
        learned=learned[-1] if learned else None,
    )


def steps_payload(steps: FirstSteps) -> list[Payload]:
    """Render the steps for the page: words, whether done, and what the button does."""
    return [
        {
            "label": "Press 👍 or 👎 on a card",
            "done": steps.voted is not None,
            "button": "Show me a card",
            "go": "card",
            **_place(steps.newest),
        },
        {
            "label": "Say why in its thread",
            "done": steps.reasoned is not None,
            "button": "Open its thread",
            "go": "thread",
            **_place(steps.voted or steps.newest),
        },
        {
            "label": "See what the judge learned",
            "done": steps.are_done,
            "button": "Show what it learned",
            "go": "guidelines",
            **_place(steps.reasoned or steps.voted or steps.newest),
        },
    ]


def _has_reason(feedback: PersonFeedback) -> bool:
    return any(reply.text for reply in feedback.replies.values())


def _place(stored: StoredVerdict | None) -> Payload:
    return {} if stored is None else {"channel": stored.channel, "ts": stored.message_ts}
