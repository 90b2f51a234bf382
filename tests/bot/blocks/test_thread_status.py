"""The words of the one message in a thread, and Slack's limits on it."""

from collections.abc import Mapping
from dataclasses import replace

from bot.blocks.thread_status import UNREAD, thread_status_message
from bot.thread_status import PersonAnswer, TakenBackRule, TaughtRule, ThreadStatus
from memalign.records import Guideline, GuidelineRecord, Handling, Label, Source
from storage.records import TakenBack

NAMES: Mapping[str, str] = {"a": "Ana", "b": "Ben", "c": "Cleo"}


def answers(**values: Label | None) -> tuple[PersonAnswer, ...]:
    return tuple(PersonAnswer(person=person, value=value) for person, value in values.items())


def text_of(status: ThreadStatus, *, show_votes: bool = True) -> str:
    return thread_status_message(status, NAMES, show_votes=show_votes).text


def a_rule(number: int = 1, length: int = 20) -> Guideline:
    source = Source(trace_id="tr-1", person="a", quote="rude")
    return Guideline(id=f"g{number}", text="w" * length, sources=(source,))


def test_people_who_agree_are_told_by_name_and_value() -> None:
    status = ThreadStatus(judge="j", verdict=True, answers=answers(a=False, b=False), label=False)
    assert text_of(status) == "Noted: *fail*.\nAna: fail · Ben: fail"


def test_a_split_says_what_decides_meanwhile() -> None:
    tie = ThreadStatus(judge="j", verdict=True, answers=answers(a=True, b=False), label=False)
    assert text_of(tie) == "Noted: *fail*.\nSplit: 1 pass (Ana), 1 fail (Ben). For now the newest counts."
    most = ThreadStatus(judge="j", verdict=True, answers=answers(a=True, b=False, c=False), label=False)
    assert "Split: 2 fail (Ben and Cleo), 1 pass (Ana). Most say fail, so that counts." in text_of(most)


def test_who_cannot_tell_is_named_and_not_counted() -> None:
    unsure = PersonAnswer(person="c", value=None, is_unsure=True)
    status = ThreadStatus(
        judge="j", verdict="rude", answers=(*answers(a="kind", b=None), unsure), label="kind"
    )
    assert text_of(status) == "Noted: *kind*.\nAna: kind · Ben: not rude · Cleo: can't tell"


def test_nothing_tells_who_voted_how_where_votes_are_not_shown() -> None:
    causes: tuple[TakenBack, ...] = ("vote_removed", "vote_changed", "two_votes", "outvoted")
    gone = tuple(TakenBackRule(text="Be kind.", cause=each, people=("b",), was_up=False) for each in causes)
    status = ThreadStatus(
        judge="j", verdict=True, answers=answers(a=True, b=False, c=True), label=True, taken_back=gone
    )
    text = text_of(status, show_votes=False)
    assert text.startswith(
        "Noted: *pass*.\n3 people answered.\nPeople are split. Most say pass, so that counts."
    )
    assert not any(name in text for name in NAMES.values())
    assert "👎" not in text


def test_words_taken_back_are_struck_through_in_one_line_whatever_they_hold() -> None:
    gone = TakenBackRule(text="Be ~kind~\nalways", cause="reason_removed", people=("a",), was_up=False)
    [line] = [
        line
        for line in text_of(ThreadStatus(judge="j", verdict=True, taken_back=(gone,))).splitlines()
        if "taken back" in line
    ]
    assert line.count("~") == 2
    assert line.endswith("always”~ taken back: Ana removed the reason.")


def test_a_rule_that_a_roll_back_took_away_says_so_as_its_cause() -> None:
    gone = TakenBackRule(text="Be kind.", cause="not_followed", people=("a",), was_up=False)
    status = ThreadStatus(judge="j", verdict=True, taken_back=(gone,))
    left_out = text_of(replace(status, is_rolled_back=True))
    assert "taken back: the version I went back to doesn't have it." in left_out
    assert "taken back: it is no longer one of my rules." in text_of(status)
    removed = replace(gone, cause="vote_removed")
    assert "Ana removed the 👎." in text_of(replace(status, taken_back=(removed,), is_rolled_back=True))


def test_no_rule_is_said_to_be_used_by_a_judge_that_reads_none() -> None:
    taught = TaughtRule(rule=a_rule(), earlier_text="", authors=("a",))
    status = ThreadStatus(judge="j", verdict=True, answers=answers(a=False), label=False, rules=(taught,))
    assert "I'll use this from now on." in text_of(status)
    local = text_of(replace(status, reads_guidelines=False))
    assert "use this from now on" not in local
    assert "only cases teach this judge" in local


def test_a_retired_or_doubtful_rule_says_so_and_not_that_it_is_used() -> None:
    retired = replace(a_rule(), retired_by=Handling(person="b"))
    doubtful = replace(
        a_rule(), doubtful=True, record=GuidelineRecord(up=1, down=6), pinned_by=retired.retired_by
    )
    for rule, state in (
        (retired, "Ben retired it"),
        (doubtful, "In doubt: 6 of 7 votes were against verdicts"),
    ):
        taught = TaughtRule(rule=rule, earlier_text="", authors=("a",))
        text = text_of(ThreadStatus(judge="j", verdict=True, rules=(taught,)))
        assert state in text
        assert "I'll use this" not in text


def test_a_rule_that_no_language_model_can_read_is_not_said_to_be_used() -> None:
    edited = replace(a_rule(), edited_by=Handling(person="b"))
    approval = replace(a_rule(), lacks=("approval",))
    for rule, state in ((a_rule(), UNREAD), (edited, UNREAD), (approval, "somebody has to approve it")):
        taught = TaughtRule(rule=rule, earlier_text="", authors=("a",))
        status = ThreadStatus(judge="j", verdict=True, rules=(taught,), reads_guidelines=False)
        assert state in text_of(status)
        assert "I'll use this" not in text_of(status)
        assert "I'll use this" in text_of(replace(status, reads_guidelines=True)) or state != UNREAD


def test_a_rule_of_one_person_says_so_without_from_twice() -> None:
    taught = TaughtRule(rule=a_rule(), earlier_text="", authors=("a",))
    text = text_of(ThreadStatus(judge="j", verdict=True, rules=(taught,)))
    assert "– from Ana (one person so far)." in text


def test_a_retired_rule_that_is_said_again_is_not_called_learned_and_offers_to_restore_it() -> None:
    retired = replace(a_rule(), retired_by=Handling(person="b"))
    taught = TaughtRule(rule=retired, earlier_text="", authors=("a",), is_held_back=True)

    message = thread_status_message(
        ThreadStatus(judge="j", verdict=True, rules=(taught,)), NAMES, show_votes=True
    )

    assert f"That's retired: “{retired.text}”." in message.text
    assert "Learned" not in message.text
    (row,) = [block for block in message.blocks if block["type"] == "actions"]
    assert [element["text"]["text"] for element in row["elements"]] == ["Restore"]


def test_an_edited_rule_names_who_edited_it() -> None:
    edited = replace(a_rule(), edited_by=Handling(person="b"))
    taught = TaughtRule(rule=edited, earlier_text="be kind", authors=("a",))
    assert "(was: ~“be kind”~) – from Ana, edited by Ben" in text_of(
        ThreadStatus(judge="j", verdict=True, rules=(taught,))
    )


def test_the_largest_status_keeps_within_slacks_limits() -> None:
    people = {f"p{number}": f"kind {number} " * 10 for number in range(60)}
    rules = tuple(
        TaughtRule(rule=a_rule(number, 5000), earlier_text="<" * 5000, authors=tuple(people))
        for number in range(9)
    )
    gone = TakenBackRule(text="&" * 5000, cause="outvoted", people=tuple(people), was_up=True)
    status = ThreadStatus(
        judge="j",
        verdict="x",
        answers=answers(**people),
        label="y" * 500,
        rules=rules,
        taken_back=(gone,) * 3,
        asks_value=True,
        choices=tuple(f"{number}" * 40 for number in range(5)),
        asks_why=True,
    )
    message = thread_status_message(status, dict.fromkeys(people, "N" * 300), show_votes=True)
    assert len(message.blocks) <= 50
    assert len(message.text) <= 3000
    for block in message.blocks:
        text = block["text"]["text"] if block["type"] == "section" else ""
        assert len(text) <= 3000
        assert all(
            len(each.get("text", "")) <= 2000
            for each in block.get("elements", [])
            if each["type"] == "mrkdwn"
        )
    assert "and 5 more; `/memalign guidelines` shows them all." in str(message.blocks)


def test_a_rule_in_doubt_behind_the_verdict_is_told_with_its_votes_and_what_can_be_decided() -> None:
    rule = replace(a_rule(), doubtful=True, record=GuidelineRecord(up=1, down=6), approved_by="b")
    status = ThreadStatus(judge="j", verdict=True, answers=answers(a=True), label=True, doubted=(rule,))

    message = thread_status_message(status, NAMES, show_votes=True)

    assert status.is_worth_a_message
    assert "– 6 of 7 votes were against verdicts that rested on it. I don't use it until" in message.text
    assert [button["text"]["text"] for button in message.blocks[-1]["elements"]] == [
        "Good rule",
        "Edit",
        "Don't use",
    ]
