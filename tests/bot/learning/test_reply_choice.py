"""The choice of what a thread is told."""

from bot.feedback import Feedback, Vote
from bot.learning.reply_choice import (
    AskValue,
    AskWhy,
    TellCase,
    TellDeclined,
    TellGuidelines,
    TellNothingNew,
    TellReading,
    ThreadReply,
    choose_reply,
)
from memalign.records import Episode, Label
from storage.records import ThreadPost
from tests.factories import a_guideline, an_episode

RULE, OTHER = a_guideline("Greet the user."), a_guideline("Name the next step.")
EPISODE = an_episode("tr-1", False)


def feedback(vote: Vote | None, value: Label | None, rationale: str = "", person: str = "ana") -> Feedback:
    return Feedback(
        verdict_id="v-1",
        trace_id="tr-1",
        judge="politeness",
        person=person,
        vote=vote,
        value=value,
        rationale=rationale,
        time_ms=0,
    )


DOWN = feedback("down", False)
UP = feedback("up", True)
REASON = feedback("down", False, "It is curt.", "ben")
UNNAMED = feedback("down", None)


def test_a_new_guideline_is_told() -> None:
    reply = choose_reply(rules=[RULE], posts=[], feedback=[REASON], episode=EPISODE, is_pending=False)
    assert reply == TellGuidelines(rules=(RULE,))


def test_only_guidelines_that_the_thread_was_not_told_are_new() -> None:
    posts = [ThreadPost(message_ts="2.1", guideline_ids=(RULE.id,))]
    reply = choose_reply(
        rules=[RULE, OTHER], posts=posts, feedback=[REASON], episode=EPISODE, is_pending=False
    )
    assert reply == TellGuidelines(rules=(OTHER,))


def test_nothing_is_said_when_all_guidelines_were_told() -> None:
    posts = [ThreadPost(message_ts="2.1", guideline_ids=(RULE.id,))]
    assert (
        choose_reply(rules=[RULE], posts=posts, feedback=[REASON], episode=EPISODE, is_pending=False) is None
    )


def test_a_thumb_down_without_the_right_value_is_asked_for_it() -> None:
    reply = choose_reply(rules=[], posts=[], feedback=[UP, UNNAMED], episode=EPISODE, is_pending=False)
    assert reply == AskValue()


def test_a_thumb_down_without_a_reason_is_asked_why() -> None:
    reply = choose_reply(rules=[], posts=[], feedback=[DOWN], episode=EPISODE, is_pending=False)
    assert reply == AskWhy(label=False)


def test_a_reason_that_gave_no_guideline_is_thanked_for() -> None:
    reply = choose_reply(rules=[], posts=[], feedback=[DOWN, REASON], episode=EPISODE, is_pending=False)
    assert reply == TellCase(label=False, people=("ben",))


def test_a_thumb_up_is_learned_without_a_word() -> None:
    assert choose_reply(rules=[], posts=[], feedback=[UP], episode=EPISODE, is_pending=False) is None


def test_people_are_thanked_for_their_reasons_while_the_memory_waits_for_its_model() -> None:
    def reply(*given: Feedback, episode: Episode | None = EPISODE) -> ThreadReply | None:
        return choose_reply(rules=[], posts=[], feedback=given, episode=episode, is_pending=True)

    assert reply(DOWN, REASON) == TellReading(label=False, people=("ben",))
    assert reply(DOWN) is None
    assert reply(REASON, episode=None) is None


def test_people_who_were_thanked_are_told_that_their_reasons_gave_nothing_new() -> None:
    posts = [ThreadPost(message_ts="2.1", post_id="thanks-1:v-1")]
    reply = choose_reply(rules=[], posts=posts, feedback=[REASON], episode=EPISODE, is_pending=False)
    assert reply == TellNothingNew(people=("ben",))


def test_people_are_told_that_the_model_refuses_to_read_their_reasons() -> None:
    reply = choose_reply(
        rules=[], posts=[], feedback=[REASON], episode=EPISODE, is_pending=False, is_declined=True
    )
    assert reply == TellDeclined(label=False, people=("ben",))


def test_nothing_is_said_of_a_case_that_was_not_learned() -> None:
    assert choose_reply(rules=[], posts=[], feedback=[], episode=None, is_pending=False) is None
