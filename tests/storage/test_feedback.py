from storage.database import Database
from storage.records import PendingFeedback, PersonFeedback, Reply, Timestamped
from tests.storage.records import (
    NOON_MS,
    at,
    button_event,
    correction_event,
    judged,
    posted,
    reaction_event,
    reply_event,
)

LATER_MS = NOON_MS + 10_000_000


async def test_facts_of_all_kinds_are_kept_by_person(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    assert await db.feedback.note("C1", "1.1", reaction_event("U1", "+1", True, at(1))) == verdict_id
    assert await db.feedback.note("C1", "1.1", button_event("U1", "down", at(2))) == verdict_id
    assert await db.feedback.note("C1", "1.1", correction_event("U2", 4, at(3))) == verdict_id
    assert await db.feedback.note("C1", "1.1", reply_event("U2", "5.5", "because", at(4))) == verdict_id
    assert await db.feedback.of(verdict_id) == {
        "U1": PersonFeedback(
            reactions={"+1": Timestamped(value=True, at=at(1))}, button=Timestamped(value="down", at=at(2))
        ),
        "U2": PersonFeedback(
            correction=Timestamped(value=4, at=at(3)), replies={"5.5": Reply(text="because", at=at(4))}
        ),
    }


async def test_a_message_that_is_no_card_is_not_ours(db: Database) -> None:
    await posted(db, ts="1.1")
    assert await db.feedback.note("C1", "9.9", reaction_event("U1", "+1", True, at())) is None
    assert await db.feedback.note("C2", "1.1", reaction_event("U1", "+1", True, at())) is None
    assert await db.feedback.waiting() == 0


async def test_a_change_raises_the_revision_and_waits_to_be_learned(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(0)))
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(2)))
    verdict = await db.verdicts.get(verdict_id)
    assert verdict is not None
    assert verdict.revision == 2
    assert await db.feedback.pending(LATER_MS, 0) == [
        PendingFeedback(
            verdict_id=verdict_id, trace_id="tr-1", judge="polite", revision=2, since_ms=NOON_MS + 2000
        )
    ]


async def test_what_changes_nothing_waits_for_nothing(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", reaction_event("U1", "+1", False, at(0)))
    await db.feedback.note("C1", "1.1", reply_event("U1", "5.5", None, at(0)))
    await db.feedback.note("C1", "1.1", button_event("U1", None, at(0)))
    assert await db.feedback.waiting() == 0
    await db.feedback.note("C1", "1.1", reaction_event("U1", "-1", True, at(1)))
    assert await db.feedback.learned(verdict_id, 1)
    await db.feedback.note("C1", "1.1", reaction_event("U1", "-1", True, at(1)))
    await db.feedback.note("C1", "1.1", reaction_event("U1", "-1", True, at(9)))
    await db.feedback.note("C1", "1.1", reaction_event("U1", "-1", False, at(0.5)))
    assert await db.feedback.waiting() == 0


async def test_a_repeated_thumb_outdates_a_removal_that_comes_late(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    for live, when in ((True, 1), (True, 3), (False, 2)):
        await db.feedback.note("C1", "1.1", reaction_event("U1", "+1", live, at(when)))
    by_person = await db.feedback.of(verdict_id)
    assert by_person["U1"].reactions["+1"] == Timestamped(value=True, at=at(3))


async def test_learning_waits_for_quiet_and_takes_the_oldest_first(db: Database) -> None:
    first, second = await posted(db, "a", ts="1.1"), await posted(db, "b", ts="2.2")
    await db.feedback.note("C1", "2.2", button_event("U1", "up", at(1)))
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(5)))

    async def quiet_for(quiet_ms: int) -> list[str]:
        return [each.verdict_id for each in await db.feedback.pending(NOON_MS, quiet_ms)]

    assert await quiet_for(60_000) == []
    assert await quiet_for(0) == [second, first]
    await db.feedback.note("C1", "2.2", button_event("U1", "down", at(20)))
    assert await quiet_for(60_000) == []
    assert await quiet_for(0) == [first, second]


async def test_an_older_event_that_comes_late_does_not_shorten_the_quiet(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(20)))
    await db.feedback.note("C1", "1.1", reply_event("U1", "5.5", "because", at(1)))
    [waiting] = await db.feedback.pending(LATER_MS, 0)
    assert (waiting.verdict_id, waiting.since_ms) == (verdict_id, NOON_MS + 20_000)


async def test_learning_an_outdated_revision_leaves_the_mark(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(0)))
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(1)))
    assert not await db.feedback.learned(verdict_id, 1)
    assert await db.feedback.waiting() == 1
    assert await db.feedback.learned(verdict_id, 2)
    assert await db.feedback.waiting() == 0
    assert not await db.feedback.learned(verdict_id, 2)


async def test_a_person_is_found_in_all_verdicts_touched(db: Database) -> None:
    first = await posted(db, "a", ts="1.1")
    await posted(db, "b", ts="2.2")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(0)))
    await db.feedback.note("C1", "2.2", button_event("U2", "up", at(0)))
    assert [each.verdict_id for each in await db.feedback.of_person("U1")] == [first]
    assert await db.feedback.of_person("U") == []


async def test_facts_about_a_card_not_yet_recorded_are_kept_for_it(db: Database) -> None:
    verdict_id = await judged(db)
    [post] = await db.outbox.next_due(NOON_MS)
    await db.outbox.start(post.post_id)
    assert await db.feedback.note("C1", "7.7", reaction_event("U1", "+1", True, at(1))) is None
    assert await db.feedback.note("C1", "7.7", reaction_event("U1", "+1", False, at(2))) is None
    assert await db.feedback.note("C1", "7.7", reply_event("U2", "8.8", "because", at(3))) is None
    assert await db.feedback.note("C1", "6.6", reply_event("U3", "8.9", "small talk", at(3))) is None
    await db.outbox.done(post.post_id, "7.7")
    by_person = await db.feedback.of(verdict_id)
    assert set(by_person) == {"U1", "U2"}
    assert by_person["U1"].reactions["+1"].value is False
    assert by_person["U2"].replies["8.8"].text == "because"
    assert await db.feedback.waiting() == 1


async def test_parked_facts_go_when_no_post_is_on_its_way(db: Database) -> None:
    verdict_id = await judged(db)
    [post] = await db.outbox.next_due(NOON_MS)
    await db.outbox.start(post.post_id)
    await db.feedback.note("C1", "7.7", reaction_event("U1", "+1", True, at(1)))
    await db.outbox.retry(post.post_id, 0, "refused")
    await db.outbox.start(post.post_id)
    await db.outbox.done(post.post_id, "7.7")
    assert await db.feedback.of(verdict_id) == {}


async def test_facts_are_parked_only_for_the_channel_that_is_posted_to(db: Database) -> None:
    verdict_id = await judged(db, channel="C2")
    await judged(db, "tr-2")
    for post in await db.outbox.next_due(NOON_MS):
        if post.channel == "C1":
            await db.outbox.start(post.post_id)
    await db.feedback.note("C2", "7.7", reaction_event("U1", "+1", True, at(1)))
    [post] = await db.outbox.next_due(NOON_MS)
    await db.outbox.start(post.post_id)
    await db.outbox.done(post.post_id, "7.7")
    assert await db.feedback.of(verdict_id) == {}


async def test_feedback_of_excluded_people_is_kept_and_counts_nowhere(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", reaction_event("U1", "+1", True, at(1)))
    await db.feedback.note("C1", "1.1", reaction_event("U2", "-1", True, at(2)))
    assert await db.feedback.exclude("U2", NOON_MS)
    assert set(await db.feedback.of(verdict_id)) == {"U1"}
    assert set(await db.feedback.all_of(verdict_id)) == {"U1", "U2"}
    [(_, counted)] = await db.feedback.voted_between("polite", NOON_MS - 10_000, NOON_MS + 10_000)
    assert set(counted) == {"U1"}
    assert [verdict.verdict_id for verdict in await db.feedback.of_person("U2")] == [verdict_id]


async def test_excluding_and_including_again_wait_to_be_learned_once_each(db: Database) -> None:
    verdict_id = await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", reaction_event("U1", "+1", True, at(1)))
    assert not await db.feedback.include("U1", NOON_MS)
    for change in (db.feedback.exclude, db.feedback.include):
        [pending] = await db.feedback.pending(LATER_MS, 0)
        await db.feedback.learned(verdict_id, pending.revision)
        assert await change("U1", NOON_MS)
        assert not await change("U1", NOON_MS)
        assert [each.verdict_id for each in await db.feedback.pending(LATER_MS, 0)] == [verdict_id]
    assert set(await db.feedback.of(verdict_id)) == {"U1"}


async def test_of_a_forgotten_person_no_exclusion_is_kept(db: Database) -> None:
    await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", reaction_event("U1", "+1", True, at(1)))
    await db.feedback.exclude("U1", NOON_MS)
    await db.forgetting.delete_person("U1", NOON_MS)
    assert not await db.feedback.include("U1", NOON_MS)
    assert await db.feedback.people("", 10) == []


async def test_people_with_feedback_are_listed_page_by_page(db: Database) -> None:
    for number in range(3):
        await posted(db, f"tr-{number}", ts=f"{number}.1")
        for person in ("U1", "U10", "U2"):
            await db.feedback.note("C1", f"{number}.1", reaction_event(person, "+1", True, at(1)))
    assert await db.feedback.people("", 2) == ["U1", "U10"]
    assert await db.feedback.people("U10", 2) == ["U2"]
    assert await db.feedback.people("U2", 2) == []
