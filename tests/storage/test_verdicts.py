from dataclasses import replace

from storage.database import Database
from storage.feedback_events import as_of
from storage.records import StoredVerdict
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.storage.records import (
    DAY,
    NOON_MS,
    at,
    button_event,
    card,
    judged,
    posted,
    reply_event,
    trace,
    verdict,
)

HOUR_MS = 3_600_000


async def test_an_id_follows_from_judge_and_trace() -> None:
    assert verdict_id_of("polite", "tr-1") == verdict_id_of("polite", "tr-1")
    ids = {verdict_id_of("polite", "tr-1"), verdict_id_of("p", "olitetr-1"), verdict_id_of("polite", "tr-2")}
    assert len(ids) == 3
    assert all(len(each) == 22 and each.startswith("v-") for each in ids)


async def test_keeping_stores_the_verdict_its_card_and_the_count_and_ends_the_job(db: Database) -> None:
    verdict_id = await judged(db)
    assert await db.verdicts.get(verdict_id) == StoredVerdict(
        verdict_id=verdict_id, verdict=verdict(), judged_ms=NOON_MS, channel="C1"
    )
    assert await db.outbox.next_due(NOON_MS) == [card()]
    assert await db.verdicts.shown_on("C1", DAY) == 1
    assert await db.traces.waiting() == 0


async def test_a_second_verdict_of_the_judge_on_the_trace_changes_nothing(db: Database) -> None:
    verdict_id = await judged(db)
    await db.outbox.drop(card().post_id)
    again = verdict(rationale="On second thoughts.")
    assert not await db.verdicts.keep(again, channel="C2", judged_ms=NOON_MS + 1, day=DAY)
    stored = await db.verdicts.get(verdict_id)
    assert stored is not None
    assert stored.verdict == verdict()
    assert await db.outbox.waiting() == 0
    assert await db.verdicts.shown_on("C1", DAY) == 1
    assert await db.verdicts.shown_on("C2", DAY) == 0


async def test_a_trace_forgotten_while_it_was_judged_gets_no_verdict(db: Database) -> None:
    await db.traces.add([(trace(), ["polite"])], 1, 10)
    await db.forgetting.delete_traces(["tr-1"])
    assert not await db.verdicts.keep(verdict(), channel="C1", judged_ms=1, day=DAY)
    assert await db.verdicts.of_trace("tr-1") == []
    assert await db.outbox.waiting() == 0


async def test_a_job_whose_verdict_is_not_taken_goes(db: Database) -> None:
    await judged(db)
    await db.traces.add([(trace("other"), ["polite"])], 1, 10)
    assert not await db.verdicts.keep(verdict(), channel="C1", judged_ms=1, day=DAY)
    assert await db.verdicts.keep(verdict("other"), channel="C1", judged_ms=1, day=DAY)
    assert await db.traces.waiting() == 0


async def test_verdicts_are_found_by_the_evidence_that_was_shown(db: Database) -> None:
    ids = {}
    for trace_id, cases, rules in (
        ("a", ("x", "y"), ()),
        ("b", (), ("x",)),
        ("c", ("z",), ("g",)),
        ("d", (), ()),
    ):
        shown = replace(verdict(trace_id), retrieved_trace_ids=cases, shown_guideline_ids=rules)
        await db.verdicts.keep(shown, channel="C1", judged_ms=1, day=DAY)
        ids[trace_id] = verdict_id_of("polite", trace_id)

    async def verdict_ids(trace_ids: set[str], guideline_ids: set[str]) -> set[str]:
        return {each.verdict_id for each in await db.verdicts.shown_evidence(trace_ids, guideline_ids)}

    assert await verdict_ids({"x"}, set()) == {ids["a"]}
    assert await verdict_ids(set(), {"x"}) == {ids["b"]}
    assert await verdict_ids({"x", "y", "z"}, {"g"}) == {ids["a"], ids["c"]}
    assert await verdict_ids(set(), set()) == set()
    await db.forgetting.delete_traces(["a"])
    assert await verdict_ids({"x", "y"}, set()) == set()


async def test_cards_are_counted_by_channel_and_day(db: Database) -> None:
    await judged(db, "a")
    await judged(db, "b")
    await judged(db, "c", channel="C2")
    assert await db.verdicts.shown_on("C1", DAY) == 2
    assert await db.verdicts.shown_on("C2", DAY) == 1
    assert await db.verdicts.shown_on("C1", "2023-11-15") == 0


async def test_verdicts_are_found_by_trace_by_card_and_by_judge(db: Database) -> None:
    first = await posted(db, "tr-1", ts="100.1")
    second = await judged(db, "tr-2", judged_ms=NOON_MS + 5)
    other = await posted(db, "tr-3", judge="curt", channel="C2", ts="100.1")
    assert [each.verdict_id for each in await db.verdicts.of_trace("tr-1")] == [first]
    by_card = await db.verdicts.by_card("C1", "100.1")
    assert by_card is not None
    assert (by_card.verdict_id, by_card.message_ts) == (first, "100.1")
    assert await db.verdicts.by_card("C1", "999.9") is None
    assert [each.verdict_id for each in await db.verdicts.recent("polite", 5)] == [second, first]
    assert [each.verdict_id for each in await db.verdicts.recent("polite", 1)] == [second]
    assert [each.verdict_id for each in await db.verdicts.recent("curt", 5)] == [other]
    assert await db.verdicts.recent("polit", 5) == []


async def test_one_trace_can_have_a_verdict_of_each_judge(db: Database) -> None:
    await db.traces.add([(trace(), ["polite", "curt"])], 1, 10)
    for judge in ("polite", "curt"):
        assert await db.verdicts.keep(verdict(judge=judge), channel="C1", judged_ms=1, day=DAY)
    assert [each.verdict.judge for each in await db.verdicts.of_trace("tr-1")] == ["curt", "polite"]


async def test_all_verdicts_come_page_by_page_each_once(db: Database) -> None:
    ids = sorted([await judged(db, f"tr-{number}") for number in range(7)])
    first = await db.verdicts.page(limit=3)
    second = await db.verdicts.page(first[-1].verdict_id, 3)
    third = await db.verdicts.page(second[-1].verdict_id, 3)
    assert [each.verdict_id for page in (first, second, third) for each in page] == ids
    assert await db.verdicts.page(third[-1].verdict_id, 3) == []


async def test_votes_are_found_by_the_time_of_any_fact(db: Database) -> None:
    early = await posted(db, "early", ts="1.1")
    late = await posted(db, "late", ts="2.2")
    await posted(db, "silent", ts="3.3")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(0)))
    await db.feedback.note("C1", "2.2", button_event("U1", "up", at(24 * 3600)))
    await db.feedback.note("C1", "1.1", reply_event("U2", "9.9", "why", at(48 * 3600)))
    day = 24 * HOUR_MS

    async def between(start: int, end: int) -> list[str]:
        return sorted(each.verdict_id for each, _ in await db.feedback.voted_between("polite", start, end))

    assert await between(NOON_MS, NOON_MS + 1) == [early]
    assert await between(NOON_MS - day, NOON_MS) == []
    assert await between(NOON_MS + 1, NOON_MS + day + 1) == [late]
    assert await between(NOON_MS + 2 * day, NOON_MS + 3 * day) == [early]
    assert await between(0, NOON_MS + 9 * day) == sorted([early, late])
    assert await db.feedback.voted_between("curt", 0, NOON_MS + 9 * day) == []


async def test_a_vote_changed_later_is_found_at_both_times_with_what_stood_then(db: Database) -> None:
    await posted(db, ts="1.1")
    await db.feedback.note("C1", "1.1", button_event("U1", "up", at(0)))
    await db.feedback.note("C1", "1.1", button_event("U1", "down", at(7 * 24 * 3600)))
    week = 7 * 24 * HOUR_MS
    for start, button in ((NOON_MS, "up"), (NOON_MS + week, "down")):
        [(_, by_person)] = await db.feedback.voted_between("polite", start, start + HOUR_MS)
        stood = as_of(by_person["U1"], start + HOUR_MS).button
        assert stood is not None
        assert stood.value == button
    assert await db.feedback.voted_between("polite", NOON_MS + HOUR_MS, NOON_MS + week) == []


async def test_cards_are_counted_by_the_time_of_their_message_and_by_judge(db: Database) -> None:
    for number, ts in enumerate(("10.5", "11.5", "12.5")):
        await posted(db, f"tr-{number}", ts=ts)
    await judged(db, "tr-9")
    counts = [
        await db.verdicts.posted_between(judge, 10_500, end_ms)
        for judge, end_ms in (("polite", 12_500), ("polite", 12_501), ("curt", 12_501))
    ]
    assert counts == [2, 3, 0]


async def test_a_click_finds_the_verdict_its_message_shows_or_the_one_named_until_that_is_shown(
    db: Database,
) -> None:
    verdict_id = await judged(db)
    named = await db.verdicts.clicked("C1", ["1.1"], verdict_id)
    assert named is not None
    assert (named.verdict_id, named.message_ts) == (verdict_id, None)
    shown_id = await posted(db, "tr-2", ts="2.2")
    for timestamps in (["2.2"], ["9.9", "2.2"]):
        shown = await db.verdicts.clicked("C1", timestamps, "")
        assert shown is not None
        assert (shown.verdict_id, shown.message_ts) == (shown_id, "2.2")
    assert await db.verdicts.clicked("C1", ["9.9"], shown_id) is None
    assert await db.verdicts.clicked("C2", ["2.2"], "") is None


async def test_a_blind_card_is_told_from_others_and_waits_once_somebody_did_anything(db: Database) -> None:
    await db.traces.add([(trace(), ["polite"])], 1, 10)
    assert await db.verdicts.keep(verdict(), channel="C1", judged_ms=1, day=DAY, is_blind=True)
    other = await posted(db, "tr-2", ts="100.2")
    stored = await db.verdicts.of_judge("polite", "tr-1")
    assert stored is not None
    assert stored.is_hidden
    await db.outbox.start(card_post_id_of(stored.verdict_id))
    await db.outbox.done(card_post_id_of(stored.verdict_id), "100.1")
    assert await db.verdicts.outdated_blind_cards() == []
    await db.feedback.note("C1", "100.1", button_event("U1", "unsure", at(1)))
    await db.feedback.note("C1", "100.2", button_event("U1", "up", at(1)))
    assert [each.verdict_id for each in await db.verdicts.outdated_blind_cards()] == [stored.verdict_id]
    shown = await db.verdicts.get(other)
    assert shown is not None
    assert not shown.is_hidden
    assert await db.feedback.reveal(other, at(9), 1) is None


async def test_a_reveal_counts_from_the_last_thing_that_people_did_before_it_and_happens_once(
    db: Database,
) -> None:
    await db.traces.add([(trace(), ["polite"])], 1, 10)
    await db.verdicts.keep(verdict(), channel="C1", judged_ms=1, day=DAY, is_blind=True)
    verdict_id = verdict_id_of("polite", "tr-1")
    await db.outbox.start(card_post_id_of(verdict_id))
    await db.outbox.done(card_post_id_of(verdict_id), "100.1")
    await db.feedback.note("C1", "100.1", button_event("U1", "unsure", at(7)))
    revealed = await db.feedback.reveal(verdict_id, at(5), 1)
    assert revealed is not None
    assert (revealed.is_hidden, revealed.revealed_at) == (False, at(7))
    assert await db.verdicts.get(verdict_id) == revealed
    assert await db.feedback.reveal(verdict_id, at(9), 1) is None
    assert await db.verdicts.outdated_blind_cards() == []
    assert [each.revision for each in await db.feedback.pending_of("polite")] == [revealed.revision]
    assert await db.feedback.reveal("unknown", at(9), 1) is None


async def test_a_number_that_is_none_does_not_make_a_trace_grow(db: Database) -> None:
    odd = trace(outputs={"score": float("nan")})
    await db.traces.add([(odd, ["polite"])], NOON_MS, 10)
    seen = await db.traces.get("tr-1")
    assert await db.verdicts.keep(verdict(), channel="C1", judged_ms=NOON_MS, day=DAY, judged_trace=seen)
    assert await db.traces.waiting() == 0
