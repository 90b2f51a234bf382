"""The weekly digest: what it counts, when it is posted."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from bot.config import DigestSettings
from bot.feedback import Feedback
from bot.records import Digest
from bot.reports.agreement import wilson_interval
from bot.reports.digest import compute_digest, read_digest
from bot.reports.weekly_digest import last_due, next_due
from bot.reports.weighted_agreement import WeightedCase, weighted_agreement
from bot.runtime.clock import week_bounds, week_of
from bot.sandbox import Message
from bot.vote_marks import Vote
from memalign.records import Label, Verdict
from memalign.serialization import from_document
from memalign.value_types import ValueType, value_type_of
from storage.database import Database
from storage.records import AuditLine, CardSelection, StoredVerdict
from storage.verdicts import card_post_id_of, verdict_id_of
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace
from tests.storage.records import reaction_event, reply_event

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = "2026-W47"


def voted(
    number: int, judged: Label, *votes: tuple[Vote | None, Label | None]
) -> tuple[StoredVerdict, list[Feedback]]:
    """A verdict and what each person says of it."""
    verdict = Verdict(judge=JUDGE, trace_id=f"tr-{number}", value=judged, rationale="so")
    stored = StoredVerdict(verdict_id=f"v-{number}", verdict=verdict, judged_ms=0, channel="C1")
    return stored, [
        Feedback(
            verdict_id=stored.verdict_id,
            trace_id=f"tr-{number}",
            judge=JUDGE,
            person=f"U{person}",
            vote=vote,
            value=value,
            rationale="",
            time_ms=1,
        )
        for person, (vote, value) in enumerate(votes)
    ]


def counted(
    cases: Sequence[tuple[StoredVerdict, list[Feedback]]],
    values: object = bool,
    audit: Sequence[AuditLine] = (),
) -> Digest:
    return compute_digest(JUDGE, WEEK, value_type_of(values), cases, audit)


UP: tuple[Vote, Label] = ("up", True)
DOWN: tuple[Vote, Label] = ("down", False)
UNSURE: tuple[Vote, None] = ("unsure", None)


@pytest.mark.parametrize(
    ("votes", "n", "agreed"),
    [
        ([UP], 1, 1),
        ([DOWN], 1, 0),
        ([UP, UP, DOWN], 1, 1),
        ([UP, DOWN, DOWN], 1, 0),
        ([UP, DOWN], 0, 0),
        ([UNSURE], 0, 0),
        ([UNSURE, UNSURE, UP], 1, 1),
        ([UNSURE, UP, DOWN], 0, 0),
        ([], 0, 0),
    ],
)
def test_a_verdict_counts_once_by_the_majority_of_those_who_could_tell(
    votes: list[tuple[Vote | None, Label | None]], n: int, agreed: int
) -> None:
    digest = counted([voted(1, True, *votes)])
    assert (digest.n, digest.agreed) == (n, agreed)


def test_people_are_those_who_answered_each_once() -> None:
    digest = counted([voted(1, True, UP, UNSURE), voted(2, True, UP, DOWN, (None, None))])
    assert digest.people == 2


def test_the_table_tells_strict_from_lenient() -> None:
    cases = [
        voted(1, True, ("up", True)),
        voted(2, True, ("down", False)),
        voted(3, True, ("down", False)),
        voted(4, False, ("down", True)),
        *(voted(n, False, ("up", False)) for n in range(5, 9)),
    ]
    assert counted(cases).table == {
        "judge_pass_people_pass": 1,
        "judge_pass_people_fail": 2,
        "judge_fail_people_pass": 1,
        "judge_fail_people_fail": 4,
    }


@pytest.mark.parametrize(
    ("passes", "fails", "wrong", "is_defined"),
    [(10, 9, 3, False), (10, 10, 3, True), (20, 0, 3, False), (20, 20, 0, True), (20, 20, 40, True)],
)
def test_agreement_beyond_chance_needs_twenty_verdicts_and_two_classes(
    passes: int, fails: int, wrong: int, is_defined: bool
) -> None:
    judged = [True] * passes + [False] * fails
    right = [not value if n < wrong else value for n, value in enumerate(judged)]
    cases = [
        voted(n, value, ("up" if value == label else "down", label))
        for n, (value, label) in enumerate(zip(judged, right, strict=True))
    ]
    digest = counted(cases)
    assert (digest.kappa is not None, digest.ac1 is not None) == (is_defined, is_defined)
    if is_defined:
        assert digest.kappa == pytest.approx(cohen_kappa_score(judged, right))


@pytest.mark.parametrize(
    ("votes", "n", "agreed"),
    [
        ([("up", 3)], 1, 1),
        ([("down", None)], 1, 0),
        ([("down", 4)], 1, 0),
        ([("up", 3), ("down", 4)], 0, 0),
        ([("up", 3), ("down", 4), ("down", 4)], 1, 0),
    ],
)
def test_other_judges_are_counted_without_a_table(
    votes: list[tuple[Vote | None, Label | None]], n: int, agreed: int
) -> None:
    digest = counted([voted(1, 3, *votes)], values=int)
    assert (digest.n, digest.agreed, digest.table) == (n, agreed, None)


def many(*groups: tuple[int, Label, Sequence[tuple[Vote | None, Label | None]]]) -> list[Any]:
    """Verdicts by number, the judge's value and people's votes."""
    kinds = [group for group in groups for _ in range(group[0])]
    return [voted(number, judged, *votes) for number, (_, judged, votes) in enumerate(kinds)]


def test_an_unnamed_thumb_down_is_a_label_of_its_own() -> None:
    unnamed: tuple[Vote, None] = ("down", None)
    digest = counted(
        many((20, "good", [("up", "good")]), (5, "bad", [("up", "bad")]), (25, "good", [unnamed])),
        values=["good", "bad", "mixed"],
    )
    people = ["good"] * 20 + ["bad"] * 5 + ["unnamed"] * 25
    judge = ["good"] * 20 + ["bad"] * 5 + ["good"] * 25
    assert (digest.n, digest.agreed, digest.unnamed) == (50, 25, 25)
    assert digest.kappa == pytest.approx(cohen_kappa_score(judge, people))
    assert digest.kappa is not None
    assert digest.kappa_low is not None
    assert digest.kappa_high is not None
    assert -1 <= digest.kappa_low < digest.kappa < digest.kappa_high < 1
    # of four labels: three declared, and the unnamed one
    chance = sum(share * (1 - share) for share in (0.65, 0.1, 0.25)) / 3
    assert digest.ac1 == pytest.approx((0.5 - chance) / (1 - chance))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["good", "bad", "mixed"]),
            st.sampled_from(["up", "down"]),
            st.sampled_from(["", "bad"]),
        ),
        min_size=20,
        max_size=60,
    )
)
def test_kappa_is_1_only_where_people_agree_with_every_verdict(cases: list[tuple[str, Vote, str]]) -> None:
    digest = counted(
        [
            voted(
                number,
                judged,
                (vote, judged if vote == "up" else (named if named != judged else None) or None),
            )
            for number, (judged, vote, named) in enumerate(cases)
        ],
        values=["good", "bad", "mixed"],
    )
    for value in (digest.kappa, digest.ac1):
        assert value is None or (value == pytest.approx(1)) == (digest.agreed == digest.n)


@pytest.mark.parametrize(
    ("values", "judged", "label_count"),
    [
        (["good", "bad", "mixed"], ("good", "bad"), 3),
        (["good", "bad"], ("good", "bad"), 2),
        (ValueType(kind="int", value_range=(1, 5)), (4, 2), 5),
        (ValueType(kind="int", value_range=(0, 10**12)), (4, 2), 10**12 + 1),
        (int, (4, 2), 2),
        (bool, (True, False), 2),
    ],
)
def test_ac1_counts_the_labels_that_the_judge_may_give(
    values: object, judged: tuple[Label, Label], label_count: int
) -> None:
    first, second = judged
    digest = counted(
        many((15, first, [("up", first)]), (3, first, [("down", second)]), (6, second, [("up", second)])),
        values,
    )
    share = (15 + 18) / 48
    chance = 2 * share * (1 - share) / (label_count - 1)
    assert digest.ac1 == pytest.approx((21 / 24 - chance) / (1 - chance))


def test_cards_are_told_by_what_people_answered() -> None:
    cases = [
        voted(1, 3, ("up", 3)),
        voted(2, 3, UNSURE),
        voted(3, 3, UNSURE, ("up", 3)),
        voted(4, 3, ("up", 3), ("down", 4)),
        voted(5, 3, ("down", None)),
        voted(6, 3, ("down", None), ("down", 2)),
        voted(7, 3, (None, None)),
    ]
    digest = compute_digest(JUDGE, WEEK, value_type_of(int), cases, [], shown=9)
    assert (digest.shown, digest.answered, digest.unsure, digest.split, digest.unnamed) == (9, 6, 1, 2, 1)
    assert digest.n + digest.unsure + digest.split == digest.answered


def test_numbers_are_told_by_how_far_off_they_are() -> None:
    votes: list[tuple[Vote, Label]] = [("down", 4), ("down", 2)]
    digest = counted(many((13, 5, [votes[0]]), (12, 3, [votes[1]])), values=int)
    assert digest.mean_absolute_error == 1
    assert digest.weighted_kappa is not None
    assert digest.kappa is not None
    assert digest.weighted_kappa > 0.4
    assert digest.kappa <= 0
    assert (
        counted(many((13, "a", [("up", "a")]), (12, "b", [("up", "b")])), values=["a", "b"]).weighted_kappa
        is None
    )


def test_categories_that_are_numbers_are_numbers() -> None:
    cases = many((13, 5, [("down", 4)]), (12, 3, [("up", 3)]))
    assert counted(cases, values=[1, 2, 3, 4, 5]).mean_absolute_error == pytest.approx(13 / 25)


def test_free_texts_are_right_or_wrong_and_not_comparable() -> None:
    digest = counted(
        many(
            (15, "kind", [("up", "kind")]),
            (6, "curt", [("down", "short"), ("down", "brief"), ("up", "curt")]),
        ),
        values=str,
    )
    assert (digest.n, digest.agreed, digest.split) == (21, 15, 0)
    assert (digest.kappa, digest.kappa_low, digest.ac1, digest.is_comparable) == (None, None, None, False)


def test_the_weighted_figures_are_the_plain_ones_while_every_card_has_the_same_chance() -> None:
    digest = counted(many((7, True, [UP]), (5, True, [DOWN])))
    weighted = (digest.weighted_agreement, digest.weighted_low, digest.weighted_high)
    assert weighted == (digest.agreement, digest.wilson_low, digest.wilson_high)


def picked(number: int, chance: float, vote: tuple[Vote, Label]) -> tuple[StoredVerdict, list[Feedback]]:
    stored, votes = voted(number, True, vote)
    return replace(stored, selection=CardSelection(probability=chance)), votes


def test_a_card_counts_for_the_traces_that_had_its_chance_of_being_picked() -> None:
    # half of 12 doubtful traces, of which the judge is wrong on 4 in 6, and a tenth of 60 usual ones
    doubtful = [picked(number, 0.5, DOWN if number < 4 else UP) for number in range(6)]
    usual = [picked(number, 0.1, UP) for number in range(6, 12)]
    digest = counted([*doubtful, *usual])
    assert (digest.n, digest.agreed) == (12, 8)
    assert digest.weighted_agreement == pytest.approx((2 * 2 + 10 * 6) / (2 * 6 + 10 * 6))
    effective_n = 72**2 / (6 * 2**2 + 6 * 10**2)
    oracle = binomtest(8, 12).proportion_ci(method="wilson")
    assert (digest.wilson_low, digest.wilson_high) == pytest.approx((oracle.low, oracle.high))
    expected = wilson_interval(64 / 72 * effective_n, effective_n)
    assert (digest.weighted_low, digest.weighted_high) == pytest.approx(expected)


@given(st.integers(1, 300), st.data())
def test_equal_chances_give_exactly_the_plain_figures(n: int, data: st.DataObject) -> None:
    chance, agreed = data.draw(st.floats(1e-9, 1)), data.draw(st.integers(0, n))
    weighted = weighted_agreement(
        [WeightedCase(agreed=number < agreed, probability=chance) for number in range(n)]
    )
    assert weighted is not None
    assert (weighted.share, weighted.low, weighted.high) == (agreed / n, *wilson_interval(agreed, n))


@given(st.lists(st.tuples(st.booleans(), st.floats(1e-9, 1)), max_size=40))
def test_the_weighted_interval_holds_its_share(cases: list[tuple[bool, float]]) -> None:
    weighted = weighted_agreement(
        [WeightedCase(agreed=agreed, probability=chance) for agreed, chance in cases]
    )
    assert (weighted is None) == (not cases)
    if weighted is not None:
        assert 0 <= weighted.low <= weighted.share <= weighted.high <= 1
        assert weighted.low < weighted.high


def test_the_journal_is_counted_for_the_judge_alone() -> None:
    audit = [
        AuditLine(at_ms=1, what="guideline_learned", judge=JUDGE, ids=("g-1", "g-2")),
        AuditLine(at_ms=2, what="guideline_retired", judge=JUDGE, ids=("g-1",)),
        AuditLine(at_ms=3, what="forgotten", judge=JUDGE, ids=("tr-1",)),
        AuditLine(at_ms=3, what="forgotten", judge="wit", ids=("tr-1",)),
    ]
    digest = counted([], audit=audit)
    assert (digest.guidelines_learned, digest.guidelines_retired, digest.forgotten) == (2, 1, 1)


@pytest.mark.parametrize(
    ("actions", "counts"),
    [
        (("learned", "undone"), (0, 0)),
        (("learned", "edited", "undone"), (1, 0)),
        (("retired", "restored"), (0, 0)),
        (("retired", "restored", "retired"), (0, 1)),
        (("retired", "undone", "pinned"), (0, 0)),
        (("retired", "restored", "undone"), (0, 1)),
        (("learned", "retired"), (1, 1)),
        (("undone",), (0, 0)),
    ],
)
def test_decisions_on_a_guideline_count_once_and_by_what_stands(
    actions: Sequence[str], counts: tuple[int, int]
) -> None:
    audit = [
        from_document(
            AuditLine,
            {"at_ms": at, "what": f"guideline_{action}", "judge": JUDGE, "person": "U1", "ids": ["g-1"]},
        )
        for at, action in enumerate(actions)
    ]
    digest = counted([], audit=audit)
    assert (digest.guidelines_learned, digest.guidelines_retired) == counts


# --- weeks


@pytest.mark.parametrize(
    ("week", "zone", "start", "end"),
    [
        ("2026-W47", "UTC", "2026-11-16T00:00+00:00", "2026-11-23T00:00+00:00"),
        ("2026-W47", "Europe/Berlin", "2026-11-15T23:00+00:00", "2026-11-22T23:00+00:00"),
        ("2026-W43", "Europe/Berlin", "2026-10-18T22:00+00:00", "2026-10-25T23:00+00:00"),
        ("2026-W53", "UTC", "2026-12-28T00:00+00:00", "2027-01-04T00:00+00:00"),
    ],
)
def test_a_week_begins_and_ends_in_the_digests_time_zone(week: str, zone: str, start: str, end: str) -> None:
    bounds = week_bounds(week, ZoneInfo(zone))
    assert [datetime.fromtimestamp(ms / 1000, UTC) for ms in bounds] == [
        datetime.fromisoformat(start),
        datetime.fromisoformat(end),
    ]


@pytest.mark.parametrize("week", ["2026-W54", "2026-W00", "2026-47", "", "W47", "20x6-W47", "9999-W52"])
def test_there_is_no_such_week(week: str) -> None:
    with pytest.raises((ValueError, OverflowError), match=r"."):
        week_bounds(week, ZoneInfo("UTC"))


async def keep(database: Database, number: int, judged: bool = True) -> None:
    verdict = Verdict(judge=JUDGE, trace_id=f"tr-{number}", value=judged, rationale="so")
    await database.verdicts.keep(verdict, channel="C1", judged_ms=1, day="2026-11-20")
    post_id = card_post_id_of(_verdict_id(number))
    await database.outbox.start(post_id)
    await database.outbox.done(post_id, f"{number}.0")


def _verdict_id(number: int) -> str:
    return verdict_id_of(JUDGE, f"tr-{number}")


def at(moment: str) -> str:
    return str(datetime.fromisoformat(moment).timestamp())


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-15T22:59:59+00:00", False),
        ("2026-11-15T23:00:01+00:00", True),
        ("2026-11-22T22:59:59+00:00", True),
        ("2026-11-22T23:00:01+00:00", False),
    ],
)
async def test_a_vote_belongs_to_the_week_in_which_it_was_cast(
    tmp_path: Path, moment: str, inside: bool
) -> None:
    async with await Database.open(tmp_path) as database:
        await keep(database, 1)
        await database.feedback.note("C1", "1.0", reaction_event("U1", "+1", True, at(moment)))
        digest = await read_digest(database, JUDGE, value_type_of(bool), WEEK, BERLIN)
        assert digest.n == int(inside)


async def test_a_reason_written_later_moves_no_vote(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as database:
        await keep(database, 1)
        await database.feedback.note(
            "C1", "1.0", reaction_event("U1", "+1", True, at("2026-11-12T12:00+00:00"))
        )
        await database.feedback.note(
            "C1", "1.0", reply_event("U1", "2.0", "kind", at("2026-11-18T12:00+00:00"))
        )
        assert (await read_digest(database, JUDGE, value_type_of(bool), WEEK, BERLIN)).n == 0
        assert (await read_digest(database, JUDGE, value_type_of(bool), "2026-W46", BERLIN)).n == 1


# --- when


NOON = "2026-11-18T12:00"  # a Wednesday


@pytest.mark.parametrize(
    ("now", "day", "time", "due"),
    [
        (NOON, "mon", "09:00", "2026-11-16T09:00"),
        (NOON, "tue", "09:00", "2026-11-17T09:00"),
        (NOON, "wed", "09:00", "2026-11-18T09:00"),
        (NOON, "wed", "12:00", "2026-11-18T12:00"),
        (NOON, "wed", "12:01", "2026-11-11T12:01"),
        (NOON, "thu", "09:00", "2026-11-12T09:00"),
        (NOON, "fri", "09:00", "2026-11-13T09:00"),
        (NOON, "sat", "09:00", "2026-11-14T09:00"),
        (NOON, "sun", "09:00", "2026-11-15T09:00"),
        ("2026-01-01T08:00", "mon", "09:00", "2025-12-29T09:00"),
        ("2026-10-26T08:00", "sun", "02:30", "2026-10-25T02:30"),
        ("2026-03-30T08:00", "sun", "02:30", "2026-03-29T02:30"),
    ],
)
def test_the_last_digest_was_due(now: str, day: str, time: str, due: str) -> None:
    settings = DigestSettings.model_validate({"day": day, "time": time, "timezone": "Europe/Berlin"})
    moment = datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    assert last_due(moment, settings) == datetime.fromisoformat(due).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("written", "day"), [("mon", "mon"), ("Monday", "mon"), ("SUN", "sun"), ("wednesday", "wed")]
)
def test_weekdays_go_by_their_names(written: str, day: str) -> None:
    assert DigestSettings.model_validate({"day": written}).day == day


@pytest.mark.parametrize("day", ["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
@pytest.mark.parametrize("now", ["2026-11-20T08:59:59", "2026-11-20T09:00:00", "2026-03-28T12:00:00"])
def test_the_next_digest_is_due_on_its_day_and_less_than_a_week_after_the_last(day: str, now: str) -> None:
    settings = DigestSettings.model_validate({"day": day, "time": "09:00", "timezone": "Europe/Berlin"})
    moment = datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    due = next_due(moment, settings)
    assert due > moment
    assert (due.strftime("%a").lower(), due.strftime("%H:%M")) == (day, "09:00")
    assert last_due(due, settings) == due
    assert last_due(moment, settings).date() == due.date() - timedelta(days=7)


def digests(harness: BotInWorkspace) -> list[Message]:
    return [
        message
        for message in harness.workspace.messages(harness.channel.id)
        if (message.metadata or {}).get("event_type") == "memalign_digest"
    ]


async def test_a_digest_missed_while_the_bot_was_away_is_posted_at_its_start(tmp_path: Path) -> None:
    long_ago = 1_000_000_000_000
    database = await Database.open(tmp_path / "store")
    await database.audit.first_start_ms(long_ago)
    await database.close()
    async with bot_in_workspace(tmp_path) as harness:
        await harness.until(lambda: digests(harness))
        await harness.learned()
        assert len(digests(harness)) == 1
        workspace = harness.workspace
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await harness.learned()
        assert len(digests(harness)) == 1


async def test_a_bots_thumb_is_not_counted_nor_is_a_forgotten_verdict(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        for n in (1, 2):
            harness.react(await harness.show(f"tr-{n}"), "+1")
        await harness.learned()
        await harness.asked(harness.ana, "forget tr-1 --yes")
        week = week_of(datetime.now(UTC).date())
        digest = await read_digest(harness.bot.database, JUDGE, value_type_of(bool), week, ZoneInfo("UTC"))
        assert (digest.n, digest.agreed, digest.forgotten, digest.people) == (1, 1, 1, 1)


def test_the_json_form_has_the_contracts_keys_in_order() -> None:
    line = json.loads(json.dumps(counted([]).as_json()))
    assert list(line) == [
        *("judge", "week", "n", "agreed", "agreement", "wilson_low", "wilson_high", "table", "kappa", "ac1"),
        *("people", "guidelines_learned", "guidelines_retired", "forgotten"),
        *("shown", "answered", "unsure", "split", "unnamed", "kappa_low", "kappa_high"),
        *("weighted_agreement", "weighted_low", "weighted_high", "weighted_kappa", "mean_absolute_error"),
    ]
