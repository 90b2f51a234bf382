"""The card of a trace's verdicts, and the modals that open from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.blocks.excerpt import LINE_LENGTH, first_lines, first_words, more_characters
from bot.blocks.left_out import left_out_line
from bot.blocks.mrkdwn import (
    capitalised,
    escape,
    escape_address,
    escape_name,
    format_label_plain,
    format_verdict,
)
from bot.blocks.primitives import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    fit_modal,
    modal,
    section,
)
from bot.blocks.rich_text import rich_section, rich_text, run
from bot.blocks.trace_parts import TracePart, parts_of, text_pages
from bot.blocks.vote_buttons import vote_buttons
from bot.blocks.why import why_button
from bot.plain_text import pluralise
from bot.redaction.redactor import is_redacted
from bot.visible_text import visible_line
from memalign.judge import Judge
from memalign.models.local.explanations import NO_LANGUAGE_MODEL
from memalign.records import Trace, Verdict
from memalign.trace_content import NO_OUTPUT
from storage.records import StoredVerdict

SHOW_ALL = "show_all"
TRACE_VIEW = "trace_view"
CORRECT_SHORTCUT = "correct_verdict"

QUESTION_LENGTH = 100
"""Characters of a question's one line."""
ANSWER_LINES, OTHER_LINES, REASON_LINES = 4, 2, 2
REDACTED = "personal data removed"
OFFLINE_MODEL = "offline model, no language model"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVerdict:
    """A verdict as a card shows it: with its judge, and the title by which people know that judge."""

    stored: StoredVerdict
    judge: Judge
    title: str

    @property
    def headline(self) -> str:
        """The verdict and the judge in one line, escaped."""
        return f"{format_verdict(self.stored.verdict.value)} · {escape_name(self.title, 150)}"

    @property
    def words(self) -> str:
        """The same without marks, for notifications; not escaped."""
        return f"{capitalised(format_label_plain(self.stored.verdict.value))} · {self.title}"

    @property
    def reason(self) -> str:
        """The judge's reason; the small print says which kind of model it came from."""
        return self.stored.verdict.rationale.removesuffix(NO_LANGUAGE_MODEL).rstrip()

    @property
    def model(self) -> str:
        """The model in few words; not escaped."""
        provider, _, name = self.judge.model.partition(":/")
        return OFFLINE_MODEL if provider == "local" else name or provider


def verdict_card(verdicts: Sequence[CardVerdict], trace: Trace) -> SlackMessage:
    """Return the card that shows a trace's verdicts in the channel of their judges.

    Args:
        verdicts: at least one; each has a line, a reason and buttons of its own.
        trace: the trace.
    """
    parts = parts_of(trace)
    question = _question(parts)
    spoken = " / ".join(verdict.words for verdict in verdicts)
    text = f"“{first_words(visible_line(question), 150)}” {spoken}" if question.strip() else spoken
    return SlackMessage(
        text=escape(text, 600),
        blocks=(
            section("\n".join(verdict.headline for verdict in verdicts)),
            rich_text(*_case_elements(parts), *map(_reason, verdicts)),
            context(_small_print(verdicts, trace)),
            *(_buttons(verdict) for verdict in verdicts),
        ),
    )


def case_elements(trace: Trace) -> list[Block]:
    """Return the question and the first lines of the answer, as a card shows them, as parts of a rich text."""
    return _case_elements(parts_of(trace))


def _case_elements(parts: Sequence[TracePart]) -> list[Block]:
    return [*_question_line(_question(parts)), *_excerpts(parts)]


def _question(parts: Sequence[TracePart]) -> str:
    asked = {part.title: part.question for part in parts}
    return asked.get("Input") or asked.get("Conversation", "")


def _question_line(question: str) -> Iterator[Block]:
    line = " ".join(question.split("\n")).strip()
    if line:
        shown = first_words(line, QUESTION_LENGTH)
        hidden = len(line) - len(shown)
        yield rich_section(run(shown, style="bold"), *([more_characters(hidden)] if hidden else []))


def _excerpts(parts: Sequence[TracePart]) -> Iterator[Block]:
    """Yield what else there is to read, each part in a few lines; the answer has the most."""
    titles = {part.title for part in parts}
    for part in parts:
        if part.title == "Input":
            others = part.without_question() if part.question else part
            if others:
                yield from others.excerpt_blocks(OTHER_LINES if part.question else ANSWER_LINES // 2)
        elif part.title == "Output":
            if "Conversation" not in titles or part.text != NO_OUTPUT:
                yield from part.excerpt_blocks(ANSWER_LINES)
        elif part.title == "Conversation" and not titles & {"Input"}:
            yield from part.excerpt_blocks(ANSWER_LINES)
        else:
            yield rich_section(run(part.title, style="bold"))
            yield from part.excerpt_blocks(OTHER_LINES)


def _reason(verdict: CardVerdict) -> Block:
    shown = first_lines(verdict.reason, REASON_LINES)
    hidden = len(verdict.reason) - len(shown)
    if hidden:
        shown = first_words(shown, REASON_LINES * LINE_LENGTH - len(" … 9,999 more characters"))
        hidden = len(verdict.reason) - len(shown)
    return rich_section(run(shown), *([more_characters(hidden)] if hidden else []))


def _small_print(verdicts: Sequence[CardVerdict], trace: Trace) -> str:
    pieces = [piece for verdict in verdicts for piece in _evidence(verdict)]
    return " · ".join(dict.fromkeys([*pieces, *_origin(trace)]))


def _evidence(verdict: CardVerdict) -> Iterator[str]:
    """Yield what the judge had to go by, escaped."""
    judged = verdict.stored.verdict
    yield escape_name(verdict.model, 100)
    if cases := len(judged.retrieved_trace_ids):
        yield pluralise(cases, "similar case")
    yield from _shortcomings(judged)


def _shortcomings(verdict: Verdict) -> Iterator[str]:
    if verdict.note:
        yield escape(verdict.note, 300)
    if line := left_out_line(verdict.left_out):
        yield line


def _origin(trace: Trace) -> Iterator[str]:
    yield f"Trace {escape_name(trace.trace_id, 300)}"
    if trace.url and trace.url.startswith(("https://", "http://")) and len(trace.url) < 500:
        yield f"<{escape_address(trace.url)}|open it>"
    if is_redacted(trace):
        yield REDACTED


def _buttons(verdict: CardVerdict) -> Block:
    verdict_id = verdict.stored.verdict_id
    votes = vote_buttons(verdict.stored.verdict.value, verdict.judge.value_type, verdict_id)
    return actions(
        verdict_id, *votes, why_button(verdict_id), button("Show everything", SHOW_ALL, verdict_id)
    )


def _page(text: str) -> Block:
    return rich_text(rich_section(run(text)))


def trace_view(verdicts: Sequence[CardVerdict], trace: Trace) -> Block:
    """Return a modal with the verdicts and the trace's whole text, as far as Slack lets a modal hold it."""
    blocks: list[Block] = []
    for verdict in verdicts:
        verdict_id = verdict.stored.verdict_id
        blocks += [section(verdict.headline), *map(_page, text_pages(verdict.reason))]
        blocks.append(actions(f"why-{verdict_id}", why_button(verdict_id)))
    blocks.append(context(_small_print(verdicts, trace)))
    for part in parts_of(trace):
        blocks += part.whole_blocks()
    return modal(TRACE_VIEW, "The whole trace", fit_modal(blocks))
