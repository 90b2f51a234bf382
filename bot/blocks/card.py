"""The card of a trace's verdicts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from bot.blocks.blind_card import answer_elements
from bot.blocks.card_verdict import CardVerdict, small_print
from bot.blocks.excerpt import LINE_LENGTH, NOTE_LENGTH, count_lines, excerpt_runs, first_lines, first_words
from bot.blocks.mrkdwn import escape
from bot.blocks.primitives import Block, SlackMessage, actions, button, context, section
from bot.blocks.rich_text import preformatted, rich_section, rich_text, run
from bot.blocks.tables import Table
from bot.blocks.trace_parts import TracePart
from bot.blocks.trace_reading import parts_of
from bot.blocks.vote_buttons import vote_buttons
from bot.blocks.why import why_button
from bot.visible_text import visible_line
from memalign.records import Trace
from memalign.trace_content import NO_OUTPUT

SHOW_ALL = "show_all"
CORRECT_SHORTCUT = "correct_verdict"

QUESTION_LENGTH = 80
"""Characters of a question's one line."""
TEXT_LINES = 6
"""Lines that the answer shares with the reasons and what was sent beside the question; a median card has 320 pixels."""
MIN_ANSWER_LINES = 4
OTHER_LINES, REASON_LINES = 2, 2


def verdict_card(verdicts: Sequence[CardVerdict], trace: Trace) -> SlackMessage:
    """Return the card that shows a trace's verdicts in the channel of their judges.

    Args:
        verdicts: at least one; each has a line, a reason and buttons of its own, and a hidden one no reason.
        trace: the trace.
    """
    parts = parts_of(trace)
    question = _question(parts)
    spoken = " / ".join(verdict.words for verdict in verdicts)
    text = f"“{first_words(visible_line(question), 150)}” {spoken}" if question.strip() else spoken
    reasons = [_reason(verdict) for verdict in verdicts if not verdict.is_hidden]
    excerpts = _excerpts(parts, sum(_lines(reason) for reason in reasons))
    return SlackMessage(
        text=escape(text, 600),
        blocks=(
            section("\n".join(verdict.headline for verdict in verdicts)),
            *_blocks([*_question_line(question), *excerpts, *reasons]),
            context(small_print(verdicts, trace)),
            *(_buttons(verdict) for verdict in verdicts),
        ),
    )


def case_elements(trace: Trace) -> list[Block]:
    """Return the question and the first lines of the answer, as a card shows them, as parts of a rich text."""
    parts = parts_of(trace)
    pieces = [*_question_line(_question(parts)), *_excerpts(parts, REASON_LINES)]
    return [preformatted(piece.aligned()) if isinstance(piece, Table) else piece for piece in pieces]


def _blocks(pieces: Iterable[Block | Table]) -> Iterator[Block]:
    """Yield rich text, and the first table as one: Slack takes one in a message."""
    for is_table, group in groupby(_with_one_table(pieces), key=lambda piece: isinstance(piece, Table)):
        if is_table:
            yield from (piece.block() for piece in group if isinstance(piece, Table))
        else:
            yield rich_text(*(piece for piece in group if isinstance(piece, dict)))


def _with_one_table(pieces: Iterable[Block | Table]) -> Iterator[Block | Table]:
    has_table = False
    for piece in pieces:
        yield preformatted(piece.aligned()) if isinstance(piece, Table) and has_table else piece
        has_table = has_table or isinstance(piece, Table)


def _question(parts: Sequence[TracePart]) -> str:
    asked = {part.title: part.question for part in parts}
    return asked.get("Input") or asked.get("Conversation", "")


def _question_line(question: str) -> Iterator[Block]:
    if line := " ".join(question.split("\n")).strip():
        shown, *note = excerpt_runs(line, QUESTION_LENGTH)
        yield rich_section({**shown, "style": {"bold": True}}, *note)


def _excerpts(parts: Sequence[TracePart], reason_lines: int) -> Iterator[Block | Table]:
    """Yield what else there is to read, each part in a few lines; the answer has the most."""
    titles = {part.title for part in parts}
    others = [shown for part in parts if part.title == "Input" and (shown := _beside_question(part))]
    used = reason_lines + sum(min(count_lines(part.text), OTHER_LINES) for part in others)
    answer_lines = max(TEXT_LINES - used, MIN_ANSWER_LINES)
    for part in others:
        yield from part.excerpt_blocks(OTHER_LINES)
    for part in parts:
        if part.title == "Output":
            if "Conversation" not in titles or part.text != NO_OUTPUT:
                yield from part.excerpt_blocks(answer_lines)
        elif part.title == "Conversation":
            if "Input" not in titles:
                yield from part.excerpt_blocks(answer_lines)
        elif part.title != "Input":
            yield rich_section(run(part.title, style="bold"))
            yield from part.excerpt_blocks(OTHER_LINES)


def _beside_question(part: TracePart) -> TracePart | None:
    return part.without_question() if part.question else part


def _reason(verdict: CardVerdict) -> Block:
    shown = first_lines(verdict.reason, REASON_LINES)
    length = min(len(shown), REASON_LINES * LINE_LENGTH - NOTE_LENGTH)
    return rich_section(*excerpt_runs(verdict.reason, length))


def _lines(reason: Block) -> int:
    return count_lines("".join(run["text"] for run in reason["elements"]))


def _buttons(verdict: CardVerdict) -> Block:
    verdict_id = verdict.stored.verdict_id
    if verdict.is_hidden:
        answers = answer_elements(verdict.judge.value_type, verdict_id)
        return actions(verdict_id, *answers, button("Show everything", SHOW_ALL, verdict_id))
    votes = vote_buttons(verdict.stored.verdict.value, verdict.judge.value_type, verdict_id)
    return actions(
        verdict_id, *votes, why_button(verdict_id), button("Show everything", SHOW_ALL, verdict_id)
    )
