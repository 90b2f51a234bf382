"""Settings of judges that are others than at the last start: noted, told in the channel, or a renaming is offered."""

import logging

from bot.config import JudgeSettings, Settings
from bot.judge_names import RenamingOffer
from bot.judging.value_problems import stored_labels, value_problem
from bot.runtime.clock import now_ms
from memalign.value_types import value_type_of
from storage.database import Database
from storage.judge_settings import JudgeFingerprint
from storage.records import NoticeContent, Post

log = logging.getLogger(__name__)


async def note_settings(settings: Settings, database: Database) -> None:
    """Note the settings of all judges; the channel of one whose instructions were changed is told once.

    Raises `StorageError`.
    """
    for judge in settings.judges:
        fingerprint, at_ms = fingerprint_of(judge, settings), now_ms()
        notice = Post(
            post_id=f"instructions:{judge.name}:{at_ms}",
            channel=judge.channel,
            content=NoticeContent(notice="instructions_changed", judge=judge.name),
        )
        if await database.judge_settings.note(judge.name, fingerprint, notice, at_ms):
            log.info("the instructions of %s were changed; what it has learned stays", judge.name)


def fingerprint_of(judge: JudgeSettings, settings: Settings) -> JudgeFingerprint:
    """Return the settings of a judge on which its learning rests."""
    return JudgeFingerprint(
        feedback_value_type=value_type_of(judge.feedback_value_type, judge.range).setting,
        value_range=judge.range,
        instructions=judge.instructions,
        embedding_model=settings.memory.embedding_model,
        embedding_dim=settings.memory.embedding_dim,
    )


async def renaming_offers(settings: Settings, database: Database) -> tuple[RenamingOffer, ...]:
    """Return for each judge that the settings name no more the names it may have now. Raises `StorageError`."""
    learned = {judge.name: judge for judge in await database.judges.learned()}
    renamed = await database.judge_names.renamed()
    new = [judge for judge in settings.judges if judge.name not in learned]
    offers = []
    for name, stored in learned.items():
        if name in settings.titles or not new:
            continue
        labels = await stored_labels(database, name)
        candidates = tuple(
            judge.name
            for judge in new
            # its learning was put aside under this name, to let the judge begin anew
            if renamed.get(judge.name) != name and value_problem(judge, labels) is None
        )
        if candidates:
            offer = RenamingOffer(
                old=name, guidelines=stored.guidelines, cases=stored.cases, candidates=candidates
            )
            offers.append(offer)
    return tuple(offers)
