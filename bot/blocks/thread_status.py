"""The one message in a card's thread that tells what is so now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.blocks.guideline_buttons import guideline_buttons
from bot.blocks.mrkdwn import escape, escape_name, join_names
from bot.blocks.primitives import (
    MAX_TEXT_LENGTH,
    Block,
    SlackMessage,
    actions,
    button,
    context,
    fits_a_menu,
    menu,
    section,
)
from bot.blocks.thread import CORRECT_VALUE
from bot.plain_text import (
    FROM_ONE_PERSON,
    disagreement,
    format_label_plain,
    guideline_state,
    pluralise,
    trial_sentence,
)
from bot.thread_status import PersonAnswer, TakenBackRule, TaughtRule, ThreadStatus, TypedReason
from bot.visible_text import visible_line
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline, Label
from memalign.rule_refusal import Refusal
from storage.records import TakenBack

MAX_RULES_SHOWN = 4
"""Guidelines that a status shows in words."""
MAX_ANSWERS_SHOWN = 8
MAX_SIDES_SHOWN = 4
"""Values that people are split over, each told with its people."""
MAX_VALUE_BUTTONS = 5
"""Values that are buttons; more are a menu."""
MAX_RULE_LENGTH = 600
MAX_REASON_LENGTH = 400
MAX_REASONS_SHOWN = 6
REFUSALS: Mapping[Refusal, str] = {
    "verdict": "That says which verdict to give, not why, so I can't make a rule of it. What in the answer decides?",
    "instruction": "That tells me what to do, so I can't make a rule of it. What makes an answer good?",
}
READING = "I'm still reading the reason; I'll say here what I learn from it."
DECLINED = "The model won't read this reason, so I couldn't turn it into a rule."
ROLLED_BACK = (
    "Somebody took me back to an earlier version, so what you say here doesn't count for now. "
    "Change your vote or reason, and it counts again."
)
LEFT_OUT = "the version I went back to doesn't have it."
USED = "I'll use this from now on."
UNREAD = "I keep it; without a language model only cases teach this judge."
NO_RULE = "I couldn't turn that into a rule."
ASK_VALUE = "What should it have been?"
QUIET_CAUSES: Mapping[TakenBack, str] = {
    "vote_removed": "a vote was removed.",
    "vote_changed": "a vote was changed.",
    "two_votes": "two different votes of one person don't count.",
    "outvoted": "others are believed for now.",
}
"""Causes that tell nothing of anybody's vote."""
NOBODY = "Nobody's vote counts here now."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """People's names, and whether to tell who says what."""

    names: Mapping[str, str]
    show_votes: bool

    def of(self, people: Sequence[str]) -> str:
        return join_names([self.names.get(person, person) for person in people])


def thread_status_message(
    status: ThreadStatus, names: Mapping[str, str], *, show_votes: bool
) -> SlackMessage:
    """Return the message.

    Args:
        status: what is so.
        names: the people's names, by id.
        show_votes: False to tell only how many people answered.
    """
    known = _Names(names=names, show_votes=show_votes)
    groups = [
        _paragraph("\n".join(_people_lines(status, known))),
        *[_reason(reason, known) for reason in status.reasons[:MAX_REASONS_SHOWN]],
        *[_rule(status, taught, known) for taught in status.rules[:MAX_RULES_SHOWN]],
        *[_doubted_rule(status.judge, rule) for rule in status.doubted[:MAX_RULES_SHOWN]],
        *[_small(line) for line in _notes(status, known)],
        *_questions(status),
    ]
    text = "\n".join(line for line, _ in groups)
    blocks = tuple(block for _, part in groups for block in part)
    return SlackMessage(text=text[:MAX_TEXT_LENGTH], blocks=blocks)


Group = tuple[str, tuple[Block, ...]]
"""A line of the text for notifications, and the blocks that say the same."""


def _paragraph(text: str) -> Group:
    return text, (section(text),)


def _small(text: str) -> Group:
    return text, (context(text),)


def _people_lines(status: ThreadStatus, names: _Names) -> list[str]:
    lines = [] if status.label is None else [f"Noted: *{_word(status.label)}*."]
    if not names.show_votes:
        lines.append(_count(status))
    elif answers := [each for each in status.answers if not status.is_split or each.value is None]:
        lines.append(_answers(answers, status.verdict, names))
    if status.is_split:
        lines.append(_split(status, names))
    return lines if status.answers or lines else [NOBODY]


def _count(status: ThreadStatus) -> str:
    number = len(status.answers)
    return f"{pluralise(number, 'person', 'people')} answered." if number else NOBODY


def _answers(answers: Sequence[PersonAnswer], verdict: Label, names: _Names) -> str:
    told = [
        f"{names.of([each.person])}: {_answer_word(each, verdict)}" for each in answers[:MAX_ANSWERS_SHOWN]
    ]
    more = len(answers) - MAX_ANSWERS_SHOWN
    return " · ".join([*told, f"and {more} more"] if more > 0 else told)


def _answer_word(answer: PersonAnswer, verdict: Label) -> str:
    if answer.is_unsure:
        return "can't tell"
    return f"not {_word(verdict)}" if answer.value is None else _word(answer.value)


def _split(status: ThreadStatus, names: _Names) -> str:
    sides = status.sides
    if names.show_votes:
        told = [f"{len(people)} {_word(value)} ({names.of(people)})" for value, people in sides]
        more = [f"and {len(told) - MAX_SIDES_SHOWN} other values"] if len(told) > MAX_SIDES_SHOWN else []
        opening = f"Split: {', '.join([*told[:MAX_SIDES_SHOWN], *more])}."
    else:
        opening = "People are split."
    if status.label is None:
        return opening
    rule = (
        "For now the newest counts." if status.is_tie else f"Most say {_word(status.label)}, so that counts."
    )
    return f"{opening} {rule}"


def _word(value: Label) -> str:
    return escape_name(format_label_plain(value), 60)


def _reason(reason: TypedReason, names: _Names) -> Group:
    return _paragraph(
        f"{names.of([reason.person])}: “{escape(visible_line(reason.text), MAX_REASON_LENGTH)}”"
    )


def _rule(status: ThreadStatus, taught: TaughtRule, names: _Names) -> Group:
    rule = taught.rule
    if rule.retired:
        return _retired_rule(status.judge, taught, names)
    if rule.waiting:
        return _small("📝 A rule learned here is out of use until I have learned it again from what remains.")
    text = escape(rule.text, MAX_RULE_LENGTH)
    if rule.merged:
        opening = f"📝 Now one rule: “{text}” (was: {_merged(rule)})"
    elif taught.earlier_text:
        opening = f"📝 Now: “{text}” (was: {_struck(taught.earlier_text)})"
    else:
        opening = f"📝 Learned: “{text}”"
    line = f"{opening} – from {names.of(taught.authors)}"
    if rule.edited_by:
        line += f", edited by {names.of([rule.edited_by.person])}"
    if len(rule.people) == 1:
        line += f" ({FROM_ONE_PERSON.removeprefix('from ')})"
    state = " ".join(filter(None, (_use(status, rule), trial_sentence(rule))))
    return f"{line}. {state}", (section(f"{line}. _{state}_"), guideline_buttons(status.judge, rule))


def _use(status: ThreadStatus, rule: Guideline) -> str:
    return guideline_state(rule) or (USED if status.reads_guidelines else UNREAD)


def _retired_rule(judge: str, taught: TaughtRule, names: _Names) -> Group:
    rule = taught.rule
    text = f"“{escape(rule.text, MAX_RULE_LENGTH)}”" if rule.has_words else "a rule whose words are forgotten"
    if taught.is_held_back:
        line = f"📝 That's retired: {text}. I don't use it unless somebody restores it."
    else:
        by = names.of([rule.retired_by.person]) if rule.retired_by else "Somebody"
        line = f"📝 Learned here, then retired: {text} – from {names.of(taught.authors)}. {by} retired it."
    return line, (section(line), guideline_buttons(judge, rule))


def _doubted_rule(judge: str, rule: Guideline) -> Group:
    text = f"“{escape(rule.text, MAX_RULE_LENGTH)}”" if rule.has_words else "a rule whose words are forgotten"
    use = "It is pinned, so I still use it." if rule.pinned else "I don't use it until somebody decides."
    line = f"❓ In doubt: {text} – {disagreement(rule)}. {use}"
    return line, (section(line), guideline_buttons(judge, rule))


def _merged(rule: Guideline) -> str:
    texts = (rule.text, *(each.text for each in merged_into(rule)))
    return ", ".join(f"“{escape(text, 300)}”" for text in texts[:MAX_RULES_SHOWN])


def _struck(text: str) -> str:
    """Return words struck through, in one line: a tilde or a line break would end that."""
    return f"~“{escape(visible_line(text).replace('~', '-'), MAX_RULE_LENGTH)}”~"


def _notes(status: ThreadStatus, names: _Names) -> list[str]:
    lines = [_taken_back(gone, names, status) for gone in status.taken_back]
    if (reasons := len(status.reasons) - MAX_REASONS_SHOWN) > 0:
        lines.append(f"and {pluralise(reasons, 'more reason')}.")
    if (more := len(status.rules) - MAX_RULES_SHOWN) > 0:
        lines.append(f"and {more} more; `/memalign guidelines` shows them all.")
    lines += [REFUSALS[reason] for reason in status.refusals]
    if status.without_rule:
        lines.append(f"Thanks, {names.of(status.without_rule)}. {NO_RULE}")
    told = {
        READING: status.is_reading,
        DECLINED: status.is_declined,
        ROLLED_BACK: status.is_rolled_back,
    }
    return [*lines, *(line for line, is_so in told.items() if is_so)]


def _taken_back(gone: TakenBackRule, names: _Names, status: ThreadStatus) -> str:
    is_left_out = status.is_rolled_back and gone.cause == "not_followed"
    cause = LEFT_OUT if is_left_out else _cause(gone, names)
    return f"{_struck(gone.text)} taken back: {cause}"


def _cause(gone: TakenBackRule, names: _Names) -> str:
    who = names.of(gone.people)
    if not names.show_votes and gone.cause in QUIET_CAUSES:
        return QUIET_CAUSES[gone.cause]
    causes: Mapping[TakenBack, str] = {
        "vote_removed": f"{who} removed the {'👍' if gone.was_up else '👎'}.",
        "vote_changed": f"{who} changed the vote.",
        "two_votes": f"{who} gave two different votes, so neither counts.",
        "reason_removed": f"{who} removed the reason.",
        "reason_edited": f"{who} edited the reason.",
        "outvoted": f"for now {who} {'is' if len(gone.people) == 1 else 'are'} believed.",
        "not_followed": "it is no longer one of my rules.",
    }
    return causes[gone.cause]


def _questions(status: ThreadStatus) -> list[Group]:
    groups: list[Group] = []
    if status.asks_value:
        choices = [value for value in status.choices if fits_a_menu(value)]
        how = (
            f"Pick it, or reply “{_word(choices[0])}, because …”."
            if choices
            else "Reply with it, and say why: “…, because …”."
        )
        text = f"{ASK_VALUE} {how}"
        groups.append((text, (section(text), *_value_choice(choices))))
    if status.asks_why and status.label is not None:
        groups.append(_paragraph(_ask_why(status.label)))
    return groups


def _value_choice(choices: Sequence[Label]) -> list[Block]:
    if not choices:
        return []
    if len(choices) > MAX_VALUE_BUTTONS:
        return [actions("right_value", menu("The right value", CORRECT_VALUE, choices))]
    buttons = (
        button(
            format_label_plain(value)[:75], f"{CORRECT_VALUE}:{number}", json.dumps(value, ensure_ascii=False)
        )
        for number, value in enumerate(choices)
    )
    return [actions("right_value", *buttons)]


def _ask_why(label: Label) -> str:
    if isinstance(label, bool):
        return f"What made it {'pass' if label else 'fail'}? One sentence here is enough."
    return f"What makes it *{_word(label)}*? One sentence here is enough."
