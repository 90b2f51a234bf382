from pathlib import Path

import pytest

from storage.database import Database
from storage.records import AuditLine, Job, UnsampledTrace
from tests.storage.records import trace


def job(trace_id: str, judge: str = "polite", received_ms: int = 1, **more: object) -> Job:
    return Job(trace_id=trace_id, judge=judge, received_ms=received_ms, **more)  # type: ignore[arg-type]


async def test_of_an_unsampled_trace_only_a_hash_is_kept_until_it_is_as_old_as_traces_may_be(
    db: Database,
) -> None:
    unsampled = UnsampledTrace(trace_id="t")
    assert await db.traces.add([(unsampled, []), (unsampled, [])], 1, 10) == ["accepted", "duplicate"]
    assert await db.traces.add([(trace("t"), ["p"])], 2, 10) == ["duplicate"]
    assert await db.traces.get("t") is None
    assert await db.traces.delete_unsampled(1, 10) == 0
    assert await db.traces.delete_unsampled(2, 10) == 1
    assert await db.traces.add([(unsampled, [])], 3, 10) == ["accepted"]
    await db.forgetting.delete_traces(["t"])
    assert await db.traces.add([(unsampled, [])], 3, 10) == ["forgotten"]


async def test_of_a_trace_that_no_judge_will_see_any_more_only_a_hash_stays(db: Database) -> None:
    await db.traces.add([(trace("t"), ["p", "q"])], 1, 10)
    await db.verdicts.drop_job("t", "p")
    assert await db.traces.get("t") is not None
    await db.verdicts.drop_job("t", "q")
    assert await db.traces.get("t") is None
    assert await db.traces.add([(trace("t"), ["p"])], 2, 10) == ["duplicate"]


async def test_the_original_is_kept_beside_the_trace_where_it_is_given(db: Database) -> None:
    sent = trace("b", outputs="as sent")
    await db.traces.add([(trace("a"), ["p"]), (trace("b"), ["p"])], 1, 10, {1: sent})
    assert await db.traces.original("a") is None
    assert await db.traces.original("b") == sent
    assert await db.traces.get("b") == trace("b")
    await db.forgetting.delete_traces(["b"])
    assert await db.traces.original("b") is None


async def test_a_batch_is_answered_one_by_one_in_order(db: Database) -> None:
    await db.traces.add([(trace("old"), [])], 1, 10)
    await db.traces.add([(trace("gone"), [])], 1, 10)
    await db.forgetting.delete_traces(["gone"])
    batch = [(trace(each), ["polite"]) for each in ("old", "new", "new", "gone", "other")]
    assert await db.traces.add(batch, 2, 10) == [
        "duplicate",
        "accepted",
        "duplicate",
        "forgotten",
        "accepted",
    ]
    assert [each.trace_id for each in await db.traces.next_jobs(2, 10)] == ["new", "other"]


async def test_a_known_trace_is_not_changed_by_another_with_its_id(db: Database) -> None:
    await db.traces.add([(trace("t", outputs="first"), [])], 1, 10)
    await db.traces.add([(trace("t", outputs="second"), ["polite"])], 2, 10)
    assert await db.traces.get("t") == trace("t", outputs="first")
    assert [await db.traces.contains(name) for name in ("t", "T", "")] == [True, False, False]
    assert await db.traces.waiting() == 0


async def test_a_trace_for_no_judge_is_only_stored(db: Database) -> None:
    assert await db.traces.add([(trace("t"), [])], 1, 0) == ["accepted"]
    assert await db.traces.get("t") == trace("t")
    assert await db.traces.next_jobs(10, 10) == []


async def test_an_unknown_trace_is_none(db: Database) -> None:
    assert await db.traces.get("nobody") is None
    assert not await db.traces.is_forgotten("nobody")


async def test_more_work_than_may_wait_is_refused_and_not_stored(db: Database) -> None:
    batch = [
        (trace("a"), ["x"]),
        (trace("b"), ["x", "y"]),
        (trace("c"), ["x"]),
        (trace("d"), []),
        (trace("e"), ["x"]),
    ]
    assert await db.traces.add(batch, 1, 2) == ["accepted", "full", "accepted", "accepted", "full"]
    assert await db.traces.get("b") is None
    assert await db.traces.waiting() == 2
    await db.traces.drop_job("a", "x")
    assert await db.traces.add([(trace("e"), ["x"])], 1, 2) == ["accepted"]


async def test_a_judge_named_twice_has_one_job(db: Database) -> None:
    await db.traces.add([(trace("a"), ["x", "x"])], 1, 10)
    assert await db.traces.next_jobs(1, 10) == [job("a", "x")]
    assert await db.traces.waiting() == 1


async def test_jobs_come_oldest_first_and_in_the_order_of_the_batch(db: Database) -> None:
    await db.traces.add([(trace("z"), ["p"]), (trace("a"), ["p", "b"])], 5, 10)
    await db.traces.add([(trace("older"), ["p"])], 4, 10)
    jobs = await db.traces.next_jobs(100, 3)
    assert [(each.trace_id, each.judge) for each in jobs] == [("older", "p"), ("z", "p"), ("a", "b")]


async def test_a_postponed_job_waits_for_its_time_and_then_keeps_its_place(db: Database) -> None:
    await db.traces.add([(trace("a"), ["p"]), (trace("b"), ["p"])], 1, 10)
    await db.traces.postpone("a", "p", 50, "model is down")
    assert await db.traces.next_jobs(49, 10) == [job("b", "p")]
    assert await db.traces.waiting() == 2
    waited = job("a", "p", attempts=1, reason="model is down")
    assert await db.traces.next_jobs(50, 10) == [waited, job("b", "p")]
    assert await db.traces.next_jobs(50, 10) == [waited, job("b", "p")]


async def test_a_job_can_be_postponed_again_and_dropped_while_it_waits(db: Database) -> None:
    await db.traces.add([(trace("a"), ["p"])], 1, 10)
    await db.traces.postpone("a", "p", 50, "down")
    await db.traces.postpone("a", "p", 90, "still down")
    assert await db.traces.next_jobs(80, 10) == []
    jobs = await db.traces.next_jobs(90, 10)
    assert jobs == [job("a", "p", attempts=2, reason="still down")]
    await db.traces.postpone("a", "p", 200, "down")
    await db.traces.drop_job("a", "p")
    assert await db.traces.next_jobs(1000, 10) == []
    assert await db.traces.waiting() == 0


async def test_what_is_gone_is_not_brought_back_by_postponing(db: Database) -> None:
    await db.traces.postpone("nobody", "p", 5, "down")
    await db.traces.drop_job("nobody", "p")
    assert await db.traces.waiting() == 0


@pytest.mark.parametrize("odd", ["a\x00b", "half \ud800", "\x01", "with:colon", "日本"])
async def test_any_text_names_a_trace(db: Database, odd: str) -> None:
    await db.traces.add([(trace(odd), ["p"]), (trace(odd + "2"), ["p"])], 1, 10)
    await db.traces.drop_job(odd, "p")
    assert await db.traces.get(odd) == trace(odd)
    assert [each.trace_id for each in await db.traces.next_jobs(1, 10)] == [odd + "2"]
    await db.forgetting.delete_traces([odd], AuditLine(at_ms=1, what="forgotten", judge="p"))
    assert await db.traces.is_forgotten(odd)
    assert not await db.traces.is_forgotten(odd + "2")


async def test_what_is_old_unanswered_and_not_waiting_expires(db: Database) -> None:
    await db.traces.add([(trace("waits"), ["p"]), (trace("b"), []), (trace("a"), [])], 1, 10)
    await db.traces.add([(trace("young"), [])], 5, 10)
    assert await db.forgetting.delete_expired(1, 10, 9) == 0
    assert await db.forgetting.delete_expired(5, 1, 9) == 1
    assert [await db.traces.is_forgotten(each) for each in ("a", "b")] == [True, False]
    assert await db.forgetting.delete_expired(5, 10, 9) == 1
    assert await db.forgetting.delete_expired(5, 10, 9) == 0
    assert [await db.traces.get(each) is None for each in ("waits", "a", "b", "young")] == [
        False,
        True,
        True,
        False,
    ]
    assert [line.ids for line in await db.audit.between(9, 10)] == [("a",), ("b",)]


async def test_jobs_of_a_judge_are_found_past_those_of_another(db: Database) -> None:
    await db.traces.add([(trace(f"a{number}"), ["busy"]) for number in range(5)], 1, 100)
    await db.traces.add([(trace("b"), ["calm", "gone"])], 2, 100)
    await db.traces.postpone("a0", "busy", 50, "down")
    jobs = await db.traces.take_jobs(10, {"busy": 2, "calm": 3}, 9, owner="r1", lease_ms=30)
    assert [(each.trace_id, each.judge) for each in jobs] == [
        ("a1", "busy"),
        ("a2", "busy"),
        ("b", "calm"),
        ("b", "gone"),
    ]
    none = await db.traces.take_jobs(50, {"busy": 0, "calm": 0, "gone": 0}, 9, owner="r1", lease_ms=30)
    assert none == []
    released = await db.traces.take_jobs(50, {"busy": 1}, 9, owner="r1", lease_ms=30)
    assert released[0].trace_id == "a0"


async def take(db: Database, owner: str, now_ms: int = 10, *, most: int = 9) -> list[str]:
    taken = await db.traces.take_jobs(now_ms, {"p": 9}, most, owner=owner, lease_ms=30)
    return [job.trace_id for job in taken]


async def test_a_job_is_leased_to_one_replica_until_the_lease_ends(db: Database) -> None:
    await db.traces.add([(trace(f"a{number}"), ["p"]) for number in range(3)], 1, 100)
    assert await take(db, "r1", most=2) == ["a0", "a1"]
    assert await take(db, "r2") == ["a2"]
    assert await take(db, "r2", 39) == []
    assert await db.traces.renew_leases("r1", 80) == {("a0", "p"), ("a1", "p")}
    assert await take(db, "r1", 40) == ["a2"]
    assert await take(db, "r2", 80) == ["a0", "a1", "a2"]
    assert await db.traces.renew_leases("r1", 90) == set()


async def test_a_replica_that_stops_or_is_gone_gives_its_jobs_back(db: Database) -> None:
    await db.traces.add([(trace(f"a{number}"), ["p"]) for number in range(2)], 1, 100)
    assert await take(db, "r1", most=1) == ["a0"]
    assert await take(db, "r2") == ["a1"]
    assert await db.traces.lease_owners() == {"r1", "r2"}
    assert await db.traces.end_leases(["r1"]) == 1
    assert await take(db, "r3") == ["a0"]


async def test_a_job_that_is_done_put_off_or_forgotten_leaves_no_lease(db: Database) -> None:
    await db.traces.add([(trace(f"a{number}"), ["p"]) for number in range(4)], 1, 100)
    await take(db, "r1")
    await db.traces.drop_job("a0", "p")
    await db.traces.postpone("a1", "p", 20, "down")
    await db.traces.give_up(Job(trace_id="a2", judge="p", received_ms=1), "refused")
    await db.forgetting.delete_traces(["a3"])
    assert await db.traces.lease_owners() == set()
    assert await take(db, "r2", 20) == ["a1"]


async def test_the_job_that_has_waited_longest_is_known_of_each_judge_postponed_or_not(db: Database) -> None:
    assert await db.traces.oldest_jobs() == []
    await db.traces.add([(trace("a"), ["p"])], 1, 10)
    await db.traces.add([(trace("b"), ["p", "q"])], 2, 10)
    await db.traces.add([(trace("c"), ["q"])], 3, 10)
    await db.traces.postpone("a", "p", 50, "down")
    oldest = [(job.trace_id, job.judge, job.reason) for job in await db.traces.oldest_jobs()]
    assert oldest == [("a", "p", "down"), ("b", "q", None)]


async def test_the_sampling_key_is_the_stores_own_and_stays(tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "one") as one:
        first = await one.traces.sampling_key()
        assert await one.traces.sampling_key() == first
    async with await Database.open(tmp_path / "one") as again, await Database.open(tmp_path / "two") as two:
        assert await again.traces.sampling_key() == first
        assert await two.traces.sampling_key() != first
    assert len(first) == 32
