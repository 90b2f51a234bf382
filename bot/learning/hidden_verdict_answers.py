"""Private answers under a card that does not show its verdict yet: none of them depends on what the judge said."""

from bot.blocks.blind_card import answer_values, two_answers, verdict_hidden
from bot.blocks.primitives import SlackMessage, fits_a_menu
from bot.blocks.private_replies import (
    ask_value_of_thumb,
    ask_view,
    ask_which_value,
    unsure_reason_before_verdict,
)
from bot.learning.likely_values import ValueChoices, place_of
from bot.learning.reply_answers import (
    AnswerQuestion,
    AskRightValue,
    AskValueOfThumb,
    AskVote,
    AskWhichValue,
    AskWhichVote,
    PrivateAnswer,
    TellUnsure,
)
from memalign.judge_memory import JudgeMemory


def message_before_verdict(
    answer: PrivateAnswer, verdict_id: str, memory: JudgeMemory
) -> SlackMessage | None:
    """Return the message in place of one that would tell of the verdict; None for an answer that tells nothing of it.

    Args:
        answer: what the person is to be told.
        verdict_id: the hidden verdict.
        memory: its judge's.
    """
    choices = values_before_verdict(memory)
    match answer:
        case AskVote() | AskRightValue():
            return ask_view(verdict_id, choices.values, is_complete=choices.is_complete)
        case AskValueOfThumb():
            return ask_value_of_thumb(verdict_id, choices.values, is_complete=choices.is_complete)
        case AskWhichValue():
            return ask_which_value(verdict_id, choices.values, is_complete=choices.is_complete)
        case AskWhichVote():
            return two_answers()
        case AnswerQuestion():
            return verdict_hidden()
        case TellUnsure():
            return unsure_reason_before_verdict()
        case _:
            return None


def values_before_verdict(memory: JudgeMemory) -> ValueChoices:
    """Return the values of a judge: all where they are few, else those that people gave before."""
    every = answer_values(memory.definition.value_type)
    values = every or sorted({episode.label for episode in memory.episodes.values()}, key=place_of)
    fitting = tuple(value for value in values if fits_a_menu(value))
    return ValueChoices(values=fitting, is_complete=bool(every) and len(fitting) == len(every))
